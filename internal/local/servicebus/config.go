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
	"azbackupflow/internal/local/servicebus/filter"
	"azbackupflow/internal/local/servicebus/store"
)

const (
	defaultAddress          = "127.0.0.1:0"
	defaultKeyName          = "local"
	defaultLockDuration     = 5 * time.Minute
	defaultMaxDeliveryCount = 10
	// defaultHeartbeat is well below the 30 s after which go-amqp expects a frame
	// (go-amqp conn.go readFrame).
	defaultHeartbeat = 10 * time.Second
)

// Config configures a Broker. The zero value is a broker without queues.
type Config struct {
	// Address is the host:port to listen on; 127.0.0.1 and a free port if empty.
	Address string
	// KeyName and Key are the access key with all rights; "local" and a random key if
	// empty.
	KeyName string
	Key     string
	// Keys are further access keys.
	Keys   []AccessKey
	Queues []QueueConfig
	Topics []TopicConfig
	// Heartbeat is the interval of empty frames to each client; 10 seconds if zero.
	Heartbeat time.Duration
	Clock     Clock        // nil: the machine's clock
	Fault     fault.Hook   // nil: none
	Logger    *slog.Logger // nil: no log
}

// AccessKey is a key for a part of the operations, on all entities.
type AccessKey struct {
	Name string
	Key  string
	// Send allows clients to send and schedule messages, Listen to receive and settle.
	Send, Listen bool
}

// QueueConfig describes a queue.
type QueueConfig struct {
	Name                     string        // case-insensitive
	LockDuration             time.Duration // 0: 5 minutes
	MaxDeliveryCount         int           // 0: 10
	DefaultTTL               time.Duration // 0: messages do not expire
	DeadLetterOnExpiration   bool          // else expired messages are dropped
	DuplicateDetectionWindow time.Duration // 0: no duplicate detection
}

// TopicConfig describes a topic.
type TopicConfig struct {
	Name                     string        // case-insensitive
	DefaultTTL               time.Duration // 0: messages do not expire
	DuplicateDetectionWindow time.Duration // 0: no duplicate detection
	Subscriptions            []SubscriptionConfig
}

// SubscriptionConfig describes a subscription of a topic.
type SubscriptionConfig struct {
	Name                   string        // case-insensitive
	LockDuration           time.Duration // 0: 5 minutes
	MaxDeliveryCount       int           // 0: 10
	DefaultTTL             time.Duration // 0: messages do not expire
	DeadLetterOnExpiration bool          // else expired messages are dropped
	// Rules select the messages: each message that matches a rule is delivered once.
	// None: all messages.
	Rules []RuleConfig
}

// RuleConfig describes a rule of a subscription.
type RuleConfig struct {
	Name string
	// SQL is a SQL filter. If it is empty, Correlation applies.
	SQL         string
	Correlation filter.Correlation
	// Action changes the copies of the messages that the filter matches; empty for
	// none.
	Action string
	// Parameters are the values of the parameters in SQL and Action, such as @limit,
	// by name. A value is text, a number, a boolean or a time.
	Parameters map[string]any
}

// withDefaults sets defaults and rejects invalid values.
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
			return c, fmt.Errorf("make an access key: %w", err)
		}
		c.Key = base64.StdEncoding.EncodeToString(random[:])
	}
	if c.Heartbeat == 0 {
		c.Heartbeat = defaultHeartbeat
	}
	if c.Clock == nil {
		c.Clock = systemClock{}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, c.checkKeys()
}

// accessKeys returns all keys, the one with all rights first.
func (c Config) accessKeys() []AccessKey {
	return append([]AccessKey{{Name: c.KeyName, Key: c.Key, Send: true, Listen: true}}, c.Keys...)
}

func (c Config) checkKeys() error {
	names := map[string]bool{}
	for _, k := range c.accessKeys() {
		switch {
		case k.Name == "" || k.Key == "":
			return errors.New("access key without a name or without a key")
		case strings.ContainsAny(k.Name+k.Key, "; "):
			return fmt.Errorf("access key %q contains a semicolon or a space, which a connection string cannot contain", k.Name)
		case names[k.Name]:
			return fmt.Errorf("access key %q is configured twice", k.Name)
		}
		names[k.Name] = true
	}
	return nil
}

// checkName rejects names that addresses cannot contain.
func checkName(kind, name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%s without a name", kind)
	case strings.ContainsAny(name, "$?# "), strings.HasPrefix(name, "/"), strings.HasSuffix(name, "/"):
		return fmt.Errorf("%s %q: a name must not contain $, ?, # or a space, nor begin or end with /", kind, name)
	case strings.Contains(strings.ToLower(name), "/subscriptions/"):
		return fmt.Errorf("%s %q: a name must not contain /subscriptions/", kind, name)
	}
	return nil
}

func (q QueueConfig) settings() (store.Settings, error) { return q.settingsOf("queue") }

// settingsOf returns the settings of an entity of the given kind.
func (q QueueConfig) settingsOf(kind string) (store.Settings, error) {
	if err := checkName(kind, q.Name); err != nil {
		return store.Settings{}, err
	}
	if q.LockDuration < 0 || q.MaxDeliveryCount < 0 || q.DefaultTTL < 0 || q.DuplicateDetectionWindow < 0 {
		return store.Settings{}, fmt.Errorf("%s %q: durations and counts must not be negative", kind, q.Name)
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

// settings returns the properties of the queue that holds the messages of a topic
// until they are forwarded, such as scheduled ones.
func (t TopicConfig) settings() (store.Settings, error) {
	return QueueConfig{
		Name: t.Name, DefaultTTL: t.DefaultTTL, DuplicateDetectionWindow: t.DuplicateDetectionWindow,
	}.settingsOf("topic")
}

func (s SubscriptionConfig) settings() (store.Settings, error) {
	if strings.Contains(s.Name, "/") {
		return store.Settings{}, fmt.Errorf("subscription %q: a name must not contain /", s.Name)
	}
	return QueueConfig{
		Name: s.Name, LockDuration: s.LockDuration, MaxDeliveryCount: s.MaxDeliveryCount,
		DefaultTTL: s.DefaultTTL, DeadLetterOnExpiration: s.DeadLetterOnExpiration,
	}.settingsOf("subscription")
}
