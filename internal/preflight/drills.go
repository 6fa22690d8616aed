package preflight

import (
	"context"
	"errors"
	"strings"

	"azbackupflow/internal/operation"
)

const (
	checkEvidence = "evidence"
	checkDrills   = "drills"

	settingEvidenceKey = "AZBACKUPFLOW_EVIDENCE_KEY"
)

// Evidence holds what the evidence of restore drills needs. Every field is required,
// except Key.
type Evidence struct {
	// Key returns the error of the key that signs. It signs nothing. Nil means that the
	// app has no key.
	Key func(context.Context) error
	// Container is the name of the container, Store reports whether it exists.
	Container string
	Store     func(context.Context) (exists bool, err error)
}

// SkippedDrill is a declared drill, or a file of drills, that the app skipped at its
// start.
type SkippedDrill struct{ Name, Problem string }

// checkEvidence checks the key and the container of evidence.
func (r *run) checkEvidence(ctx context.Context) {
	if r.cfg.Evidence == nil {
		return
	}
	r.checkEvidenceKey(ctx, r.cfg.Evidence.Key)
	subject := "container " + r.cfg.Evidence.Container
	switch exists, err := r.cfg.Evidence.Store(ctx); {
	case err != nil:
		r.fail(Finding{Check: checkEvidence, Subject: subject, Problem: describe(err), Do: remedy(err,
			"Check that AzureWebJobsStorage has a blob service, that the storage account exists and that its firewall admits the app. "+
				`Assign the role "Storage Blob Data Contributor" on it to the app's managed identity.`)})
	case !exists:
		r.fail(Finding{
			Check: checkEvidence, Subject: subject, NotChecked: true,
			Problem: "does not exist yet. The first evidence creates it, if the app has the permission",
			Do:      `Deploy with AZBACKUPFLOW_ALLOW_DRILLS, which creates it, or assign the role "Storage Blob Data Contributor" on the storage account to the app's managed identity.`,
		})
	default:
		r.pass(checkEvidence, subject)
	}
}

func (r *run) checkEvidenceKey(ctx context.Context, key func(context.Context) error) {
	if key == nil {
		r.fail(Finding{
			Check: checkSetting, Subject: settingEvidenceKey, Problem: "is empty, so no restore drill starts",
			Do: "Set it to the URL of a Key Vault key, or to the path of a PEM file: see docs/drills.md. Without drills, remove AZBACKUPFLOW_DRILL_TARGETS and drills.yaml.",
		})
		return
	}
	if err := key(ctx); err != nil {
		r.fail(Finding{Check: checkEvidence, Subject: settingEvidenceKey, Problem: describe(err), Do: remedy(err,
			"Check that the file or the key exists and that the app may read it. In Key Vault, assign the role Key Vault Crypto User on the key to the app's managed identity.")})
		return
	}
	r.pass(checkEvidence, settingEvidenceKey)
}

// remedy returns the recommended actions of an error, or another one if it has none.
func remedy(err error, otherwise string) string {
	var known *operation.Error
	if errors.As(err, &known) && len(known.RecommendedAction) > 0 {
		return strings.Join(known.RecommendedAction, " ")
	}
	return otherwise
}

// checkDrills reports the drills that the app skipped.
func (r *run) checkDrills() {
	for _, d := range r.cfg.SkippedDrills {
		r.fail(Finding{
			Check: checkDrills, Subject: d.Name, Problem: "is skipped: " + d.Problem,
			Do: "Correct the drill, or the setting that it needs, and check it with azbackupflow drills check. Then restart the app.",
		})
	}
}
