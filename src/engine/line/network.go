// Package line holds open lines: one connection to WhatsApp for one session, which whatsmeow speaks over.
package line

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"golang.org/x/time/rate"
)

const (
	dialPatience  = 15 * time.Second
	replyPatience = 15 * time.Second
)

// ErrElsewhere is what an engine that speaks to a lab answers to every wish to dial anything else.
var ErrElsewhere = errors.New("this engine speaks to a lab, and dials nothing but this machine")

// Network is where lines go out. The zero value of Lab means WhatsApp itself.
type Network struct {
	// Lab is dialled instead of every host; it must be a loopback address.
	Lab netip.AddrPort
	// LabAuthority signs the lab's TLS certificate.
	LabAuthority *x509.CertPool
	// Connects holds connecting to a rate, over all lines.
	Connects *rate.Limiter
}

// SpeaksToLab says whether a lab is dialled instead of WhatsApp.
func (n *Network) SpeaksToLab() bool { return n.Lab.IsValid() }

// Check says why the network cannot be used: a lab that is not on this machine.
func (n *Network) Check() error {
	if n.SpeaksToLab() && !n.Lab.Addr().IsLoopback() {
		return fmt.Errorf("the lab's address %s is not a loopback address", n.Lab)
	}
	return nil
}

// ParseProxy reads a proxy's URL; empty means none. An engine that speaks to a lab takes only a proxy on this machine.
func (n *Network) ParseProxy(text string) (*url.URL, error) {
	if text == "" {
		return nil, nil
	}
	proxy, err := url.Parse(text)
	if err != nil {
		return nil, errors.New("the proxy's URL cannot be read") // The reason would quote the URL, which may hold a password.
	}
	if proxy.Scheme != "socks5" && proxy.Scheme != "http" {
		return nil, fmt.Errorf("a proxy is socks5:// or http://, not %q", proxy.Scheme)
	}
	if n.SpeaksToLab() && !isLoopback(proxy.Host) {
		return nil, ErrElsewhere
	}
	return proxy, nil
}

func isLoopback(hostAndPort string) bool {
	address, err := netip.ParseAddrPort(hostAndPort)
	return err == nil && address.Addr().IsLoopback()
}

// dial opens a TCP connection to a host, or to the lab in its stead. A proxy, once accepted, is dialled as itself.
func (n *Network) dial(ctx context.Context, address string, proxy *url.URL) (net.Conn, error) {
	toProxy := proxy != nil && address == proxy.Host
	if n.SpeaksToLab() && !toProxy {
		address = n.Lab.String()
	}
	dialer := net.Dialer{Timeout: dialPatience, KeepAlive: 30 * time.Second, Control: n.MayDial}
	return dialer.DialContext(ctx, "tcp", address)
}

// MayDial is asked by whoever dials, when the address is known for good. Beside a lab it says no to all that is not on
// this machine.
func (n *Network) MayDial(network, address string, _ syscall.RawConn) error {
	if n.SpeaksToLab() && network != "unix" && !isLoopback(address) {
		return ErrElsewhere
	}
	return nil
}

// transport makes an HTTP transport all of whose connections pass through wrap.
func (n *Network) transport(proxy *url.URL, wrap func(net.Conn) net.Conn) *http.Transport {
	transport := &http.Transport{
		DialContext: func(ctx context.Context, _, address string) (net.Conn, error) {
			raw, err := n.dial(ctx, address, proxy)
			if err != nil {
				return nil, err
			}
			return wrap(raw), nil
		},
		TLSHandshakeTimeout:   dialPatience,
		ResponseHeaderTimeout: replyPatience,
		MaxIdleConnsPerHost:   1,
		IdleConnTimeout:       30 * time.Second,
	}
	if proxy != nil {
		transport.Proxy = http.ProxyURL(proxy)
	}
	if n.SpeaksToLab() {
		transport.TLSClientConfig = &tls.Config{RootCAs: n.LabAuthority, MinVersion: tls.VersionTLS12}
	}
	return transport
}

// SealProcess makes the ways out that belong to no line unusable: the default HTTP transport and the default resolver. An
// engine that speaks to a lab calls it once, before the first line.
func SealProcess() {
	refuse := func(context.Context, string, string) (net.Conn, error) { return nil, ErrElsewhere }
	http.DefaultTransport = &http.Transport{DialContext: refuse}
	net.DefaultResolver = &net.Resolver{PreferGo: true, Dial: refuse}
}
