package server

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"sync"
)

// doorway lets in clients that can be told of an HTTP proxy, but of no address:
// whatever host they ask the proxy for, they are connected to the lab itself.
// All others begin with TLS at once.
type doorway struct{ net.Listener }

func (d doorway) Accept() (net.Conn, error) {
	conn, err := d.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &visitor{Conn: conn, reader: bufio.NewReaderSize(conn, longestWish)}, nil
}

// longestWish is how many bytes of what a visitor says first are held at once.
const longestWish = 1024

// visitor is a connection whose wish for a proxy, if it has one, is granted
// with its first read.
type visitor struct {
	net.Conn
	reader  *bufio.Reader
	welcome sync.Once
	refused error
}

func (v *visitor) Read(into []byte) (int, error) {
	v.welcome.Do(func() { v.refused = v.grant() })
	if v.refused != nil {
		return 0, v.refused
	}
	return v.reader.Read(into)
}

// grant answers CONNECT. TLS begins with another letter.
func (v *visitor) grant() error {
	first, err := v.reader.Peek(1)
	if err != nil || first[0] != http.MethodConnect[0] {
		return err
	}
	request, err := http.ReadRequest(v.reader)
	if err != nil {
		return err
	}
	if request.Method != http.MethodConnect {
		return fmt.Errorf("a proxy was asked for %s, and the lab only connects", request.Method)
	}
	_, err = v.Write([]byte("HTTP/1.1 200 OK\r\n\r\n"))
	return err
}
