package person

import (
	"context"
	"fmt"
	"sync"

	"google.golang.org/protobuf/proto"
	labv1 "wagate.dev/gen/go/wagate/lab/v1"
)

// Inbox is what a person received, in the order of arrival, from 1. An entry is
// in the person's file before the sender is told of its delivery.
type Inbox struct {
	store *store

	mu      sync.Mutex
	entries []*labv1.WatchInboxResponse
	changed chan struct{}
}

func openInbox(ctx context.Context, store *store) (*Inbox, error) {
	inbox := &Inbox{store: store, changed: make(chan struct{})}
	rows, err := store.db.QueryContext(ctx, "select entry from lab_inbox order by position")
	if err != nil {
		return nil, err
	}
	defer rows.Close() // rows.Err tells what went wrong
	for rows.Next() {
		var stored []byte
		if err = rows.Scan(&stored); err != nil {
			return nil, err
		}
		entry := &labv1.WatchInboxResponse{}
		if err = proto.Unmarshal(stored, entry); err != nil {
			return nil, fmt.Errorf("an inbox entry: %w", err)
		}
		inbox.entries = append(inbox.entries, entry)
	}
	return inbox, rows.Err()
}

// add stores an entry and gives it its position.
func (i *Inbox) add(ctx context.Context, entry *labv1.WatchInboxResponse) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	entry.Position = int64(len(i.entries)) + 1
	stored, err := proto.Marshal(entry)
	if err != nil {
		return err
	}
	if _, err = i.store.db.ExecContext(ctx,
		"insert into lab_inbox (position, entry) values (?, ?)", entry.Position, stored); err != nil {
		return err
	}
	i.entries = append(i.entries, entry)
	close(i.changed)
	i.changed = make(chan struct{})
	return nil
}

// After gives the entries after a position, and a channel that is closed when
// there are more. The entries are shared: they are not to be changed.
func (i *Inbox) After(position int64) (entries []*labv1.WatchInboxResponse, changed <-chan struct{}) {
	i.mu.Lock()
	defer i.mu.Unlock()
	first := min(max(position, 0), int64(len(i.entries)))
	return i.entries[first:len(i.entries):len(i.entries)], i.changed
}

// find gives the newest entry with that message id; nil if there is none.
func (i *Inbox) find(id string) *labv1.WatchInboxResponse {
	entries, _ := i.After(0)
	for n := len(entries) - 1; n >= 0; n-- {
		if entries[n].GetProviderMessageId() == id {
			return entries[n]
		}
	}
	return nil
}
