package archive

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/drill/evidence"
	"azbackupflow/internal/operation"
)

// Query selects entries. The zero value selects all.
type Query struct {
	VaultID, ItemID, Drill string
	Result                 evidence.Result
	// Since and Before bound the start of the drill: from Since, and before Before.
	Since, Before time.Time
	// Limit is the maximum number of entries; 0 means no limit.
	Limit int
	// After is Page.Next of the page before; empty for the first one.
	After string
}

// Page is a part of a list, newest drill first.
type Page struct {
	Entries []Entry
	// Next continues the list; empty at its end.
	Next string
}

// ErrPosition is the error of a Query.After that no page has returned.
var ErrPosition = errors.New("after is not a position in the list; use next of the page before")

// List returns the entries of a query, newest drill first. It reads the months of the
// query one after the other, each completely.
func (a *Archive) List(ctx context.Context, q Query) (Page, error) {
	var after Entry
	if q.After != "" {
		started, id, found := strings.Cut(q.After, "~")
		at, err := time.Parse(time.RFC3339Nano, started)
		if !found || err != nil || CheckID(id) != nil {
			return Page{}, ErrPosition
		}
		after = Entry{ID: id, Started: at}
	}
	months, err := a.months(ctx)
	if err != nil {
		return Page{}, err
	}
	var page Page
	for _, month := range months {
		if !after.Started.IsZero() && month > after.Started.UTC().Format(monthLayout) || !q.includes(month) {
			continue
		}
		entries, err := a.month(ctx, month, q)
		if err != nil {
			return Page{}, err
		}
		for _, e := range entries {
			if q.After != "" && newestFirst(e, after) <= 0 {
				continue
			}
			if q.Limit > 0 && len(page.Entries) == q.Limit {
				last := page.Entries[q.Limit-1]
				page.Next = last.Started.Format(time.RFC3339Nano) + "~" + last.ID
				return page, nil
			}
			page.Entries = append(page.Entries, e)
		}
	}
	return page, nil
}

// includes reports whether a drill of the query may have started in a month.
func (q Query) includes(month string) bool {
	if !q.Since.IsZero() && month < q.Since.UTC().Format(monthLayout) {
		return false
	}
	return q.Before.IsZero() || month <= q.Before.UTC().Format(monthLayout)
}

func (q Query) matches(e Entry) bool {
	same := func(want, got string) bool {
		return want == "" || strings.EqualFold(strings.TrimRight(want, "/"), strings.TrimRight(got, "/"))
	}
	return same(q.VaultID, e.VaultID) && same(q.ItemID, e.ItemID) && (q.Drill == "" || q.Drill == e.Drill) && (q.Result == "" || q.Result == e.Result) &&
		(q.Since.IsZero() || !e.Started.Before(q.Since)) && (q.Before.IsZero() || e.Started.Before(q.Before))
}

func newestFirst(a, b Entry) int {
	return cmp.Or(b.Started.Compare(a.Started), strings.Compare(a.ID, b.ID))
}

// month returns the entries of a month that match the query, newest first.
func (a *Archive) month(ctx context.Context, month string, q Query) ([]Entry, error) {
	prefix := month + "/"
	if q.VaultID != "" {
		prefix += folderOf(q.VaultID) + "/"
	}
	var entries []Entry
	for o, err := range a.c.Store.List(ctx, prefix) {
		if err != nil {
			return nil, fmt.Errorf("list the evidence of %s: %w", month, err)
		}
		e, found, err := a.listed(ctx, o)
		if err != nil {
			return nil, err
		}
		if found && q.matches(e) {
			entries = append(entries, e)
		}
	}
	slices.SortFunc(entries, newestFirst)
	return entries, nil
}

// listed returns the entry of an object in a list. It reads an object whose metadata
// is not the app's. found is false for an object that is not evidence, or that was
// deleted.
func (a *Archive) listed(ctx context.Context, o Object) (e Entry, found bool, err error) {
	e, ok := parseMetadata(o.Metadata)
	if ok && strings.HasSuffix(o.Name, "/"+e.ID+suffix) {
		e.Name, e.Location = o.Name, a.c.Store.Location(o.Name)
		return e, true, nil
	}
	doc, err := a.load(ctx, o.Name)
	var changed *operation.Error
	switch {
	case errors.Is(err, ErrNotFound), errors.As(err, &changed) && changed.Code == CodeChanged && doc.ID == "":
		return Entry{}, false, nil
	case errors.As(err, &changed) && changed.Code == CodeChanged:
		return doc.Entry, true, nil
	}
	return doc.Entry, err == nil, err
}

