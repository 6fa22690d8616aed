package handlers_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"sync/atomic"
	"time"

	"azbackupflow/internal/drill/archive"
	"azbackupflow/internal/drill/evidence"
	"azbackupflow/internal/operation"
)

// evidenceFiles is an archive whose answers depend on the ID or the vault in a call.
// The second key that it returns is missing, the third cannot be read.
type evidenceFiles struct{ keys atomic.Int64 }

func evidenceFailure(of string) error {
	switch of {
	case "changed":
		return &operation.Error{Code: archive.CodeChanged, Class: operation.UserAction, Message: "the document is not the evidence that the app wrote"}
	case "broken":
		return &operation.Error{Code: "EvidenceStoreUnavailable", Class: operation.Transient, Message: "the blob service did not answer"}
	case "none":
		return fmt.Errorf("drill unknown: %w", archive.ErrNotFound)
	}
	return nil
}

// List implements httpapi.Evidence.
func (*evidenceFiles) List(_ context.Context, q archive.Query) (archive.Page, error) {
	at := time.Date(2026, 11, 1, 4, 0, 0, 0, time.UTC)
	return archive.Page{Next: "2026-11-01T04:00:00Z~a", Entries: []archive.Entry{{
		ID: "a", Drill: "monthly-files", Run: "2026-11-01T04:00", VaultID: "/v", ItemID: "/i", ItemType: "AzureFileShare", ItemName: "orders",
		Started: at, Ended: at, Result: evidence.ObjectivesMissed, RestoreTime: "PT5H", PointAge: "PT1H", CleanUpFailed: true, KeepUntil: at, Location: "https://x",
	}}}, evidenceFailure(q.VaultID)
}

// Read implements httpapi.Evidence.
func (*evidenceFiles) Read(_ context.Context, id string) (archive.Document, error) {
	return archive.Document{File: []byte(`{"evidence": {}, "signature": "x"}`)}, evidenceFailure(id)
}

// PublicKey implements httpapi.Evidence.
func (e *evidenceFiles) PublicKey(context.Context) (evidence.PublicKey, error) {
	switch e.keys.Add(1) {
	case 2:
		return evidence.PublicKey{}, archive.ErrNoKey()
	case 3:
		return evidence.PublicKey{}, evidenceFailure("broken")
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return evidence.PublicKey{}, err
	}
	point, err := key.PublicKey.Bytes()
	if err != nil {
		return evidence.PublicKey{}, err
	}
	return evidence.NewPublicKey(point[1:33], point[33:])
}
