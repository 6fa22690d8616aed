package servicebus

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"azbackupflow/internal/local/fault"
	"azbackupflow/internal/local/servicebus/wire"
)

// Broker is a running message broker. Its methods are safe for concurrent use. The
// fault hook runs on the broker's goroutines. It may call all methods except Close,
// which waits for those goroutines.
type Broker struct {
	keys      []AccessKey
	heartbeat time.Duration
	clock     Clock
	fault     fault.Hook
	log       *slog.Logger
	entities  map[string]*entity // by path in lower case
	ordered   []*entity          // as configured; a topic comes before its subscriptions
	listener  net.Listener
	serving   sync.WaitGroup

	mu             sync.Mutex
	conns          map[*conn]struct{}
	outage, closed bool
	messageFault   func(queue, messageID string) MessageFault
}

// New starts a broker. It serves until Close is called.
func New(cfg Config) (*Broker, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	b := &Broker{
		keys:      cfg.accessKeys(),
		heartbeat: cfg.Heartbeat,
		clock:     cfg.Clock,
		fault:     cfg.Fault,
		log:       cfg.Logger,
		entities:  make(map[string]*entity),
		conns:     make(map[*conn]struct{}),
	}
	if err := b.addEntities(cfg); err != nil {
		return nil, err
	}
	var listening net.ListenConfig
	b.listener, err = listening.Listen(context.Background(), "tcp", cfg.Address)
	if err != nil {
		return nil, fmt.Errorf("listen for Service Bus clients: %w", err)
	}
	b.serving.Go(b.acceptConnections)
	return b, nil
}

func (b *Broker) addEntities(cfg Config) error {
	for _, q := range cfg.Queues {
		settings, err := q.settings()
		if err != nil {
			return err
		}
		if err := b.add(newQueue(q.Name, settings, cfg.Clock)); err != nil {
			return err
		}
	}
	for _, t := range cfg.Topics {
		if err := b.addTopic(t, cfg.Clock); err != nil {
			return err
		}
	}
	return nil
}

func (b *Broker) addTopic(t TopicConfig, clock Clock) error {
	settings, err := t.settings()
	if err != nil {
		return err
	}
	var subscriptions []*entity
	for _, s := range t.Subscriptions {
		settings, err := s.settings()
		if err != nil {
			return fmt.Errorf("topic %q: %w", t.Name, err)
		}
		rules, err := newRules(s.Rules)
		if err != nil {
			return fmt.Errorf("topic %q: subscription %q: %w", t.Name, s.Name, err)
		}
		subscriptions = append(subscriptions, newSubscription(t.Name, s.Name, settings, rules, clock))
	}
	if err := b.add(newTopic(t.Name, settings, subscriptions, clock)); err != nil {
		return err
	}
	for _, s := range subscriptions {
		if err := b.add(s); err != nil {
			return err
		}
	}
	return nil
}

func (b *Broker) add(e *entity) error {
	key := strings.ToLower(e.name)
	if b.entities[key] != nil {
		return fmt.Errorf("entity %q is configured twice", e.name)
	}
	b.entities[key] = e
	b.ordered = append(b.ordered, e)
	return nil
}

// Address returns the host and port that the broker listens on.
func (b *Broker) Address() string { return b.listener.Addr().String() }

// ConnectionString returns the connection string with all rights.
func (b *Broker) ConnectionString() string { return b.connectionString(b.keys[0]) }

// ConnectionStringOf returns the connection string of an access key, or "" if there
// is no such key.
func (b *Broker) ConnectionStringOf(keyName string) string {
	for _, k := range b.keys {
		if k.Name == keyName {
			return b.connectionString(k)
		}
	}
	return ""
}

func (b *Broker) connectionString(k AccessKey) string {
	return fmt.Sprintf("Endpoint=sb://%s;SharedAccessKeyName=%s;SharedAccessKey=%s;UseDevelopmentEmulator=true",
		b.Address(), k.Name, k.Key)
}

// Close notifies the clients, cuts their connections and waits until all goroutines
// of the broker have ended. Messages that are still in queues are lost. A second call
// does nothing.
func (b *Broker) Close() error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return nil
	}
	b.closed = true
	b.mu.Unlock()
	err := b.listener.Close()
	var closing sync.WaitGroup
	for _, c := range b.connections() {
		closing.Go(func() {
			c.shutdown(&wire.Error{Condition: "amqp:connection:forced", Description: "The broker is shutting down."})
		})
	}
	closing.Wait()
	b.serving.Wait()
	for _, e := range b.ordered {
		e.close()
	}
	if err != nil {
		return fmt.Errorf("close the listener: %w", err)
	}
	return nil
}

// DropConnections cuts all connections without a Close frame, as a network failure
// does. Clients may reconnect at once. Locked messages stay locked.
func (b *Broker) DropConnections() {
	for _, c := range b.connections() {
		c.close()
	}
}

// SetAvailable starts an outage (false) or ends it (true). During an outage, all
// connections are cut, and new ones as soon as they are accepted. The broker keeps
// its port. Queues keep their messages, which still expire and become due.
func (b *Broker) SetAvailable(available bool) {
	b.mu.Lock()
	b.outage = !available
	b.mu.Unlock()
	if !available {
		b.DropConnections()
	}
}

// DetachLinks ends all links to a queue, topic or subscription and its dead-letter
// queue with amqp:link:detach-forced, as the service does when it moves an entity or
// finds a link idle.
func (b *Broker) DetachLinks(path string) {
	e := b.entities[strings.ToLower(path)]
	if e == nil {
		return
	}
	for _, c := range b.connections() {
		c.eachSession(func(s *session) { s.post(func() { s.detachFrom(e) }) })
	}
}

func (b *Broker) connections() []*conn {
	b.mu.Lock()
	defer b.mu.Unlock()
	conns := make([]*conn, 0, len(b.conns))
	for c := range b.conns {
		conns = append(conns, c)
	}
	return conns
}

func (b *Broker) acceptConnections() {
	for {
		socket, err := b.listener.Accept()
		if err != nil {
			b.mu.Lock()
			closed := b.closed
			b.mu.Unlock()
			if !closed {
				b.log.Error("accept failed; the broker accepts no more connections", "error", err)
			}
			return
		}
		b.serve(socket)
	}
}

func (b *Broker) serve(socket net.Conn) {
	c := newConn(b, socket)
	b.mu.Lock()
	accepted := !b.outage && !b.closed
	if accepted {
		b.conns[c] = struct{}{}
	}
	b.mu.Unlock()
	if !accepted {
		c.close()
		return
	}
	b.serving.Go(func() {
		c.serve()
		b.mu.Lock()
		delete(b.conns, c)
		b.mu.Unlock()
	})
}

// find resolves an address: the path of an entity, of its dead-letter queue, or of
// the management node of either. It may be a URL.
func (b *Broker) find(address string) (n *node, management, found bool) {
	path := strings.ToLower(entityPath(address))
	path, management = strings.CutSuffix(path, "/$management")
	path, dead := strings.CutSuffix(path, "/$deadletterqueue")
	e := b.entities[path]
	switch {
	case e == nil, dead && e.dead == nil:
		return nil, false, false
	case dead:
		return e.dead, management, true
	}
	return e.live, management, true
}

// entityPath removes scheme, host and query from an address.
func entityPath(address string) string {
	if _, rest, ok := strings.Cut(address, "://"); ok {
		_, address, _ = strings.Cut(rest, "/")
	}
	address, _, _ = strings.Cut(address, "?")
	return strings.Trim(address, "/")
}
