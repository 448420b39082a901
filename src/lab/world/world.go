// Package world is a whole lab: the server, its persons, and the folder in which
// both keep what they know. A world can be saved into another folder, and any
// number of labs can start from there without pairing again.
package world

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"go.mau.fi/whatsmeow"
	waStore "go.mau.fi/whatsmeow/store"
	waLog "go.mau.fi/whatsmeow/util/log"
	"wagate.dev/src/lab/person"
	"wagate.dev/src/lab/server"
)

// Names within the data folder; the latter two also within a saved world.
const (
	oracleFile    = "oracle.jsonl"
	authorityFile = "ca.pem"
	stateFile     = "world.json"
	personsFolder = "persons"
)

// ErrSameFolder tells that a lab would write into the world it starts from.
var ErrSameFolder = errors.New("a lab leaves the world it starts from as it is, so its data needs another folder")

// deviceName is how persons' clients introduce themselves to the phone.
const deviceName = "wagate lab"

// Options say how a world opens. Address and Data are required.
type Options struct {
	Address   string       // where the server listens; loopback only
	Data      string       // folder for all that the lab writes, made if need be
	From      string       // folder of a saved world to start from; empty for a new one
	Log       *slog.Logger // takes what the operator should know
	ClientLog waLog.Logger // takes what the persons' clients tell, with numbers
}

// World is a running lab.
type World struct {
	Server *server.Server
	Cast   *person.Cast

	data string
}

// Open starts the server and brings the saved persons online. It sets the key
// that clients of this process trust, so a process has one world.
func Open(ctx context.Context, options Options) (*World, error) {
	saved, err := fetch(options.From, options.Data)
	if err != nil {
		return nil, err
	}
	lab, err := server.Start(ctx, server.Options{
		Address: options.Address, OraclePath: filepath.Join(options.Data, oracleFile),
		World: saved, Log: options.Log,
	})
	if err != nil {
		return nil, err
	}
	whatsmeow.WACertPubKey = [32]byte(lab.RootKey())
	waStore.SetOSInfo(deviceName, [3]uint32{1, 0, 0})
	opened := &World{Server: lab, data: options.Data}
	if err = opened.populate(ctx, options.ClientLog); err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	return opened, nil
}

// fetch makes the data folder ready and puts a saved world's persons there.
// What an earlier lab left of its persons is removed.
func fetch(from, data string) (saved []byte, err error) {
	if err = os.MkdirAll(data, 0o700); err != nil {
		return nil, err
	}
	if from != "" {
		if saved, err = readState(from, data); err != nil {
			return nil, err
		}
	}
	persons := filepath.Join(data, personsFolder)
	if err = os.RemoveAll(persons); err != nil || from == "" {
		return nil, err
	}
	return saved, copyFolder(filepath.Join(from, personsFolder), persons)
}

// readState reads a saved world, which must not lie where the lab is to write.
func readState(from, data string) ([]byte, error) {
	state, err := os.ReadFile(filepath.Join(from, stateFile))
	if err != nil {
		return nil, fmt.Errorf("no saved world: %w", err)
	}
	there, err := os.Stat(from)
	if err != nil {
		return nil, err
	}
	here, err := os.Stat(data)
	if err != nil {
		return nil, err
	}
	if os.SameFile(there, here) {
		return nil, ErrSameFolder
	}
	return state, nil
}

func (w *World) populate(ctx context.Context, log waLog.Logger) (err error) {
	if err = os.WriteFile(w.AuthorityFile(), w.Server.AuthorityPEM(), 0o600); err != nil {
		return err
	}
	authority := x509.NewCertPool()
	authority.AppendCertsFromPEM(w.Server.AuthorityPEM())
	lab := person.Lab{
		Transport: person.Transport(w.Server.Address(), authority),
		ScanQR:    w.scan,
	}
	if w.Cast, err = person.Assemble(ctx, lab, filepath.Join(w.data, personsFolder), log); err != nil {
		return err
	}
	return w.Cast.GoOnline(ctx)
}

func (w *World) scan(ctx context.Context, phone, text string) (uint16, error) {
	jid, err := w.Server.ScanQR(ctx, phone, text)
	return jid.Device, err
}

// AuthorityFile is where the certificate authority lies as PEM.
func (w *World) AuthorityFile() string { return filepath.Join(w.data, authorityFile) }

// Close takes everybody offline and ends the server.
func (w *World) Close() error {
	var err error
	if w.Cast != nil {
		err = w.Cast.Close()
	}
	w.Server.Close()
	return err
}
