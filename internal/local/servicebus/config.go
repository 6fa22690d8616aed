package servicebus

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"azbackupflow/internal/local/fault"
	"azbackupflow/internal/local/servicebus/store"
)

const (
	defaultAddress          = "127.0.0.1:0"
	defaultKeyName          = "local"
	defaultLockDuration     = 5 * time.Minute
	defaultMaxDeliveryCount = 10
)

// QueueConfig describes a queue.
type QueueConfig struct {
	Name                     string        // case-insensitive
	LockDuration             time.Duration // 0: 5 minutes
	MaxDeliveryCount         int           // 0: 10
	DefaultTTL               time.Duration // 0: messages live for ever
	DeadLetterOnExpiration   bool          // else expired messages are dropped
	DuplicateDetectionWindow time.Duration // 0: no duplicate detection
}

// Config describes a broker. Its zero value, with the queues, is ready to use.
type Config struct {
	Address string // host:port to listen on; "": 127.0.0.1 and a free port
	KeyName string // "": local
	Key     string // "": a random key
	Queues  []QueueConfig
	Clock   Clock        // nil: the machine's clock
	Fault   fault.Hook   // nil: none
	Logger  *slog.Logger // nil: no log
}

// withDefaults fills in what is not given and refuses what cannot be.
func (c Config) withDefaults() (Config, error) {
	if c.Address == "" {
		c.Address = defaultAddress
	}
	if c.KeyName == "" {
		c.KeyName = defaultKeyName
	}
	if c.Key == "" {
		var random [32]byte
		if _, err := rand.Read(random[:]); err != nil {
			return c, fmt.Errorf("making a key: %w", err)
		}
		c.Key = base64.StdEncoding.EncodeToString(random[:])
	}
	if strings.ContainsAny(c.KeyName+c.Key, "; ") {
		return c, errors.New("key name and key must not contain ';' or a space: they go into a connection string")
	}
	if c.Clock == nil {
		c.Clock = systemClock{}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

func (q QueueConfig) settings() (store.Settings, error) {
	switch {
	case q.Name == "":
		return store.Settings{}, errors.New("a queue has no name")
	case strings.Contains(q.Name, "$"):
		return store.Settings{}, fmt.Errorf("queue %q: '$' is not allowed in a name", q.Name)
	case q.LockDuration < 0, q.MaxDeliveryCount < 0, q.DefaultTTL < 0, q.DuplicateDetectionWindow < 0:
		return store.Settings{}, fmt.Errorf("queue %q: a setting is negative", q.Name)
	}
	s := store.Settings{
		LockDuration:             q.LockDuration,
		MaxDeliveryCount:         q.MaxDeliveryCount,
		DefaultTimeToLive:        q.DefaultTTL,
		DeadLetterOnExpiration:   q.DeadLetterOnExpiration,
		DuplicateDetectionWindow: q.DuplicateDetectionWindow,
	}
	if s.LockDuration == 0 {
		s.LockDuration = defaultLockDuration
	}
	if s.MaxDeliveryCount == 0 {
		s.MaxDeliveryCount = defaultMaxDeliveryCount
	}
	return s, nil
}
