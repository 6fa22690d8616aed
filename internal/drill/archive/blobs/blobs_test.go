package blobs_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/drill/archive"
	"azbackupflow/internal/drill/archive/archivetest"
	"azbackupflow/internal/drill/archive/blobs"
	"azbackupflow/internal/local/azurite"
	"azbackupflow/internal/operation"
)

// account is a storage account. Each test uses its own container.
type account struct {
	connection string
	containers atomic.Int64
}

// smallPages asks for pages of ten blobs. It runs before the request is signed.
type smallPages struct{}

func (smallPages) Do(r *policy.Request) (*http.Response, error) {
	if query := r.Raw().URL.Query(); query.Get("comp") == "list" {
		query.Set("maxresults", "10")
		r.Raw().URL.RawQuery = query.Encode()
	}
	return r.Next()
}

// transport sends requests unless before or after returns an error.
type transport struct {
	before, after func(*http.Request) error
}

func (tr transport) Do(r *http.Request) (*http.Response, error) {
	if tr.before != nil {
		if err := tr.before(r); err != nil {
			return nil, err
		}
	}
	res, err := http.DefaultClient.Do(r)
	if err == nil && tr.after != nil {
		if err := tr.after(r); err != nil {
			return nil, errors.Join(err, res.Body.Close())
		}
	}
	return res, err
}

func (a *account) store(t *testing.T, tr transport) *blobs.Store {
	t.Helper()
	return a.named(t, "drills"+strconv.FormatInt(a.containers.Add(1), 10), tr)
}

func (a *account) named(t *testing.T, name string, tr transport) *blobs.Store {
	t.Helper()
	s, err := blobs.New(blobs.Config{Container: name, Service: func() (*service.Client, error) {
		options := blobs.ClientOptions()
		options.PerCallPolicies = append(options.PerCallPolicies, smallPages{})
		options.Transport, options.Retry.MaxRetries = tr, -1
		return service.NewClientFromConnectionString(a.connection, options)
	}})
	require.NoError(t, err)
	return s
}

func TestStore_BlobStorage(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs Azurite")
	}
	server, err := azurite.New(t.Context(), azurite.Config{Blobs: true})
	if errors.Is(err, azurite.ErrNotInstalled) {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	a := &account{connection: server.ConnectionString()}
	t.Run("keeps the contract", func(t *testing.T) {
		t.Parallel()
		archivetest.Run(t, func(t *testing.T) archive.Store { return a.store(t, transport{}) })
	})
	for name, test := range map[string]func(*testing.T, *account){
		"a request that is lost stores nothing":         lostRequest,
		"an answer that is lost is found by the repeat": lostAnswer,
		"an upload that is cut off stores nothing":      cutOff,
		"a missing permission names the role":           forbidden,
		"a location has no signature":                   location,
		"the container exists after the first document": exists,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, a)
		})
	}
}

var object = archive.Object{Name: "2026/11/vault/a.json", Content: []byte(strings.Repeat("evidence ", 10000)), Metadata: map[string]string{"id": "a"}}

func exists(t *testing.T, a *account) {
	s := a.store(t, transport{})
	found, err := s.Exists(t.Context())
	require.NoError(t, err)
	require.False(t, found)
	require.NoError(t, s.Create(t.Context(), object))
	found, err = s.Exists(t.Context())
	require.NoError(t, err)
	require.True(t, found)
	lost := a.store(t, transport{before: func(*http.Request) error { return errors.New("no route") }})
	_, err = lost.Exists(t.Context())
	require.ErrorContains(t, err, "read container: EvidenceStoreUnavailable")
}

// failOnce fails the first upload.
func failOnce() func(*http.Request) error {
	var failed atomic.Bool
	return func(r *http.Request) error {
		if r.Method == http.MethodPut && !r.URL.Query().Has("restype") && failed.CompareAndSwap(false, true) {
			return errors.New("connection reset")
		}
		return nil
	}
}

func lostRequest(t *testing.T, a *account) {
	s := a.store(t, transport{before: failOnce()})
	var got *operation.Error
	require.ErrorAs(t, s.Create(t.Context(), object), &got)
	require.Equal(t, operation.Transient, got.Class)
	_, err := s.Read(t.Context(), object.Name)
	require.ErrorIs(t, err, archive.ErrNotFound)
	require.NoError(t, s.Create(t.Context(), object))
}

