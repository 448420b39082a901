package person

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	waLog "go.mau.fi/whatsmeow/util/log"
)

// ErrUnknown tells that the lab has no person with that id.
var ErrUnknown = errors.New("there is no person with that id")

// Lab is what persons need of the lab they live in.
type Lab struct {
	// Transport reaches the lab's server, whatever host is asked for.
	Transport http.RoundTripper
	// ScanQR holds an account's phone in front of a QR, and returns once the new
	// device has confirmed.
	ScanQR func(ctx context.Context, phone, text string) (device uint16, err error)
}

// Cast is all persons of a lab, each in a file of its own in one folder.
type Cast struct {
	lab    Lab
	folder string
	log    waLog.Logger
	ctx    context.Context
	leave  context.CancelFunc

	mu      sync.Mutex
	persons map[string]*Person
	last    int
}

const (
	prefix = "person-"
	suffix = ".db"
)

// Assemble opens the persons whose files lie in the folder, which is made if
// need be. All of them are offline; GoOnline connects them.
func Assemble(ctx context.Context, lab Lab, folder string, log waLog.Logger) (*Cast, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	files, err := filepath.Glob(filepath.Join(folder, prefix+"*"+suffix))
	if err != nil {
		return nil, err
	}
	cast := &Cast{lab: lab, folder: folder, log: log, persons: map[string]*Person{}}
	cast.ctx, cast.leave = context.WithCancel(context.WithoutCancel(ctx))
	for _, file := range files {
		if err = cast.open(ctx, file); err != nil {
			return nil, errors.Join(err, cast.Close())
		}
	}
	return cast, nil
}

func (c *Cast) open(ctx context.Context, file string) error {
	person := &Person{log: c.log}
	var err error
	if person.store, err = openStore(ctx, file, c.log); err != nil {
		return err
	}
	number := 0
	if err = person.store.readPerson(ctx, person); err == nil {
		number, err = strconv.Atoi(strings.TrimPrefix(person.ID, prefix))
	}
	if err == nil {
		err = c.prepare(ctx, person)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%s: %w", file, err), person.store.close())
	}
	c.persons[person.ID], c.last = person, max(c.last, number)
	return nil
}

func (c *Cast) prepare(ctx context.Context, person *Person) (err error) {
	if person.Inbox, err = openInbox(ctx, person.store); err != nil {
		return err
	}
	return person.start(c.ctx, c.lab.Transport)
}

// GoOnline connects everybody who is still linked, all at the same time.
func (c *Cast) GoOnline(ctx context.Context) error {
	persons := c.All()
	failures := make([]error, len(persons))
	var all sync.WaitGroup
	for i, person := range persons {
		all.Go(func() {
			if failures[i] = person.GoOnline(ctx); errors.Is(failures[i], ErrUnlinked) {
				failures[i] = nil
			}
		})
	}
	all.Wait()
	return errors.Join(failures...)
}

// Create links a new person to the account with that phone number and returns
// once it is online.
func (c *Cast) Create(ctx context.Context, phone, name string) (*Person, error) {
	person := &Person{ID: c.nextID(), Phone: phone, Name: name, log: c.log}
	var err error
	if person.store, err = openStore(ctx, c.fileOf(c.folder, person.ID), c.log); err != nil {
		return nil, err
	}
	if err = c.prepare(ctx, person); err != nil {
		return nil, errors.Join(err, person.store.close())
	}
	if err = person.link(ctx, c.lab.ScanQR); err != nil {
		return nil, errors.Join(err, person.close())
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.persons[person.ID] = person
	return person, nil
}

func (c *Cast) nextID() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	return prefix + strconv.Itoa(c.last)
}

func (c *Cast) fileOf(folder, id string) string { return filepath.Join(folder, id+suffix) }

// Find gives the person with an id.
func (c *Cast) Find(id string) (*Person, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if person := c.persons[id]; person != nil {
		return person, nil
	}
	return nil, ErrUnknown
}

// All lists the persons in the order of their ids.
func (c *Cast) All() []*Person {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]*Person, 0, len(c.persons))
	for _, person := range c.persons {
		all = append(all, person)
	}
	slices.SortFunc(all, func(a, b *Person) int {
		return cmp.Or(cmp.Compare(len(a.ID), len(b.ID)), cmp.Compare(a.ID, b.ID)) // person-2 before person-10
	})
	return all
}

// Save copies everybody's file into a folder, where Assemble finds them.
func (c *Cast) Save(ctx context.Context, folder string) error {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	for _, person := range c.All() {
		if err := person.store.copyTo(ctx, c.fileOf(folder, person.ID)); err != nil {
			return fmt.Errorf("%s: %w", person.ID, err)
		}
	}
	return nil
}

// Close disconnects everybody and closes their files.
func (c *Cast) Close() error {
	var failures []error
	for _, person := range c.All() {
		failures = append(failures, person.close())
	}
	c.leave()
	return errors.Join(failures...)
}
