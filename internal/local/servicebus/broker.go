package servicebus

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"

	"azbackupflow/internal/local/fault"
	"azbackupflow/internal/local/servicebus/wire"
)

// Broker is a running message broker. Its methods may be called from several
// goroutines at once. The fault hook runs on the broker's own goroutines and
// may call any of them but Close, which waits for those goroutines.
type Broker struct {
	keyName, key string
	clock        Clock
	fault        fault.Hook
	log          *slog.Logger
	entities     map[string]*entity // by name in lower case
	names        []string           // as configured, in that order
	listener     net.Listener
	serving      sync.WaitGroup

	mu           sync.Mutex
	conns        map[*conn]struct{}
	away, closed bool
	messageFault func(queue, messageID string) MessageFault
}

// New listens and serves until Close is called.
func New(cfg Config) (*Broker, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	b := &Broker{
		keyName:  cfg.KeyName,
		key:      cfg.Key,
		clock:    cfg.Clock,
		fault:    cfg.Fault,
		log:      cfg.Logger,
		entities: make(map[string]*entity),
		conns:    make(map[*conn]struct{}),
	}
	for _, q := range cfg.Queues {
		settings, err := q.settings()
		if err != nil {
			return nil, err
		}
		key := strings.ToLower(q.Name)
		if b.entities[key] != nil {
			return nil, fmt.Errorf("queue %q is there twice", q.Name)
		}
		b.entities[key] = newEntity(q.Name, settings, cfg.Clock)
		b.names = append(b.names, q.Name)
	}
	var listening net.ListenConfig
	b.listener, err = listening.Listen(context.Background(), "tcp", cfg.Address)
	if err != nil {
		return nil, fmt.Errorf("listening for service bus clients: %w", err)
	}
	b.serving.Go(b.acceptConnections)
	return b, nil
}

// Address is the host and port that the broker listens on.
func (b *Broker) Address() string { return b.listener.Addr().String() }

// ConnectionString is what a client needs to reach the broker.
func (b *Broker) ConnectionString() string {
	return fmt.Sprintf("Endpoint=sb://%s;SharedAccessKeyName=%s;SharedAccessKey=%s;UseDevelopmentEmulator=true",
		b.Address(), b.keyName, b.key)
}

// Close tells the clients that the broker ends, cuts their connections and
// waits until everything that the broker started has ended. Messages that were
// not received are gone. Closing twice does nothing.
func (b *Broker) Close() error {
	b.mu.Lock()
	if b.closed {
		b.mu.Unlock()
		return nil
	}
	b.closed = true
	b.mu.Unlock()
	err := b.listener.Close()
	var farewells sync.WaitGroup
	for _, c := range b.connections() {
		farewells.Go(func() {
			c.shutdown(&wire.Error{Condition: "amqp:connection:forced", Description: "The broker is shutting down."})
		})
	}
	farewells.Wait()
	b.serving.Wait()
	for _, e := range b.entities {
		e.close()
	}
	if err != nil {
		return fmt.Errorf("closing the listener: %w", err)
	}
	return nil
}

// DropConnections cuts every connection without a word, as a failing network
// does. Clients may connect again at once. What they had locked stays locked.
func (b *Broker) DropConnections() {
	for _, c := range b.connections() {
		c.close()
	}
}

// SetAvailable makes the bus go away (false) and come back (true). While it is
// away every connection is cut, and new ones are as soon as they are made; the
// port stays taken, so that nobody else gets it. Queues keep their messages,
// and their time goes on.
func (b *Broker) SetAvailable(available bool) {
	b.mu.Lock()
	b.away = !available
	b.mu.Unlock()
	if !available {
		b.DropConnections()
	}
}

// DetachLinks ends every link to a queue or to its dead-letter queue with
// amqp:link:detach-forced, as the service does when it moves a queue or finds a
// link idle.
func (b *Broker) DetachLinks(queue string) {
	e := b.entities[strings.ToLower(queue)]
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
				b.log.Error("the broker no longer accepts connections", "error", err)
			}
			return
		}
		b.serve(socket)
	}
}

func (b *Broker) serve(socket net.Conn) {
	c := newConn(b, socket)
	b.mu.Lock()
	welcome := !b.away && !b.closed
	if welcome {
		b.conns[c] = struct{}{}
	}
	b.mu.Unlock()
	if !welcome {
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

// find resolves an address in the form that clients use: a queue, its
// dead-letter queue, or the management node of either. It may be a URL.
func (b *Broker) find(address string) (n *node, management, found bool) {
	path := strings.ToLower(entityPath(address))
	path, management = strings.CutSuffix(path, "/$management")
	path, dead := strings.CutSuffix(path, "/$deadletterqueue")
	e := b.entities[path]
	if e == nil {
		return nil, false, false
	}
	if dead {
		return e.dead, management, true
	}
	return e.live, management, true
}

// entityPath takes scheme and host off an address.
func entityPath(address string) string {
	if _, rest, ok := strings.Cut(address, "://"); ok {
		_, address, _ = strings.Cut(rest, "/")
	}
	return strings.Trim(address, "/")
}