// months returns the months that have evidence, newest first.
func (a *Archive) months(ctx context.Context) ([]string, error) {
	years, err := a.c.Store.Folders(ctx, "")
	if err != nil {
		return nil, fmt.Errorf("list the years of the evidence: %w", err)
	}
	var months []string
	for _, year := range years {
		of, err := a.c.Store.Folders(ctx, year+"/")
		if err != nil {
			return nil, fmt.Errorf("list the months of the evidence of %s: %w", year, err)
		}
		for _, month := range of {
			if _, err := time.Parse(monthLayout, year+"/"+month); err == nil {
				months = append(months, year+"/"+month)
			}
		}
	}
	slices.Sort(months)
	slices.Reverse(months)
	return months, nil
}

// Read returns the document of the drill with an ID, or ErrNotFound. It looks in the
// newest months first. If the document is not the evidence that the app wrote, it
// returns its file with the error.
func (a *Archive) Read(ctx context.Context, id string) (Document, error) {
	if err := CheckID(id); err != nil {
		return Document{}, fmt.Errorf("%w: %w", ErrNotFound, err)
	}
	months, err := a.months(ctx)
	if err != nil {
		return Document{}, err
	}
	for _, month := range months {
		for o, err := range a.c.Store.List(ctx, month+"/") {
			if err != nil {
				return Document{}, fmt.Errorf("list the evidence of %s: %w", month, err)
			}
			if strings.HasSuffix(o.Name, "/"+id+suffix) {
				return a.read(ctx, o.Name)
			}
		}
	}
	return Document{}, fmt.Errorf("drill %s: %w", id, ErrNotFound)
}

// Open returns the document of an entry; see Read.
func (a *Archive) Open(ctx context.Context, e Entry) (Document, error) { return a.read(ctx, e.Name) }

// Changed reports whether an error says that a document is not as the app wrote it.
func Changed(err error) bool {
	var changed *operation.Error
	return errors.As(err, &changed) && changed.Code == CodeChanged
}

// read returns a document. Without the signing key, the document is not verified here.
func (a *Archive) read(ctx context.Context, name string) (Document, error) {
	doc, err := a.load(ctx, name)
	if err != nil {
		return doc, err
	}
	verified, err := a.verify(ctx, doc)
	var changed *operation.Error
	if errors.As(err, &changed) && changed.Code == CodeChanged {
		return doc, err
	}
	return verified, nil
}

// Expire deletes documents whose retention has ended, at most limit. It leaves those
// that a policy keeps. more reports that it reached the limit.
func (a *Archive) Expire(ctx context.Context, limit int) (deleted int, more bool, err error) {
	now := a.c.Now()
	months, err := a.months(ctx)
	if err != nil {
		return 0, false, err
	}
	for _, month := range slices.Backward(months) {
		for o, err := range a.c.Store.List(ctx, month+"/") {
			if err != nil {
				return deleted, false, fmt.Errorf("list the evidence of %s: %w", month, err)
			}
			// Without readable metadata nothing says when the retention ends.
			e, ok := parseMetadata(o.Metadata)
			if !ok || now.Before(e.KeepUntil) {
				continue
			}
			if deleted == limit {
				return deleted, true, nil
			}
			err := a.c.Store.Delete(ctx, o.Name)
			switch {
			case errors.Is(err, ErrHeld), errors.Is(err, ErrNotFound):
			case err != nil:
				return deleted, false, fmt.Errorf("delete expired evidence %s: %w", o.Name, err)
			default:
				deleted++
			}
		}
	}
	return deleted, false, nil
}

// PublicKey returns the key that verifies new documents.
func (a *Archive) PublicKey(ctx context.Context) (evidence.PublicKey, error) {
	return a.c.Signer.PublicKey(ctx)
}
