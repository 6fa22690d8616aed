package archive_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/drill/archive"
	"azbackupflow/internal/drill/archive/memory"
	"azbackupflow/internal/drill/evidence"
	"azbackupflow/internal/operation"
)

const vaultID = "/subscriptions/s/resourceGroups/azurefiles/providers/Microsoft.RecoveryServices/vaults/AzureFilesVault"

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

func newKey(t testing.TB) evidence.PrivateKey {
	t.Helper()
	generated, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(generated)
	require.NoError(t, err)
	key, err := evidence.ParsePrivateKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	require.NoError(t, err)
	return key
}

// drilled returns the evidence of a drill that started at a time.
func drilled(t testing.TB, id string, at time.Time, change func(*evidence.Evidence)) evidence.Evidence {
	t.Helper()
	e := evidence.Evidence{
		Version: evidence.Version, ID: id,
		Drill:   evidence.Drill{Name: "monthly-files", Run: "2026-11-01T04:00", ConfigurationDigest: "sha256:" + strings.Repeat("0a", 32)},
		Item:    evidence.Item{ID: vaultID + "/items/" + id, VaultID: vaultID, Type: "AzureFileShare", Name: "Aufträge " + id},
		Point:   &evidence.Point{ID: "1", Time: at.Add(-time.Hour), Rule: "latest"},
		Target:  &evidence.Target{ID: "/share"},
		Started: at, Ended: at.Add(time.Minute),
		Phases: []evidence.Phase{
			{Name: evidence.Restore, Result: evidence.PhaseSucceeded, Started: at, Ended: at.Add(time.Second)},
			{Name: evidence.CleanUp, Result: evidence.PhaseFailed, Started: at.Add(time.Second), Ended: at.Add(time.Minute), Error: "locked"},
		},
		Checks:       []evidence.Check{{Name: "files", Result: evidence.CheckPassed, Found: "3 files", NotChecked: "their content"}},
		Validation:   evidence.Validation{Result: evidence.NotRequested},
		NotValidated: []string{},
	}
	if change != nil {
		change(&e)
	}
	e, err := evidence.Assess(e)
	require.NoError(t, err)
	return e
}

func newArchive(t testing.TB, store archive.Store, by evidence.Signer) *archive.Archive {
	t.Helper()
	a, err := archive.New(archive.Config{Store: store, Signer: by, Now: func() time.Time { return noon }})
	require.NoError(t, err)
	return a
}

const keep = 400 * 24 * time.Hour

func TestWrite_StoresADocumentThatVerifies(t *testing.T) {
	t.Parallel()
	key, store := newKey(t), memory.New()
	a := newArchive(t, store, key)
	e := drilled(t, "5f2b7c", noon, nil)
	doc, created, err := a.Write(t.Context(), e, keep)
	require.NoError(t, err)
	require.True(t, created)
	require.True(t, doc.Verified)
	want := archive.Entry{
		ID: "5f2b7c", Name: "2026/11/azurefilesvault/5f2b7c.json", Location: "memory:2026/11/azurefilesvault/5f2b7c.json",
		Drill: "monthly-files", Run: "2026-11-01T04:00", VaultID: vaultID, ItemID: e.Item.ID, ItemType: "AzureFileShare", ItemName: "Aufträge 5f2b7c",
		Started: noon, Ended: noon.Add(time.Minute), Result: evidence.Proven, RestoreTime: "PT0H0M1S", PointAge: "PT1H0M0S", CleanUpFailed: true, KeepUntil: noon.Add(keep),
	}
	require.Equal(t, want, doc.Entry)
	got, err := evidence.Verify("x", doc.File, []evidence.PublicKey{key.Public})
	require.NoError(t, err)
	require.Equal(t, e, got.Evidence)
	read, err := a.Read(t.Context(), "5f2b7c")
	require.NoError(t, err)
	require.Equal(t, doc, read)
	page, err := a.List(t.Context(), archive.Query{})
	require.NoError(t, err)
	require.Equal(t, archive.Page{Entries: []archive.Entry{want}}, page)
}

