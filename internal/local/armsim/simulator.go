package armsim

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"azbackupflow/internal/local/loopback"
)

// Simulator is a running simulator.
type Simulator struct {
	config         Config
	server         *loopback.Server
	endpoint       string
	identityHeader string
	random         *random

	// mu guards everything below. It is never held while a hook, a callback or
	// a connection is waited for.
	mu       sync.Mutex
	world    *world
	signer   *signer
	limits   *limits
	rules    []*rule
	outcomes []*Outcome
	requests []*Request
	backups  []Backup
	restores []Restore

	authorization authorization
}

// New starts a simulator. It fails if the configuration is wrong, if the
// world refers to things that it does not hold, or if it cannot listen.
func New(c Config) (*Simulator, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("ARM simulator: %w", err)
	}
	rnd, err := newRandom(c.Random)
	if err != nil {
		return nil, fmt.Errorf("ARM simulator: %w", err)
	}
	w, err := newWorld(*c.World, c.Now(), rnd)
	if err != nil {
		return nil, fmt.Errorf("ARM simulator: %w", err)
	}
	server, err := loopback.Listen(c.Address)
	if err != nil {
		return nil, fmt.Errorf("ARM simulator: %w", err)
	}
	s := &Simulator{
		config:         c,
		server:         server,
		endpoint:       server.Endpoint(),
		identityHeader: rnd.text(32),
		random:         rnd,
		world:          w,
		signer:         newSigner(rnd),
		limits:         newLimits(c.Quotas, c.SpeedFactor),
		authorization:  newAuthorization(),
	}
	server.Serve(s, c.Logger)
	return s, nil
}

// Close stops serving and drops every connection.
func (s *Simulator) Close() error {
	if err := s.server.Close(); err != nil {
		return fmt.Errorf("close ARM simulator: %w", err)
	}
	return nil
}

// Endpoint is the base URL that stands for https://management.azure.com.
func (s *Simulator) Endpoint() string { return s.endpoint }

// IdentityEndpoint is what IDENTITY_ENDPOINT has to be for azidentity's
// managed identity credential.
func (s *Simulator) IdentityEndpoint() string { return s.endpoint + identityPath }

// IdentityHeader is what IDENTITY_HEADER has to be.
func (s *Simulator) IdentityHeader() string { return s.identityHeader }

// Token issues an access token for Resource Manager, for clients that do not
// come by the identity endpoint.
func (s *Simulator) Token() string {
	text, _ := s.issueToken(armAudiences[0], systemIdentity)
	return text
}

// ValidToken tells whether a bearer token is one for Resource Manager that a
// simulator issued (this one or another) and that has not expired.
func (s *Simulator) ValidToken(text string) bool {
	return checkToken(text, s.config.Now()) == nil
}

// Inject adds a rule. The first rule that applies to a request is the one that
// does. The function it returns removes the rule again.
func (s *Simulator) Inject(r Rule) (remove func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	added := &rule{Rule: r}
	s.rules = append(s.rules, added)
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.rules = slices.DeleteFunc(s.rules, func(r *rule) bool { return r == added })
	}
}

// AddOutcome says how the next work ends that the outcome fits. Outcomes are
// used up in the order in which they were set.
func (s *Simulator) AddOutcome(o Outcome) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.Operation == "" {
		o.Operation = operationBackup
	}
	if o.Times == 0 {
		o.Times = 1
	}
	s.outcomes = append(s.outcomes, &o)
}

// CreateShare adds a file share to a storage account (by ARM id). Like in
// Azure, a vault sees it after the next inquire only.
func (s *Simulator) CreateShare(accountID string, share Share) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.events.advance(s.config.Now()) // what is due has not seen the change
	a, err := s.world.account(accountID)
	if err != nil {
		return err
	}
	if share.Policy != "" {
		return fmt.Errorf("share %q: a new share is not protected", share.Name)
	}
	if a.share(share.Name) != nil {
		return fmt.Errorf("share %q exists already", share.Name)
	}
	a.addShare(share)
	return nil
}

// DeleteShare removes a file share from a storage account (by ARM id). Its
// protected item stays, and backups of it fail.
func (s *Simulator) DeleteShare(accountID, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.events.advance(s.config.Now()) // what is due has not seen the change
	a, err := s.world.account(accountID)
	if err != nil {
		return err
	}
	if a.share(name) == nil {
		return fmt.Errorf("share %q does not exist", name)
	}
	a.shares = slices.DeleteFunc(a.shares, func(s *share) bool { return strings.EqualFold(s.name, name) })
	return nil
}
