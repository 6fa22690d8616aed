// Package archive keeps the evidence of drills: one document per drill, signed and
// written once.
//
// The name of a document consists of the month in which the drill started (UTC), the
// name of the vault and the ID of the drill, such as
// 2026/11/azurefilesvault/5f2b7c.json. The store writes a name once, so the first
// document of a drill is the only one, however often a write is repeated, and by which
// process.
//
// The package may not know how a drill runs, or which service stores the documents.
package archive

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"regexp"
	"strings"
	"time"

	"azbackupflow/internal/drill/evidence"
	"azbackupflow/internal/operation"
)

// Container is the name of the blob container that holds the documents.
const Container = "drill-evidence"

// Errors of a Store. Any other error means that the result is unknown.
var (
	// ErrExists means that an object with the name exists.
	ErrExists = errors.New("an object with this name exists")
	// ErrNotFound means that there is no object with the name.
	ErrNotFound = errors.New("evidence not found; GET /api/drills/evidence lists it")
	// ErrHeld means that a policy does not allow to delete the object yet.
	ErrHeld = errors.New("a policy keeps this object")
)

// Object is a stored document with the texts that a list returns about it.
type Object struct {
	Name    string
	Content []byte
	// Metadata has lower-case names of letters.
	Metadata map[string]string
}

// Store stores objects. Its errors are the errors of this package, or an
// *operation.Error.
type Store interface {
	// Create stores a new object completely, or not at all. It returns ErrExists if
	// the name is taken. After any other error, the object may exist.
	Create(ctx context.Context, o Object) error
	// Read returns an object, or ErrNotFound.
	Read(ctx context.Context, name string) (Object, error)
	// Delete deletes an object. It returns ErrNotFound if there is none, and ErrHeld
	// if a policy keeps it.
	Delete(ctx context.Context, name string) error
	// List returns the objects whose names begin with a prefix, by name, without their
	// content.
	List(ctx context.Context, prefix string) iter.Seq2[Object, error]
	// Folders returns what follows a prefix in the names of objects, up to the next
	// slash, by name and each once.
	Folders(ctx context.Context, prefix string) ([]string, error)
	// Location returns where people find an object, such as its URL.
	Location(name string) string
}

// Config configures an Archive. Every field is required.
type Config struct {
	Store  Store
	Signer evidence.Signer
	Now    func() time.Time
}

// Archive keeps evidence. It is safe for concurrent use.
type Archive struct{ c Config }

// New returns an Archive. It makes no call.
func New(c Config) (*Archive, error) {
	if c.Store == nil || c.Signer == nil || c.Now == nil {
		return nil, errors.New("archive: Config.Store, Signer and Now are required")
	}
	return &Archive{c: c}, nil
}

// Document is the evidence of a drill as it is stored.
type Document struct {
	Entry
	// File is the signed file, unchanged.
	File     []byte
	Evidence evidence.Evidence
	// Verified is set if the current key verifies the file. A file that an earlier key
	// signed is not verified here; its reader has that key.
	Verified bool
}

// Write signs the evidence of a drill and stores it, unless the drill already has a
// document. It returns the stored document, which is that of the first call with this
// ID, and whether this call created it. keep is how long the document is kept.
//
// The call can be repeated after any error. The error is an *operation.Error: Fatal if
// the evidence is invalid, UserAction if the stored document is not evidence of this
// drill, or if a permission is missing.
func (a *Archive) Write(ctx context.Context, e evidence.Evidence, keep time.Duration) (doc Document, created bool, err error) {
	name, err := nameOf(e)
	if err != nil {
		return Document{}, false, invalid(e.ID, err)
	}
	doc, err = a.existing(ctx, name)
	if !errors.Is(err, ErrNotFound) {
		return doc, false, err
	}
	file, err := evidence.Sign(ctx, e, a.c.Signer)
	switch {
	case errors.Is(err, evidence.ErrInvalid):
		return Document{}, false, invalid(e.ID, err)
	case err != nil:
		return Document{}, false, err
	}
	entry := entryOf(e, a.c.Now().Add(keep))
	err = a.c.Store.Create(ctx, Object{Name: name, Content: file, Metadata: entry.metadata()})
	switch {
	case errors.Is(err, ErrExists):
		// Another call was faster, or this one repeats a write whose answer was lost.
		doc, err = a.existing(ctx, name)
		return doc, false, err
	case err != nil:
		return Document{}, false, fmt.Errorf("store the evidence of drill %s: %w", e.ID, err)
	}
	entry.Name, entry.Location = name, a.c.Store.Location(name)
	return Document{Entry: entry, File: file, Evidence: e, Verified: true}, true, nil
}