// The first document of a drill is the only one, whatever later calls say.
func TestWrite_KeepsTheFirstDocumentOfADrill(t *testing.T) {
	t.Parallel()
	store := memory.New()
	a := newArchive(t, store, newKey(t))
	first, _, err := a.Write(t.Context(), drilled(t, "a", noon, nil), keep)
	require.NoError(t, err)
	later := drilled(t, "a", noon, func(e *evidence.Evidence) { e.Checks[0].Result = evidence.CheckFailed })
	got, created, err := a.Write(t.Context(), later, keep)
	require.NoError(t, err)
	require.False(t, created)
	require.Equal(t, first, got)

	// A new key does not replace it either. Only the earlier key verifies it.
	got, created, err = newArchive(t, store, newKey(t)).Write(t.Context(), later, keep)
	require.NoError(t, err)
	require.False(t, created)
	require.False(t, got.Verified)
	require.Equal(t, first.File, got.File)
}

func TestWrite_CreatesOneDocumentOfConcurrentCalls(t *testing.T) {
	t.Parallel()
	a := newArchive(t, memory.New(), newKey(t))
	var group sync.WaitGroup
	var created atomic.Int64
	files := make([]string, 8)
	for i := range files {
		e := drilled(t, "a", noon, func(e *evidence.Evidence) { e.Checks[0].Found = fmt.Sprint(i) })
		group.Go(func() {
			doc, isNew, err := a.Write(t.Context(), e, keep)
			if err == nil {
				files[i] = string(doc.File)
			}
			if isNew {
				created.Add(1)
			}
		})
	}
	group.Wait()
	require.EqualValues(t, 1, created.Load())
	for _, file := range files {
		require.NotEmpty(t, file)
		require.Equal(t, files[0], file)
	}
}

// faults is a store whose calls fail.
type faults struct {
	*memory.Store
	// before and after fail a create before, or after it has taken effect.
	before, after int
}

var errReset = errors.New("connection reset")

func (f *faults) Create(ctx context.Context, o archive.Object) error {
	if f.before > 0 {
		f.before--
		return errReset
	}
	err := f.Store.Create(ctx, o)
	if f.after > 0 {
		f.after--
		return errReset
	}
	return err
}

func TestWrite_CanBeRepeatedAfterAnInterruption(t *testing.T) {
	t.Parallel()
	for name, f := range map[string]*faults{"request lost": {before: 2}, "answer lost": {after: 1}} {
		f.Store = memory.New()
		a := newArchive(t, f, newKey(t))
		e := drilled(t, "a", noon, nil)
		_, _, err := a.Write(t.Context(), e, keep)
		for err != nil {
			require.ErrorIs(t, err, errReset, name)
			_, _, err = a.Write(t.Context(), e, keep)
		}
		page, err := a.List(t.Context(), archive.Query{})
		require.NoError(t, err)
		require.Len(t, page.Entries, 1, name)
	}
}

// brokenKey cannot be used.
type brokenKey struct{ evidence.Signer }

var errVault = errors.New("vault unreachable")

func (brokenKey) PublicKey(context.Context) (evidence.PublicKey, error) {
	return evidence.PublicKey{}, errVault
}

func TestWrite_StoresNothingWithoutASignature(t *testing.T) {
	t.Parallel()
	store := memory.New()
	_, _, err := newArchive(t, store, brokenKey{}).Write(t.Context(), drilled(t, "a", noon, nil), keep)
	require.ErrorIs(t, err, errVault)
	_, err = newArchive(t, store, newKey(t)).Read(t.Context(), "a")
	require.ErrorIs(t, err, archive.ErrNotFound)
}

func TestWrite_RejectsInvalidEvidence(t *testing.T) {
	t.Parallel()
	a := newArchive(t, memory.New(), newKey(t))
	contradiction := drilled(t, "a", noon, nil)
	contradiction.Result = evidence.Failed
	for name, e := range map[string]evidence.Evidence{
		"contradiction": contradiction,
		"slash in ID":   drilled(t, "a/b", noon, nil),
		"parent folder": drilled(t, "..", noon, nil),
		"no ID":         drilled(t, "", noon, nil),
	} {
		_, _, err := a.Write(t.Context(), e, keep)
		var got *operation.Error
		require.ErrorAs(t, err, &got, name)
		require.Equal(t, operation.Fatal, got.Class)
		require.Equal(t, "EvidenceInvalid", got.Code)
	}
}

