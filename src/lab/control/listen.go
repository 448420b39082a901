package control

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"strings"
)

// NotLoopback tells that an address for the control API was refused.
type NotLoopback struct{ Address string }

func (n *NotLoopback) Error() string {
	return fmt.Sprintf(
		"the control API listens on loopback only, and %q is not; use 127.0.0.1:PORT, [::1]:PORT or unix:PATH", n.Address)
}

const socketScheme = "unix:"

// Listen opens the place where the control API is spoken: a loopback IP address
// with a port, or `unix:PATH` for a socket that only its owner may use. A socket
// that a dead lab left there is replaced.
func Listen(address string) (net.Listener, error) {
	if path, ok := strings.CutPrefix(address, socketScheme); ok {
		return listenAt(path)
	}
	host, _, err := net.SplitHostPort(address)
	if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
		return nil, &NotLoopback{Address: address}
	}
	return net.Listen("tcp", address)
}

func listenAt(path string) (net.Listener, error) {
	if err := removeDead(path); err != nil {
		return nil, err
	}
	listener, err := net.Listen("unix", path)
	if err != nil {
		return nil, err
	}
	if err = os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}

func removeDead(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return fmt.Errorf("%s is there already and no socket", path)
	}
	if living, err := net.Dial("unix", path); err == nil {
		return errors.Join(fmt.Errorf("%s is in use by another process", path), living.Close())
	}
	return os.Remove(path)
}

// AddressOf tells how to reach a listener, in the form that Listen takes.
func AddressOf(listener net.Listener) string {
	if listener.Addr().Network() == "unix" {
		return socketScheme + listener.Addr().String()
	}
	return listener.Addr().String()
}