// existing returns the document with a name, verified.
func (a *Archive) existing(ctx context.Context, name string) (Document, error) {
	doc, err := a.load(ctx, name)
	if err != nil {
		return doc, err
	}
	return a.verify(ctx, doc)
}

// load reads the document with a name. The error is ErrNotFound if there is none, and
// an *operation.Error if the content is not the evidence that belongs there.
func (a *Archive) load(ctx context.Context, name string) (Document, error) {
	o, err := a.c.Store.Read(ctx, name)
	if err != nil {
		return Document{}, fmt.Errorf("read evidence %s: %w", name, err)
	}
	doc := Document{File: o.Content}
	e, err := evidence.Decode(name, o.Content)
	if err != nil {
		return doc, a.changed(name, err.Error())
	}
	if own, err := nameOf(e); err != nil || own != name {
		return doc, a.changed(name, fmt.Sprintf("it is the evidence of another drill, %q", e.ID))
	}
	doc.Evidence = e
	doc.Entry = a.entry(o, e)
	return doc, nil
}

// verify sets Verified, or returns an *operation.Error if the document was changed.
func (a *Archive) verify(ctx context.Context, doc Document) (Document, error) {
	public, err := a.c.Signer.PublicKey(ctx)
	if err != nil {
		return doc, fmt.Errorf("read the signing key: %w", err)
	}
	_, err = evidence.Verify(doc.Name, doc.File, []evidence.PublicKey{public})
	var rejected *evidence.NotVerifiedError
	if err != nil && (!errors.As(err, &rejected) || !rejected.UnknownKey) {
		return doc, a.changed(doc.Name, err.Error())
	}
	doc.Verified = err == nil
	return doc, nil
}

// CodeChanged is the code of the error of a document that is not as the app wrote it.
const CodeChanged = "EvidenceChanged"

// changed returns the error of a document that is not as the app wrote it.
func (a *Archive) changed(name, why string) error {
	return &operation.Error{
		Code: CodeChanged, Class: operation.UserAction,
		Message: fmt.Sprintf("the document %s is not the evidence that the app wrote: %s", a.c.Store.Location(name), why),
		RecommendedAction: []string{
			"Find out who changed or wrote the document. Restore its earlier version, or move it to another container.",
		},
	}
}

// invalid returns the error of evidence that cannot be signed.
func invalid(id string, err error) error {
	return &operation.Error{Code: "EvidenceInvalid", Class: operation.Fatal, Message: fmt.Sprintf("the evidence of drill %s cannot be signed: %v", id, err)}
}

// idPattern matches the IDs of drills. They are parts of names, so they have no
// slashes and no leading dots.
var idPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$`)

// The parts of a name.
const (
	monthLayout = "2006/01"
	suffix      = ".json"
)

// CheckID returns an error if no drill can have the ID.
func CheckID(id string) error {
	if !idPattern.MatchString(id) {
		return fmt.Errorf("%q is not the ID of a drill; want letters, digits, dots, underscores and hyphens, at most 200", id)
	}
	return nil
}

// nameOf returns the name of a drill's document.
func nameOf(e evidence.Evidence) (string, error) {
	if err := CheckID(e.ID); err != nil {
		return "", err
	}
	return e.Started.UTC().Format(monthLayout) + "/" + folderOf(e.Item.VaultID) + "/" + e.ID + suffix, nil
}

// notInFolder matches what the name of a vault cannot contain.
var notInFolder = regexp.MustCompile(`[^a-z0-9-]+`)

// folderOf returns the part of a name that stands for a vault: vaults of the same
// name share it.
func folderOf(vaultID string) string {
	id := strings.ToLower(strings.TrimRight(vaultID, "/"))
	name := notInFolder.ReplaceAllString(id[strings.LastIndexByte(id, '/')+1:], "-")
	if name == "" {
		return "-"
	}
	return name
}
