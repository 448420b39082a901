package fault

import (
	"sync"
	"time"
)

// Restrictions are what accounts are forbidden for a time. Each ends by itself.
type Restrictions struct {
	mu    sync.Mutex
	bans  map[string]Ban
	locks map[string]Lock
}

// Ban forbids an account to log in.
type Ban struct {
	Until  time.Time
	Reason int // why, as the protocol numbers it
}

// Lock forbids an account to begin chats.
type Lock struct {
	Until time.Time // zero until it is lifted
}

// NewRestrictions makes a list on which nobody stands.
func NewRestrictions() *Restrictions {
	return &Restrictions{bans: map[string]Ban{}, locks: map[string]Lock{}}
}

// Ban puts a ban in place of the one that was in force.
func (r *Restrictions) Ban(phone string, ban Ban) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.bans[phone] = ban
}

// Banned tells how long a ban still lasts, and its reason; 0 if there is none.
func (r *Restrictions) Banned(phone string) (left time.Duration, reason int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	ban := r.bans[phone]
	if left = time.Until(ban.Until); left <= 0 {
		delete(r.bans, phone)
		return 0, 0
	}
	return left, ban.Reason
}

// Lock puts a reach-out lock in place of the one that was in force.
func (r *Restrictions) Lock(phone string, lock Lock) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.locks[phone] = lock
}

// Locked tells the reach-out lock that is in force, if one is.
func (r *Restrictions) Locked(phone string) (lock Lock, locked bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	lock, locked = r.locks[phone]
	if locked && !lock.Until.IsZero() && time.Until(lock.Until) <= 0 {
		delete(r.locks, phone)
		return Lock{}, false
	}
	return lock, locked
}

// Lift ends all that an account is forbidden, and tells whether it was locked.
func (r *Restrictions) Lift(phone string) (wasLocked bool) {
	_, wasLocked = r.Locked(phone)
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.bans, phone)
	delete(r.locks, phone)
	return wasLocked
}