// Somebody with access to the storage account changes a document, or writes one in
// advance.
func TestArchive_FindsAChangedDocument(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	const name = "2026/11/azurefilesvault/a.json"
	genuine, err := evidence.Sign(t.Context(), drilled(t, "a", noon, nil), key)
	require.NoError(t, err)
	another, err := evidence.Sign(t.Context(), drilled(t, "b", noon, nil), key)
	require.NoError(t, err)
	for what, content := range map[string]string{
		"another number of files": strings.Replace(string(genuine), "3 files", "4 files", 1),
		"a space":                 string(genuine) + " ",
		"the file of another":     string(another),
		"no JSON":                 "evidence",
		"nothing":                 "",
	} {
		store := memory.New()
		store.Replace(archive.Object{Name: name, Content: []byte(content)})
		a := newArchive(t, store, key)
		_, created, err := a.Write(t.Context(), drilled(t, "a", noon, nil), keep)
		require.False(t, created)
		var got *operation.Error
		require.ErrorAs(t, err, &got, what)
		require.Equal(t, "EvidenceChanged", got.Code)
		require.Equal(t, operation.UserAction, got.Class)
		require.NotEmpty(t, got.RecommendedAction)

		doc, err := a.Read(t.Context(), "a")
		require.ErrorAs(t, err, &got, what)
		require.Equal(t, "EvidenceChanged", got.Code)
		require.Equal(t, content, string(doc.File), "the file can still be looked at")
	}
}

func TestRead_NeedsNoSigningKey(t *testing.T) {
	t.Parallel()
	store := memory.New()
	_, _, err := newArchive(t, store, newKey(t)).Write(t.Context(), drilled(t, "a", noon, nil), keep)
	require.NoError(t, err)
	doc, err := newArchive(t, store, brokenKey{}).Read(t.Context(), "a")
	require.NoError(t, err)
	require.False(t, doc.Verified)
	require.NotEmpty(t, doc.File)
	_, err = newArchive(t, store, brokenKey{}).Read(t.Context(), "../a")
	require.ErrorIs(t, err, archive.ErrNotFound)
}

// ids returns the IDs of entries.
func ids(entries []archive.Entry) (all []string) {
	for _, e := range entries {
		all = append(all, e.ID)
	}
	return all
}

func TestList_PagesNewestFirst(t *testing.T) {
	t.Parallel()
	a := newArchive(t, memory.New(), newKey(t))
	// Two drills start at the same time; the months are not full.
	for id, at := range map[string]time.Time{
		"d1": noon, "d2": noon, "d3": noon.Add(-time.Hour), "d4": noon.Add(-24 * time.Hour), "d5": noon.AddDate(0, -5, 0), "d6": noon.AddDate(-1, 0, 0),
	} {
		_, _, err := a.Write(t.Context(), drilled(t, id, at, nil), keep)
		require.NoError(t, err)
	}
	for _, limit := range []int{1, 2, 4, 6, 7, 0} {
		q := archive.Query{Limit: limit}
		var all []string
		for {
			page, err := a.List(t.Context(), q)
			require.NoError(t, err)
			all = append(all, ids(page.Entries)...)
			if q.After = page.Next; q.After == "" {
				break
			}
			require.Len(t, page.Entries, limit)
		}
		require.Equal(t, []string{"d1", "d2", "d3", "d4", "d5", "d6"}, all, limit)
	}
	for _, after := range []string{"x", "2026-11-01T12:00:00Z", "~d1", "2026-11-01T12:00:00Z~../x"} {
		_, err := a.List(t.Context(), archive.Query{After: after})
		require.ErrorIs(t, err, archive.ErrPosition, after)
	}
}

