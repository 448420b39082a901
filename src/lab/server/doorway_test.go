package server_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/url"
	"testing"

	"wagate.dev/src/lab/labtest"
)

func TestAsAProxyItConnectsEveryHostToItself(t *testing.T) {
	lab := labtest.Start(t)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(lab.AuthorityPEM())
	client := &http.Client{Transport: &http.Transport{
		Proxy:           http.ProxyURL(&url.URL{Scheme: "http", Host: lab.Address()}),
		TLSClientConfig: &tls.Config{RootCAs: pool},
	}}
	defer client.CloseIdleConnections()
	for _, host := range []string{"web.whatsapp.com", "mmg.whatsapp.net"} {
		answer, err := client.Get("https://" + host + "/")
		if err != nil {
			t.Fatal(err)
		}
		if err = answer.Body.Close(); err != nil {
			t.Fatal(err)
		}
		if answer.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %s", host, answer.Status)
		}
	}
}

func TestAsAProxyItDoesNothingButConnect(t *testing.T) {
	lab := labtest.Start(t)
	for _, wish := range []string{"COPY / HTTP/1.1\r\n\r\n", "CONNECT nonsense\r\n\r\n"} {
		conn, err := net.Dial("tcp", lab.Address())
		if err != nil {
			t.Fatal(err)
		}
		if _, err = conn.Write([]byte(wish)); err != nil {
			t.Fatal(err)
		}
		if said, err := io.ReadAll(conn); err != nil || len(said) > 0 {
			t.Errorf("%q was answered: %q, %v", wish, said, err)
		}
		if err = conn.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
