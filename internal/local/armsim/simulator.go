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

	// mu protects everything below. It is never held during a hook, a callback or a
	// network call.
	mu       sync.Mutex
	world    *world
	signer   *signer
	limits   *limits
	rules    []*rule
	outcomes []*Outcome
	requests []*Request
	backups  []Backup
	restores []Restore
	// itemRestores are those of protected items.
	itemRestores []ItemRestore

	authorization authorization
}

// New starts a simulator. It returns an error if the configuration is invalid,
// if the world refers to missing resources, or if it cannot listen.
func New(c Config) (*Simulator, error) {
	s, err := newSimulator(c)
	if err != nil {
		return nil, fmt.Errorf("start ARM simulator: %w", err)
	}
	listener, err := loopback.Listen(s.config.Address)
	if err != nil {
		return nil, fmt.Errorf("start ARM simulator: %w", err)
	}
	s.endpoint = listener.Endpoint()
	s.server = listener.Serve(s, s.config.Logger)
	return s, nil
}

// NewInProcess returns a simulator that does not listen. The caller passes
// requests to ServeHTTP. Its endpoint is that of Azure Resource Manager.
func NewInProcess(c Config) (*Simulator, error) {
	s, err := newSimulator(c)
	if err != nil {
		return nil, fmt.Errorf("create ARM simulator: %w", err)
	}
	s.endpoint = azureEndpoint
	return s, nil
}

const azureEndpoint = "https://management.azure.com"

// newSimulator returns a simulator without an endpoint.
func newSimulator(c Config) (*Simulator, error) {
	c, err := c.withDefaults()
	if err != nil {
		return nil, err
	}
	rnd, err := newRandom(c.Random)
	if err != nil {
		return nil, err
	}
	w, err := newWorld(*c.World, c.Now(), rnd)
	if err != nil {
		return nil, err
	}
	return &Simulator{
		config:         c,
		identityHeader: rnd.text(32),
		random:         rnd,
		world:          w,
		signer:         newSigner(rnd),
		limits:         newLimits(c.Quotas, c.SpeedFactor),
		authorization:  newAuthorization(),
	}, nil
}

// Close stops serving and closes every connection.
func (s *Simulator) Close() error {
	if s.server == nil {
		return nil
	}
	if err := s.server.Close(); err != nil {
		return fmt.Errorf("close ARM simulator: %w", err)
	}
	return nil
}

// Endpoint returns the base URL that stands for https://management.azure.com.
func (s *Simulator) Endpoint() string { return s.endpoint }

// IdentityEndpoint returns the IDENTITY_ENDPOINT for the managed identity
// credential of azidentity.
func (s *Simulator) IdentityEndpoint() string { return s.endpoint + identityPath }

// IdentityHeader returns the IDENTITY_HEADER.
func (s *Simulator) IdentityHeader() string { return s.identityHeader }

// Token issues an access token for Resource Manager, for clients that do not
// use the identity endpoint.
func (s *Simulator) Token() string {
	text, _ := s.issueToken(armAudiences[0], systemIdentity)
	return text
}

// ValidToken reports whether the text is an unexpired token for Resource
// Manager that this or another simulator issued.
func (s *Simulator) ValidToken(text string) bool {
	return checkToken(text, s.config.Now()) == nil
}

// Inject adds a rule. The first rule that applies to a request wins. The
// returned function removes the rule.
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

// AddOutcome adds an outcome for future work. Outcomes are consumed in the
// order in which they were added.
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

// CreateShare adds a file share to a storage account, given by ARM ID. As in
// Azure, a vault sees it only after the next inquire.
func (s *Simulator) CreateShare(accountID string, share Share) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.events.advance(s.config.Now()) // due events run before the change
	a, err := s.world.account(accountID)
	if err != nil {
		return err
	}
	if share.Policy != "" {
		return fmt.Errorf("share %q has policy %q: a new share is not protected; leave the policy empty", share.Name, share.Policy)
	}
	if a.share(share.Name) != nil {
		return fmt.Errorf("share %q exists already", share.Name)
	}
	a.addShare(share)
	return nil
}

// DeleteShare removes a file share from a storage account, given by ARM ID. Its
// protected item stays, and its backups fail.
func (s *Simulator) DeleteShare(accountID, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.world.events.advance(s.config.Now()) // due events run before the change
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
