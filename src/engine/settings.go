package main

import (
	"crypto/x509"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"time"

	"golang.org/x/time/rate"

	"wagate.dev/src/engine/line"
	"wagate.dev/src/engine/session"
)

// settings is how the engine was started.
type settings struct {
	socket      string
	labAddress  string
	labRootKey  string
	labCA       string
	connectRate float64
	logLevel    slog.Level
	pace        session.Pace
	pingEvery   time.Duration
	pingAnswer  time.Duration
}

func parseSettings(arguments []string, errors io.Writer) (*settings, error) {
	s := &settings{pace: session.DefaultPace()}
	flags := flag.NewFlagSet("wagate-engine", flag.ContinueOnError)
	flags.SetOutput(errors)
	flags.StringVar(&s.socket, "socket", "", "the unix socket to listen on, for the worker alone")
	flags.StringVar(&s.labAddress, "lab-address", "", "a lab on this machine to speak to instead of WhatsApp, as 127.0.0.1:8443")
	flags.StringVar(&s.labRootKey, "lab-root-key", "", "the lab's root key, 64 hexadecimal digits")
	flags.StringVar(&s.labCA, "lab-ca", "", "a PEM file with the authority of the lab's TLS certificate")
	flags.Float64Var(&s.connectRate, "connect-rate", 40, "how many lines may connect in a second")
	flags.TextVar(&s.logLevel, "log-level", slog.LevelInfo, "debug, info, warn or error")
	flags.DurationVar(&s.pingEvery, "ping-every", 22*time.Second, "the longest time between two pings of a line")
	flags.DurationVar(&s.pingAnswer, "ping-answer", 10*time.Second, "how long a ping may go unanswered")
	flags.DurationVar(&s.pace.ReconnectFirst, "reconnect-first", s.pace.ReconnectFirst, "the pause before a lost line is made again")
	flags.DurationVar(&s.pace.ReconnectMost, "reconnect-most", s.pace.ReconnectMost, "the longest pause, after many failures")
	flags.DurationVar(&s.pace.Settlement, "settlement", s.pace.Settlement, "how long a line waits for the worker to store an item")
	if err := flags.Parse(arguments); err != nil {
		return nil, err
	}
	s.pace.Silence = s.pingEvery + s.pingAnswer + s.pingAnswer/4
	return s, s.check()
}

func (s *settings) check() error {
	switch {
	case s.socket == "":
		return errors.New("--socket is missing: the path of the unix socket to listen on")
	case s.connectRate <= 0:
		return errors.New("--connect-rate must be more than 0")
	case s.pingEvery < 4*time.Millisecond || s.pingAnswer <= 0:
		return errors.New("--ping-every and --ping-answer must be more than 0")
	case (s.labAddress == "") != (s.labRootKey == "") || (s.labAddress == "") != (s.labCA == ""):
		return errors.New("--lab-address, --lab-root-key and --lab-ca belong together")
	}
	return nil
}

// network makes the way out: to WhatsApp, or to a lab. It returns the lab's root key too, nil for WhatsApp.
func (s *settings) network() (*line.Network, []byte, error) {
	network := &line.Network{Connects: rate.NewLimiter(rate.Limit(s.connectRate), max(1, int(s.connectRate)))}
	if s.labAddress == "" {
		return network, nil, nil
	}
	var err error
	if network.Lab, err = netip.ParseAddrPort(s.labAddress); err != nil {
		return nil, nil, fmt.Errorf("--lab-address: %w", err)
	}
	rootKey, err := hex.DecodeString(s.labRootKey)
	if err != nil || len(rootKey) != 32 {
		return nil, nil, errors.New("--lab-root-key must be 64 hexadecimal digits")
	}
	pem, err := os.ReadFile(s.labCA)
	if err != nil {
		return nil, nil, fmt.Errorf("--lab-ca: %w", err)
	}
	network.LabAuthority = x509.NewCertPool()
	if !network.LabAuthority.AppendCertsFromPEM(pem) {
		return nil, nil, fmt.Errorf("--lab-ca: %s holds no certificate", s.labCA)
	}
	return network, rootKey, network.Check()
}
