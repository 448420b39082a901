package server_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"wagate.dev/src/lab/labtest"
	"wagate.dev/src/lab/server"
)

func TestAWrongRootKeyIsRefusedByTheClient(t *testing.T) {
	another, err := server.NewWorld()
	if err != nil {
		t.Fatal(err)
	}
	labtest.Start(t) // sets the client's root key to that of all other tests
	lab := labtest.Start(t, func(options *server.Options) { options.World = another })
	err = lab.Client().Connect()
	if err == nil || !strings.Contains(err.Error(), "failed to verify intermediate cert signature") {
		t.Fatalf("connected with %v", err)
	}
}

func TestItsCertificateIsGoodForTheRealHostNames(t *testing.T) {
	lab := labtest.Start(t)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(lab.AuthorityPEM())
	for _, name := range []string{"web.whatsapp.com", "mmg.whatsapp.net", "media-fra.whatsapp.net", "127.0.0.1"} {
		conn, err := tls.Dial("tcp", lab.Address(), &tls.Config{RootCAs: pool, ServerName: name})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err = conn.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestItListensOnLoopbackOnly(t *testing.T) {
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "192.0.2.1:0", "web.whatsapp.com:443", "nonsense"} {
		_, err := server.Start(context.Background(), server.Options{
			Address: address, OraclePath: filepath.Join(t.TempDir(), "oracle.jsonl"),
		})
		var refused *server.NotLoopback
		if !errors.As(err, &refused) || refused.Address != address {
			t.Errorf("%s: %v", address, err)
		}
	}
}
