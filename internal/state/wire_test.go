package state_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/engine"
	"azbackupflow/internal/operation"
)

// wire is a transport between client and service. A test can fail each request
// or answer.
type wire struct {
	mu       sync.Mutex
	requests []string
	// before may fail a request, after may drop or change its answer.
	before func(kind string) error
	after  func(kind string, answer *http.Response) error
}

var errWire = errors.New("connection reset by test")

func (w *wire) options(o *aztables.ClientOptions) { o.Transport = w }

// Do implements policy.Transporter.
func (w *wire) Do(r *http.Request) (*http.Response, error) {
	kind, err := kindOf(r)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	w.requests = append(w.requests, kind)
	before, after := w.before, w.after
	w.mu.Unlock()
	if before != nil {
		if err := before(kind); err != nil {
			return nil, err
		}
	}
	answer, err := send(r)
	if err == nil && after != nil {
		if err := after(kind, answer); err != nil {
			_ = answer.Body.Close()
			return nil, err
		}
	}
	return answer, err
}

// send sends a copy of the request. If a test drops the answer, the client
// rewinds the body while the connection may still read it.
func send(r *http.Request) (*http.Response, error) {
	sent := r.Clone(r.Context())
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		sent.Body = io.NopCloser(bytes.NewReader(body))
	}
	return http.DefaultClient.Do(sent)
}

// kindOf returns the method and the table without its prefix, or BATCH and the
// table for a transaction.
func kindOf(r *http.Request) (string, error) {
	tables := regexp.MustCompile(`(operationlive|operationindex|operations|itemlocks|rejected|Tables)\b`)
	if !strings.HasSuffix(r.URL.Path, "$batch") {
		return r.Method + " " + tables.FindString(r.URL.Path), nil
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return "", err
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return "BATCH " + tables.FindString(string(body)), nil
}

func (w *wire) disturb(before func(kind string) error, after func(kind string, answer *http.Response) error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.before, w.after, w.requests = before, after, nil
}

func (w *wire) restore() { w.disturb(nil, nil) }

func (w *wire) seen() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.requests...)
}

// refuse returns a function that fails all requests of a kind.
func refuse(refused string) func(string) error {
	return func(kind string) error {
		if strings.HasPrefix(kind, refused) {
			return errWire
		}
		return nil
	}
}

// lose drops the answer to the first request of a kind.
func (w *wire) lose(lost string) {
	var once sync.Once
	w.disturb(nil, func(kind string, _ *http.Response) (err error) {
		if kind == lost {
			once.Do(func() { err = errWire })
		}
		return err
	})
}

// withoutETags removes the ETags from answers to transactions.
func withoutETags(kind string, answer *http.Response) error {
	if kind != "BATCH operations" {
		return nil
	}
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		return err
	}
	_ = answer.Body.Close()
	body = regexp.MustCompile(`(?im)^etag: .*\r\n`).ReplaceAll(body, nil)
	answer.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

func newOperation(id string) operation.Operation {
	at := time.Date(2025, 3, 1, 8, 0, 0, 0, time.UTC)
	return operation.Operation{
		Identity: operation.Identity{
			ID: id, Key: "key", Flow: "backup-now", Version: 1,
			Parameters: []byte(`{}`), CreatedAt: at,
		},
		Progress: operation.Progress{
			Status: operation.Pending, Step: "read item",
			WriteID: "w0", UpdatedAt: at, DueAt: at, Deadline: at.Add(time.Hour),
		},
	}
}

func eventOf(op operation.Operation) operation.Event {
	return operation.Event{Seq: op.Seq, At: op.UpdatedAt, Step: op.Step, Status: op.Status, What: "saved", WriteID: op.WriteID}
}

func create(t *testing.T, s engine.Store, op operation.Operation) engine.Row {
	t.Helper()
	row, created, err := s.Create(t.Context(), op, eventOf(op))
	require.NoError(t, err)
	require.True(t, created)
	return row
}

func next(row engine.Row, status operation.Status) engine.Row {
	row.Operation.Seq++
	row.Operation.WriteID = "by test"
	row.Operation.Status = status
	return row
}

func save(t *testing.T, s engine.Store, row engine.Row, status operation.Status) engine.Row {
	t.Helper()
	row = next(row, status)
	etag, err := s.Save(t.Context(), row, eventOf(row.Operation))
	require.NoError(t, err)
	row.ETag = etag
	return row
}

func live(t *testing.T, s engine.Store) []string {
	t.Helper()
	var ids []string
	for l, err := range s.ListLive(t.Context()) {
		require.NoError(t, err)
		ids = append(ids, l.ID)
	}
	return ids
}
