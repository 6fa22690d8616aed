package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"

	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/connection"
	"azbackupflow/internal/declaration"
	"azbackupflow/internal/drill"
	"azbackupflow/internal/drill/archive"
	"azbackupflow/internal/drill/archive/blobs"
	"azbackupflow/internal/drill/evidence"
	"azbackupflow/internal/drill/keyvault"
	"azbackupflow/internal/drill/plan"
	"azbackupflow/internal/engine"
	"azbackupflow/internal/preflight"
	"azbackupflow/internal/schedule"
	"azbackupflow/internal/settings"
)

// newArchive returns the archive of evidence. Its clients connect at their first use.
func newArchive(b *base) (*archive.Archive, error) {
	store, err := newEvidenceStore(b)
	if err != nil {
		return nil, err
	}
	signer, err := newSigner(b)
	if err != nil {
		return nil, err
	}
	return archive.New(archive.Config{Store: store, Signer: signer, Now: b.now})
}

func newEvidenceStore(b *base) (*blobs.Store, error) {
	return blobs.New(blobs.Config{
		Container: archive.Container,
		Service: func() (*service.Client, error) {
			return connection.Blobs(b.lookup, settings.TablesConnection, blobs.ClientOptions())
		},
	})
}

// evidenceWriter returns the function that keeps the evidence of a drill; nil for an
// app without a key, in which no drill starts.
func evidenceWriter(b *base, kept *archive.Archive) func(context.Context, evidence.Evidence, time.Duration) (string, error) {
	if b.settings.EvidenceKey == "" {
		return nil
	}
	return func(ctx context.Context, e evidence.Evidence, keep time.Duration) (string, error) {
		doc, _, err := kept.Write(ctx, e, keep)
		return doc.Location, err
	}
}

// newSigner returns the signer that the setting names.
func newSigner(b *base) (evidence.Signer, error) {
	const setting = "AZBACKUPFLOW_EVIDENCE_KEY"
	name := b.settings.EvidenceKey
	switch {
	case name == "":
		return archive.NoKey{}, nil
	case !strings.Contains(name, "://"):
		raw, err := os.ReadFile(name) //nolint:gosec // G304: the operator's own setting
		if err != nil {
			return nil, fmt.Errorf("settings: %s: %w; set the path of a PEM file, or the URL of a Key Vault key", setting, err)
		}
		key, err := evidence.ParsePrivateKey(raw)
		if err != nil {
			return nil, fmt.Errorf("settings: %s: file %s %w", setting, name, err)
		}
		return key, nil
	}
	key, err := keyvault.ParseKey(name, b.settings.Cloud)
	if err != nil {
		return nil, fmt.Errorf("settings: %s is %q, which %w", setting, name, err)
	}
	return keyvault.New(keyvault.Config{Key: key, Credential: func() (azcore.TokenCredential, error) { return newCredential(b) }})
}

// declaredDrills are the drills of the file.
type declaredDrills struct {
	schedules []schedule.Schedule
	// incomplete reports that a drill may be missing.
	incomplete bool
	// skipped are the drills that do not run, for the preflight.
	skipped []preflight.SkippedDrill
}

// readDrills reads the file of drills. An invalid drill is skipped with an error in the
// log, and the app starts with the others; see docs/adr/0010-declarations.md. So is a
// drill with a target that is not allowed.
func readDrills(b *base, az *azure, kept *archive.Archive, e *engine.Engine) (d declaredDrills, err error) {
	path := b.settings.Drills
	skip := func(name string, problem error) {
		d.incomplete = true
		d.skipped = append(d.skipped, preflight.SkippedDrill{Name: name, Problem: problem.Error()})
	}
	raw, err := os.ReadFile(path) //nolint:gosec // G304: the operator's own setting
	if errors.Is(err, fs.ErrNotExist) && path == drill.FileName {
		return d, nil
	}
	if err != nil {
		b.log.Error("drills not read, no drill starts", "error", err)
		skip(path, err)
		return d, nil
	}
	declared, err := drill.Parse(path, raw)
	logProblems(b.log, "drill skipped", err)
	var invalid *declaration.Invalid
	switch {
	case errors.As(err, &invalid):
		for _, p := range invalid.Problems {
			skip(path, errors.New(p.String()))
		}
	case err != nil:
		skip(path, err)
	}
	if len(declared) > 0 && b.settings.EvidenceKey == "" {
		b.log.Error("drills skipped, because their evidence could not be signed", "error", archive.ErrNoKey())
		skip(path, archive.ErrNoKey())
		return d, nil
	}
	all, err := plan.Schedules(plan.Config{
		Drills: declared, Digest: plan.Digest(raw), Tested: kept.List,
		Items: plan.Vaults{RecoveryServices: az.recoveryServices, DataProtection: az.dataProtection, Sources: datasource.New(az.client)},
	})
	if err != nil {
		return d, err
	}
	for i, s := range all {
		if err := plan.Check(s, declared[i], e.Check); err != nil {
			b.log.Error("drill skipped, because its operations could not start", "drill", s.Name, "error", err)
			skip(s.Name, err)
			continue
		}
		d.schedules = append(d.schedules, s)
	}
	return d, nil
}

// evidenceChecks returns what the preflight checks of the evidence; nil for an app
// without drills.
func evidenceChecks(b *base, d declaredDrills) (*preflight.Evidence, error) {
	if b.settings.EvidenceKey == "" && len(b.settings.DrillTargets) == 0 && len(d.schedules)+len(d.skipped) == 0 {
		return nil, nil //nolint:nilnil // the preflight checks nothing
	}
	store, err := newEvidenceStore(b)
	if err != nil {
		return nil, err
	}
	checks := &preflight.Evidence{Container: archive.Container, Store: store.Exists}
	if b.settings.EvidenceKey != "" {
		checks.Key = func(ctx context.Context) error {
			signer, err := newSigner(b) // reads a file again
			if err != nil {
				return err
			}
			if vault, ok := signer.(*keyvault.Signer); ok {
				return vault.Check(ctx, b.now())
			}
			_, err = signer.PublicKey(ctx)
			return err
		}
	}
	return checks, nil
}
