package main

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
)

// proxy is an HTTP proxy that leads every CONNECT to one place, and notes what was asked for.
type proxy struct {
	address string
	mu      sync.Mutex
	asked   []string
}

func startProxy(t *testing.T, leadsTo string) *proxy {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { listener.Close() })
	p := &proxy{address: listener.Addr().String()}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			go p.lead(client, leadsTo)
		}
	}()
	return p
}

func (p *proxy) lead(client net.Conn, to string) {
	defer client.Close()
	request, err := http.ReadRequest(bufio.NewReader(client))
	if err != nil || request.Method != http.MethodConnect {
		return
	}
	p.mu.Lock()
	p.asked = append(p.asked, request.Host)
	p.mu.Unlock()
	server, err := net.Dial("tcp", to)
	if err != nil {
		return
	}
	defer server.Close()
	io.WriteString(client, "HTTP/1.1 200 OK\r\n\r\n") //nolint:errcheck // copying fails then
	go io.Copy(server, client)                        //nolint:errcheck // ends with either side
	io.Copy(client, server)                           //nolint:errcheck // ends with either side
}

func (p *proxy) hosts() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.asked...)
}
