// Package replay serves recorded Azure Resource Manager traffic. The flows must
// send the recorded requests in the recorded order, and get Azure's answers.
//
//   - Writes (POST, PUT, PATCH, DELETE) must arrive in the recorded order. The
//     method, the path (decoded, case-insensitive) and the body are compared
//     (resourceId and resourceID are the same field); the query is not. A write
//     that differs is answered with 409 ReplayMismatch and recorded in
//     Mismatches.
//   - Polls of an operation are found by the operation ID, in whichever URL it
//     appears. Status and result each have their recorded answers, one after
//     the other; the last one repeats. If only the result URL was recorded and
//     the client polls the status (or the reverse), the answer is derived. Jobs
//     are found by their ID in the same way.
//   - Other reads get the answer that was recorded for their path and $filter
//     at or before the current position. Failing that, they get the next one
//     after it, unless that is a list from behind a write that is still to
//     come: such a list is empty. Repeated reads in a row get their answers one
//     after the other; the last one repeats.
//   - A resource is not found before the recorded PUT that creates it, and is
//     neither found nor listed after its recorded DELETE, unless a list shows it
//     as soft-deleted.
//   - Some answers are derived because they were never recorded: the list of
//     jobs (those whose starting write was made; each read of the list counts
//     as a read of each job; times in its $filter are ignored); a container, a
//     protected item or a recovery point by its ID (from the answers that
//     contain it); an operation that was started and never polled (it has
//     succeeded); a Backup vault, its policies, its soft-deleted instances and
//     resource guards (none) and flexible servers, as far as recorded writes
//     name them.
//   - The host https://management.azure.com is replaced by the address of the
//     server, in headers and bodies, and recorded names by those of
//     Config.Names. Dates stay recorded dates.
//
// What it does not do:
//
//   - It does not check signatures of poll URLs, has no quotas, and does not
//     distinguish clients.
//   - The activity ID of a job stays the recorded one.
//   - A list shows each resource as it was when the list was recorded.
//   - It has no TLS: it serves plain HTTP on loopback.
package replay

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"azbackupflow/internal/local/loopback"
)

// Config configures a Server.
type Config struct {
	// File is a recording of the tests of the Azure CLI (YAML of vcr.py).
	File string
	// From and To are the first and last interaction to replay, counted from 0. A
	// To of 0 means the last one of the file. Reads may also use interactions
	// before From, which show existing resources.
	From, To int
	// Address is the loopback address to listen on; "127.0.0.1:0" if empty.
	Address string
	// RetryAfter, in seconds, is added to every 202, and to every 201 with a
	// status URL, because the recorder removed Azure's header. 0 adds none.
	RetryAfter int
	// Shorten answers the running state of each operation and job, and the
	// unchanged state of repeated reads, only once.
	Shorten bool
	// Names replaces recorded names (of resources, resource groups, subscriptions)
	// everywhere.
	Names map[string]string
	// IgnoreFields are fields of bodies that may differ or be absent, in addition
	// to DefaultIgnoredFields, as paths such as "properties.friendlyName".
	IgnoreFields []string
	// CheckToken, if set, checks the bearer token of each request; false answers
	// 401. (*armsim.Simulator).ValidToken fits.
	CheckToken func(token string) bool
	// Logger receives one debug record per request; nil discards them.
	Logger *slog.Logger
}

// DefaultIgnoredFields returns the fields in which the Learn pages and the
// recordings differ, and times of their day.
func DefaultIgnoredFields() []string {
	return []string{
		"properties.friendlyName", "properties.resourceGroup", "properties.acquireStorageAccountLock",
		"properties.recoveryPointExpiryTimeInUTC",
		"backupInstance.friendlyName",
		"backupInstance.dataSourceSetInfo", "properties.dataSourceSetInfo",
		"backupInstance.dataSourceInfo.resourceUri", "properties.dataSourceInfo.resourceUri",
	}
}

// Server serves a recording.
type Server struct {
	config   Config
	server   *loopback.Server
	endpoint string

	mu         sync.Mutex
	recording  *recording
	position   int            // the last interaction that was reached
	nextWrite  int            // index into recording.writes
	rows       map[string]int // by path and filter: the last answer in a row of reads
	writes     []Write
	mismatches []Mismatch
}

// Write is a write that the server received.
type Write struct {
	// Index is the recorded interaction that the write was compared with; -1 if no
	// more writes were recorded.
	Index                      int
	Method, Path, Query, Body  string
	ClientRequestID            string
	RecordedMethod             string
	RecordedPath, RecordedBody string
	// Matched is set if the write equals the recorded one.
	Matched bool
}

// Mismatch is a request without a recorded answer.
type Mismatch struct {
	Method, Path, Query, Body string
	// Why describes the expected request.
	Why string
}

// New loads the recording and starts to serve it.
func New(c Config) (*Server, error) {
	if c.Address == "" {
		c.Address = "127.0.0.1:0"
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	c.IgnoreFields = append(DefaultIgnoredFields(), c.IgnoreFields...)
	rec, err := load(c.File, c.From, c.To, c.Shorten, c.Names)
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	listener, err := loopback.Listen(c.Address)
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	s := &Server{
		config: c, endpoint: listener.Endpoint(),
		recording: rec, position: rec.reach(c.From - 1), rows: map[string]int{},
	}
	s.server = listener.Serve(s, c.Logger)
	return s, nil
}

// Close stops serving and closes every connection.
func (s *Server) Close() error {
	if err := s.server.Close(); err != nil {
		return fmt.Errorf("close replay: %w", err)
	}
	return nil
}

// Endpoint returns the base URL that stands for https://management.azure.com.
func (s *Server) Endpoint() string { return s.endpoint }

// Writes returns the writes received so far, each with the recorded one.
func (s *Server) Writes() []Write {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.writes)
}

// Mismatches returns the requests so far that have no recorded answer.
func (s *Server) Mismatches() []Mismatch {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mismatches)
}

// Done reports whether every recorded write was made, and every recorded
// operation and job was followed to its end.
func (s *Server) Done() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.nextWrite < len(s.recording.writes) {
		return false
	}
	for _, o := range s.recording.operations {
		if !o.ended() {
			return false
		}
	}
	for _, seq := range s.recording.jobs {
		if !seq.ended() {
			return false
		}
	}
	return true
}
