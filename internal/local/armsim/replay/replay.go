// Package replay serves recorded Azure Resource Manager traffic as if it were
// Azure: the flows must send what was recorded, in that order, and get the
// answers that Azure gave.
//
//   - Writes (POST, PUT, PATCH, DELETE) must arrive in the recorded order. The
//     method, the path (decoded, case-insensitive) and the body are compared
//     (resourceId and resourceID are the same field); the query is not. A write that does not fit is answered 409
//     ReplayMismatch and noted in Mismatches.
//   - Polls of an operation are found by the operation's id, whichever URL
//     carries it; its status and its result have the recorded answers of each,
//     one after the other; the last one stays. If only its result URL was
//     recorded and its status is asked for (or the other way round), the status
//     (or result) is derived. Jobs are found by their id in the same way.
//   - Other reads get the answer that was recorded for their path and $filter
//     at the current point of the recording or before it; failing that, the
//     next one after it, unless that is a list from behind a write that has not
//     been made yet: such a list is answered empty. What was read several times
//     in a row is answered as often, one answer after the other; the last one
//     stays.
//   - What a recorded PUT makes is not found before that PUT, and what a
//     recorded DELETE removes is neither found nor listed after it.
//   - Never recorded, and derived: the list of jobs (those whose starting write
//     was made; every look at the list is a look at each job; times in its
//     $filter are ignored); a container, a protected item or a recovery point
//     by its id (from the answers that showed it); an operation that was
//     started and never polled (it has succeeded); a Backup vault, its
//     policies, its soft-deleted instances and resource guards (none) and
//     flexible servers, as far as recorded writes name them.
//   - The host https://management.azure.com becomes the server's own, in
//     headers and bodies, and Config.Names give names to recorded things. Dates
//     stay recorded dates.
//
// What it does not do: it checks no signature of poll URLs, knows no quotas,
// and does not tell two clients apart; a job's activity id stays the recorded
// one, and a list shows each thing as it was when the list was recorded. It
// serves plain HTTP on loopback.
package replay

import (
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"azbackupflow/internal/local/loopback"
)

// Config says what is replayed.
type Config struct {
	// File is a recording of the Azure CLI's tests (vcr.py's YAML).
	File string
	// From and To are the first and last interaction to replay, counted from
	// 0; a To of 0 is the last one of the file. Reads may also be answered from
	// interactions before From, which show what existed.
	From, To int
	// Address is the loopback address to listen on; "127.0.0.1:0" if empty.
	Address string
	// RetryAfter, in seconds, is put into every 202, and every 201 with a
	// status URL: the recorder has taken Azure's out. None if 0.
	RetryAfter int
	// Shorten answers the running state of each operation and job, and the
	// unchanged state of what is read again and again, once only, however often
	// it was recorded.
	Shorten bool
	// Names are recorded names (of resources, resource groups, subscriptions)
	// and what stands in their place, wherever they occur.
	Names map[string]string
	// IgnoreFields are fields of bodies that may differ or be absent, beside
	// DefaultIgnoredFields, as paths such as "properties.friendlyName".
	IgnoreFields []string
	// CheckToken, if set, is asked about each request's bearer token; 401 if it
	// says no. (*armsim.Simulator).ValidToken fits.
	CheckToken func(token string) bool
	// Logger gets one debug record per request; nothing if nil.
	Logger *slog.Logger
}

// DefaultIgnoredFields are the fields that the Learn pages and the recordings
// disagree about, or that are times of their day.
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
	position   int            // the last interaction that has been reached
	nextWrite  int            // index into recording.writes
	rows       map[string]int // by path and filter: the last read in a row of reads
	writes     []Write
	mismatches []Mismatch
}

// Write is a write that was received.
type Write struct {
	// Index is the recorded interaction it was compared with; -1 if no more
	// writes were recorded.
	Index                      int
	Method, Path, Query, Body  string
	ClientRequestID            string
	RecordedMethod             string
	RecordedPath, RecordedBody string
	// Matched is whether it was the recorded one.
	Matched bool
}

// Mismatch is a request that the recording has no answer for.
type Mismatch struct {
	Method, Path, Query, Body string
	// Why says what was expected instead.
	Why string
}

// New loads the recording and serves it.
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
	server, err := loopback.Listen(c.Address)
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	s := &Server{
		config: c, server: server, endpoint: server.Endpoint(),
		recording: rec, position: rec.reach(c.From - 1), rows: map[string]int{},
	}
	server.Serve(s, c.Logger)
	return s, nil
}

// Close stops serving and drops every connection.
func (s *Server) Close() error {
	if err := s.server.Close(); err != nil {
		return fmt.Errorf("close replay: %w", err)
	}
	return nil
}

// Endpoint is the base URL that stands for https://management.azure.com.
func (s *Server) Endpoint() string { return s.endpoint }

// Writes returns the writes received so far, beside what was recorded.
func (s *Server) Writes() []Write {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.writes)
}

// Mismatches returns the requests so far that the recording has no answer for.
func (s *Server) Mismatches() []Mismatch {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.mismatches)
}

// Done tells whether every recorded write was made, and every recorded
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