func lostAnswer(t *testing.T, a *account) {
	s := a.store(t, transport{})
	require.NoError(t, s.Create(t.Context(), archive.Object{Name: "first"}))
	fail := failOnce()
	s = a.named(t, nameOf(s), transport{after: fail})
	require.Error(t, s.Create(t.Context(), object))
	require.ErrorIs(t, s.Create(t.Context(), object), archive.ErrExists)
	got, err := s.Read(t.Context(), object.Name)
	require.NoError(t, err)
	require.Equal(t, object, got)
}

// nameOf returns the container of a store.
func nameOf(s *blobs.Store) string {
	at := strings.TrimSuffix(s.Location("x"), "/x")
	return at[strings.LastIndexByte(at, '/')+1:]
}

// cutOff ends the connection within the content.
func cutOff(t *testing.T, a *account) {
	s := a.store(t, transport{})
	require.NoError(t, s.Create(t.Context(), archive.Object{Name: "first"}))
	name := nameOf(s)
	cut := a.named(t, name, transport{before: func(r *http.Request) error {
		if r.Method == http.MethodPut {
			ctx, cancel := context.WithCancel(r.Context())
			r.Body = &cutBody{limit: len(object.Content) / 2, cancel: cancel}
			*r = *r.WithContext(ctx)
		}
		return nil
	}})
	require.Error(t, cut.Create(t.Context(), object))
	_, err := s.Read(t.Context(), object.Name)
	require.ErrorIs(t, err, archive.ErrNotFound)
	require.NoError(t, s.Create(t.Context(), object))
}

// cutBody ends in the middle.
type cutBody struct {
	limit  int
	cancel context.CancelFunc
}

func (b *cutBody) Read(p []byte) (int, error) {
	if b.limit <= 0 {
		b.cancel()
		return 0, fmt.Errorf("connection reset after a part")
	}
	n := min(len(p), b.limit)
	for i := range n {
		p[i] = 'x'
	}
	b.limit -= n
	return n, nil
}

func (b *cutBody) Close() error { return nil }

func location(t *testing.T, a *account) {
	s := a.store(t, transport{})
	require.Regexp(t, `^http://127\.0\.0\.1:\d+/local[0-9a-f]+/drills\d+/2026/11/vault/a\.json$`, s.Location(object.Name))
}

func forbidden(t *testing.T, a *account) {
	i := strings.Index(a.connection, "AccountKey=")
	end := strings.IndexByte(a.connection[i:], ';')
	other := &account{connection: a.connection[:i] + "AccountKey=c2VjcmV0" + a.connection[i+end:]}
	s := other.store(t, transport{})
	var got *operation.Error
	require.ErrorAs(t, s.Create(t.Context(), object), &got)
	require.Equal(t, operation.UserAction, got.Class)
	require.Contains(t, got.RecommendedAction[0], "Storage Blob Data Contributor")
	require.NotContains(t, got.Error(), "\n")
}

func TestStore_ReportsAnUnreachableService(t *testing.T) {
	t.Parallel()
	a := &account{connection: "DefaultEndpointsProtocol=http;AccountName=local;AccountKey=c2VjcmV0;BlobEndpoint=http://127.0.0.1:1/local;"}
	s := a.store(t, transport{})
	_, readErr := s.Read(t.Context(), "a")
	_, foldersErr := s.Folders(t.Context(), "")
	var listErr error
	for _, err := range s.List(t.Context(), "") {
		listErr = err
	}
	for _, err := range []error{s.Create(t.Context(), object), s.Delete(t.Context(), "a"), readErr, foldersErr, listErr} {
		var got *operation.Error
		require.ErrorAs(t, err, &got)
		require.Equal(t, operation.Transient, got.Class)
		require.Equal(t, "EvidenceStoreUnavailable", got.Code)
	}
}

func TestNew_ReportsMissingSettingsAtTheFirstUse(t *testing.T) {
	t.Parallel()
	wrong := errors.New("no connection")
	s, err := blobs.New(blobs.Config{Container: "c", Service: func() (*service.Client, error) { return nil, wrong }})
	require.NoError(t, err)
	require.ErrorIs(t, s.Create(t.Context(), object), wrong)
	require.Equal(t, "a", s.Location("a"))
	_, err = blobs.New(blobs.Config{})
	require.Error(t, err)
}
