// Package archivetest tests the contract of an archive's store. Each store runs it.
package archivetest

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/drill/archive"
)

// Run runs the suite. open returns a new empty store for each test.
func Run(t *testing.T, open func(t *testing.T) archive.Store) {
	t.Helper()
	for name, test := range map[string]func(*testing.T, archive.Store){
		"an object is read as it was created":          objectIsRead,
		"metadata holds any text":                      anyMetadata,
		"a name is created once":                       createdOnce,
		"of concurrent creates one succeeds":           oneOfMany,
		"a missing object is not found":                missing,
		"a deleted object is gone":                     deleted,
		"a list has the objects of a prefix, by name":  listed,
		"a list has all pages":                         manyPages,
		"folders are the next parts of names":          folders,
		"an empty store has no objects and no folders": empty,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func object(name string) archive.Object {
	return archive.Object{Name: name, Content: []byte("content of " + name), Metadata: map[string]string{"id": name}}
}

func create(t *testing.T, s archive.Store, names ...string) {
	t.Helper()
	for _, name := range names {
		require.NoError(t, s.Create(t.Context(), object(name)))
	}
}

func list(t *testing.T, s archive.Store, prefix string) []archive.Object {
	t.Helper()
	var all []archive.Object
	for o, err := range s.List(t.Context(), prefix) {
		require.NoError(t, err)
		all = append(all, o)
	}
	return all
}

func objectIsRead(t *testing.T, s archive.Store) {
	create(t, s, "2026/11/vault/a.json")
	got, err := s.Read(t.Context(), "2026/11/vault/a.json")
	require.NoError(t, err)
	require.Equal(t, object("2026/11/vault/a.json"), got)
	require.Contains(t, s.Location("2026/11/vault/a.json"), "2026/11/vault/a.json")
}

func anyMetadata(t *testing.T, s archive.Store) {
	o := object("2026/11/vault/a.json")
	o.Metadata = map[string]string{"itemname": "Bücher 100% \"日本\"\r\nX-Injected: yes", "itemid": "/a;b/c d", "empty": "", "plus": "a+b", "percent": "%2F"}
	require.NoError(t, s.Create(t.Context(), o))
	got, err := s.Read(t.Context(), o.Name)
	require.NoError(t, err)
	require.Equal(t, o, got)
	o.Content = nil
	require.Equal(t, []archive.Object{o}, list(t, s, ""))
}

func createdOnce(t *testing.T, s archive.Store) {
	create(t, s, "a.json")
	other := object("a.json")
	other.Content = []byte("other")
	require.ErrorIs(t, s.Create(t.Context(), other), archive.ErrExists)
	got, err := s.Read(t.Context(), "a.json")
	require.NoError(t, err)
	require.Equal(t, object("a.json"), got)
}

func oneOfMany(t *testing.T, s archive.Store) {
	create(t, s, "first.json") // the container exists
	var group sync.WaitGroup
	var created, exists atomic.Int64
	for i := range 8 {
		group.Go(func() {
			o := object("a.json")
			o.Content = fmt.Appendf(nil, "content %d", i)
			switch err := s.Create(t.Context(), o); {
			case err == nil:
				created.Add(1)
			default:
				exists.Add(1)
				require.ErrorIs(t, err, archive.ErrExists)
			}
		})
	}
	group.Wait()
	require.EqualValues(t, 1, created.Load())
	require.EqualValues(t, 7, exists.Load())
}

func missing(t *testing.T, s archive.Store) {
	for range 2 {
		_, err := s.Read(t.Context(), "a.json")
		require.ErrorIs(t, err, archive.ErrNotFound)
		require.ErrorIs(t, s.Delete(t.Context(), "a.json"), archive.ErrNotFound)
		if list(t, s, "") == nil {
			create(t, s, "other.json")
		}
	}
}

func deleted(t *testing.T, s archive.Store) {
	create(t, s, "a.json", "b.json")
	require.NoError(t, s.Delete(t.Context(), "a.json"))
	_, err := s.Read(t.Context(), "a.json")
	require.ErrorIs(t, err, archive.ErrNotFound)
	require.Len(t, list(t, s, ""), 1)
}

func listed(t *testing.T, s archive.Store) {
	create(t, s, "2026/11/b/2.json", "2026/11/a/3.json", "2026/11/b/1.json", "2026/10/a/4.json", "2025/11/a/5.json")
	for prefix, want := range map[string][]string{
		"2026/11/":   {"2026/11/a/3.json", "2026/11/b/1.json", "2026/11/b/2.json"},
		"2026/11/b/": {"2026/11/b/1.json", "2026/11/b/2.json"},
		"2027":       nil,
		"":           {"2025/11/a/5.json", "2026/10/a/4.json", "2026/11/a/3.json", "2026/11/b/1.json", "2026/11/b/2.json"},
	} {
		var names []string
		for _, o := range list(t, s, prefix) {
			require.Empty(t, o.Content)
			require.Equal(t, object(o.Name).Metadata, o.Metadata)
			names = append(names, o.Name)
		}
		require.Equal(t, want, names, prefix)
	}
	for _, err := range s.List(t.Context(), "") {
		require.NoError(t, err)
		break // a list can be left
	}
}

func manyPages(t *testing.T, s archive.Store) {
	const n = 25
	for i := range n {
		create(t, s, fmt.Sprintf("2026/11/vault/%02d.json", i))
	}
	all := list(t, s, "2026/")
	require.Len(t, all, n)
	require.Equal(t, "2026/11/vault/24.json", all[n-1].Name)
}

func folders(t *testing.T, s archive.Store) {
	create(t, s, "2026/11/b/2.json", "2026/11/a/3.json", "2026/10/a/4.json", "2025/11/a/5.json", "note.json")
	for prefix, want := range map[string][]string{"": {"2025", "2026"}, "2026/": {"10", "11"}, "2026/11/": {"a", "b"}, "2026/11/a/": nil, "2027/": nil} {
		got, err := s.Folders(t.Context(), prefix)
		require.NoError(t, err)
		require.Equal(t, want, got, prefix)
	}
}

func empty(t *testing.T, s archive.Store) {
	require.Empty(t, list(t, s, ""))
	got, err := s.Folders(t.Context(), "")
	require.NoError(t, err)
	require.Empty(t, got)
}