func TestList_FiltersEntries(t *testing.T) {
	t.Parallel()
	a := newArchive(t, memory.New(), newKey(t))
	other := strings.Replace(vaultID, "azurefiles/", "other/", 1) // the same name in another group
	for id, change := range map[string]func(*evidence.Evidence){
		"d1": nil,
		"d2": func(e *evidence.Evidence) { e.Item.VaultID = other },
		"d3": func(e *evidence.Evidence) { e.Checks[0].Result = evidence.CheckFailed },
		"d4": func(e *evidence.Evidence) { e.Drill.Name = "weekly" },
	} {
		_, _, err := a.Write(t.Context(), drilled(t, id, noon, change), keep)
		require.NoError(t, err)
	}
	_, _, err := a.Write(t.Context(), drilled(t, "d5", noon.AddDate(0, -2, 0), nil), keep)
	require.NoError(t, err)
	for name, c := range map[string]struct {
		q    archive.Query
		want []string
	}{
		"vault":        {archive.Query{VaultID: strings.ToLower(vaultID) + "/"}, []string{"d1", "d3", "d4", "d5"}},
		"other vault":  {archive.Query{VaultID: other}, []string{"d2"}},
		"no such":      {archive.Query{VaultID: "/x/y"}, nil},
		"item":         {archive.Query{ItemID: strings.ToUpper(vaultID) + "/items/d3"}, []string{"d3"}},
		"drill":        {archive.Query{Drill: "weekly"}, []string{"d4"}},
		"result":       {archive.Query{Result: evidence.Failed}, []string{"d3"}},
		"since":        {archive.Query{Since: noon}, []string{"d1", "d2", "d3", "d4"}},
		"before":       {archive.Query{Before: noon}, []string{"d5"}},
		"within":       {archive.Query{Since: noon.AddDate(0, -2, 0), Before: noon.Add(time.Second), Drill: "monthly-files", Limit: 9}, []string{"d1", "d2", "d3", "d5"}},
		"between both": {archive.Query{Since: noon.Add(-time.Hour), Before: noon}, nil},
	} {
		page, err := a.List(t.Context(), c.q)
		require.NoError(t, err)
		require.Equal(t, c.want, ids(page.Entries), name)
	}
}

// Other objects in the container do not break the list, and a document whose metadata
// is lost is still listed.
func TestList_SurvivesWhatOthersStore(t *testing.T) {
	t.Parallel()
	store := memory.New()
	a := newArchive(t, store, newKey(t))
	doc, _, err := a.Write(t.Context(), drilled(t, "a", noon, nil), keep)
	require.NoError(t, err)
	store.Replace(archive.Object{Name: doc.Name, Content: doc.File})
	store.Replace(archive.Object{Name: "2026/11/azurefilesvault/b.json", Content: []byte("?"), Metadata: map[string]string{"id": "a"}})
	for _, name := range []string{"readme.txt", "2026/readme.txt", "2026/13/x/y.json", "old/11/x/y.json"} {
		store.Replace(archive.Object{Name: name})
	}
	page, err := a.List(t.Context(), archive.Query{})
	require.NoError(t, err)
	require.Equal(t, []string{"a"}, ids(page.Entries))
	require.Equal(t, "Aufträge a", page.Entries[0].ItemName)
}

func TestExpire_DeletesWhatNoRetentionKeeps(t *testing.T) {
	t.Parallel()
	store := memory.New()
	a := newArchive(t, store, newKey(t))
	write := func(id string, keep time.Duration) archive.Document {
		doc, _, err := a.Write(t.Context(), drilled(t, id, noon, nil), keep)
		require.NoError(t, err)
		return doc
	}
	kept, held, unknown := write("kept", time.Second), write("held", 0), write("unknown", 0)
	write("gone1", 0)
	write("gone2", -time.Hour)
	store.Hold(held.Name)
	store.Replace(archive.Object{Name: unknown.Name, Content: unknown.File})

	deleted, more, err := a.Expire(t.Context(), 1)
	require.NoError(t, err)
	require.Equal(t, 1, deleted)
	require.True(t, more)
	deleted, more, err = a.Expire(t.Context(), 9)
	require.NoError(t, err)
	require.Equal(t, 1, deleted)
	require.False(t, more)
	page, err := a.List(t.Context(), archive.Query{})
	require.NoError(t, err)
	require.ElementsMatch(t, []string{kept.ID, held.ID, unknown.ID}, ids(page.Entries))
}
