package line

import (
	"context"
	"net"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/socket"
	"go.mau.fi/whatsmeow/util/keys"

	"wagate.dev/src/engine/logs"
)

// Connect dials and shakes hands. Login follows, and is told as an event. It returns as soon as the line is gone, though
// whatsmeow waits for a handshake's answer whatever happens meanwhile.
func (l *Line) Connect() error {
	if err := l.options.Network.Connects.Wait(l.ctx); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- l.connect(l.ctx) }()
	select {
	case err := <-done:
		return err
	case <-l.gone:
		return net.ErrClosed
	}
}

// connect does what whatsmeow's Connect does, but for who handles what arrives: that are we.
func (l *Line) connect(ctx context.Context) error {
	internals := l.internals()
	frames := socket.NewFrameSocket(logs.ForWhatsmeow(l.options.Log), l.toWhatsApp)
	if agent := internals.GetUserAgent(); agent != "" {
		frames.HTTPHeaders.Set("User-Agent", agent)
	}
	if err := frames.Connect(ctx); err != nil {
		frames.Close(0)
		return err
	}
	queue, err := internals.DoHandshake(ctx, frames, *keys.NewKeyPair())
	if err != nil {
		frames.Close(0)
		return err
	}
	go internals.KeepAliveLoop(ctx, frames.Context())
	go l.stanzas.gather(queue, l.gone)
	go l.work(ctx)
	return nil
}

// internals are the parts of whatsmeow that it does not show otherwise. What is done with them is seen by tests.
func (l *Line) internals() *whatsmeow.DangerousInternalClient {
	//lint:ignore SA1019 there is no other way to handle stanzas, to confirm them later, or to ask a question of one's own.
	return l.client.DangerousInternals()
}
