package readiness

import (
	"fmt"

	"azbackupflow/internal/api"
)

// Figure is a number of the report that supports a control.
type Figure string

// The figures.
const (
	// FigureProtected is how many resources are protected, of those not excluded.
	FigureProtected Figure = "protected"
	// FigureWithinObjectives is how many are protected and miss no objective. An item
	// whose last backup is unknown or in the future misses the maximum age.
	FigureWithinObjectives Figure = "within objectives"
	// FigureProven is how many are proven by a restore drill.
	FigureProven Figure = "proven"
	// FigureRestoreTime is how many have a measured restore time.
	FigureRestoreTime Figure = "restore time measured"
	// FigureFailing is how many protected resources have a failing backup.
	FigureFailing Figure = "failing backups"
	// FigureRetention is how many protected items have a policy with a known retention.
	FigureRetention Figure = "retention known"
	// FigureExcluded is how many resources are excluded on purpose.
	FigureExcluded Figure = "excluded"
	// FigureSoftDelete, FigureImmutable and FigureMultiUser count vaults.
	FigureSoftDelete Figure = "vaults with soft delete"
	FigureImmutable  Figure = "vaults with immutability"
	FigureMultiUser  Figure = "vaults with multi-user authorization"
)

// Control is a control of a framework, and what the report says about it.
type Control struct {
	// Framework and ID are the public identifiers. Topic is the subject in our words.
	Framework, ID, Topic string
	// Figures support the control; none means that azbackupflow does not cover it.
	Figures []Figure
	// Else names the parts of the control that the report does not support.
	Else string
}

// Controls returns the controls that backups and restore drills are about. The
// identifiers are those of ISO/IEC 27001:2022 Annex A, Directive (EU) 2022/2555
// (NIS2), Regulation (EU) 2022/2554 (DORA), CIS Controls v8, NIST SP 800-53 Rev. 5
// and PCI DSS v4.0.1. The report supports an audit; it does not replace one.
func Controls() []Control {
	const (
		iso, nis2, dora = "ISO/IEC 27001:2022", "NIS2, (EU) 2022/2555", "DORA, (EU) 2022/2554"
		cis, nist, pci  = "CIS Controls v8", "NIST SP 800-53 Rev. 5", "PCI DSS v4.0.1"
	)
	hardened := []Figure{FigureSoftDelete, FigureImmutable, FigureMultiUser}
	return []Control{
		{iso, "A.8.13", "Backups, and tests of them", []Figure{FigureProtected, FigureWithinObjectives, FigureProven, FigureRetention}, "the written backup policy"},
		{iso, "A.5.30", "Readiness for continuity", []Figure{FigureProven, FigureRestoreTime}, "impact analysis and continuity plans"},
		{iso, "A.8.14", "Redundancy of facilities", nil, "redundancy of Azure regions and zones"},
		{nis2, "Art. 21(2)(c)", "Backup management and recovery", []Figure{FigureProtected, FigureWithinObjectives, FigureProven}, "crisis management and continuity plans"},
		{nis2, "Art. 21(2)(f)", "Effectiveness of measures", []Figure{FigureProven, FigureFailing}, "the assessment of all other measures"},
		{dora, "Art. 11", "Response and recovery", []Figure{FigureProven, FigureRestoreTime}, "continuity policy, impact analysis, crisis communication"},
		{dora, "Art. 12(1)", "Backup policies", []Figure{FigureProtected, FigureRetention, FigureExcluded}, "the written policy and its approval"},
		{dora, "Art. 12(2)", "Backup systems, tested regularly", []Figure{FigureProtected, FigureProven, FigureFailing}, ""},
		{dora, "Art. 12(3)", "Restore to segregated systems", append([]Figure{FigureProven}, hardened...), "the segregation of your own recovery environment"},
		{dora, "Art. 12(6)", "Recovery objectives", []Figure{FigureWithinObjectives, FigureRestoreTime}, "objectives for each function of the business"},
		{dora, "Art. 12(7)", "Checks of recovered data", []Figure{FigureProven}, "reconciliation with other parties"},
		{cis, "11.1", "Process of data recovery", nil, "a document"},
		{cis, "11.2", "Automated backups", []Figure{FigureProtected, FigureWithinObjectives, FigureFailing}, ""},
		{cis, "11.3", "Protection of recovery data", hardened, "encryption, which Azure Backup does"},
		{cis, "11.4", "Isolated copy of recovery data", hardened, "copies in another tenant or offline"},
		{cis, "11.5", "Tests of recovery", []Figure{FigureProven, FigureRestoreTime}, ""},
		{nist, "CP-2", "Contingency plan", nil, "a document"},
		{nist, "CP-4", "Tests of the contingency plan", []Figure{FigureProven}, "tests of everything but restores"},
		{nist, "CP-6", "Alternate storage site", nil, "the redundancy of the vault's storage"},
		{nist, "CP-9", "Backups of systems", append([]Figure{FigureProtected, FigureWithinObjectives, FigureFailing}, hardened...), ""},
		{nist, "CP-9(1)", "Tests of backups", []Figure{FigureProven}, ""},
		{nist, "CP-9(8)", "Encryption of backups", nil, "encryption, which Azure Backup does"},
		{nist, "CP-10", "Recovery of systems", []Figure{FigureProven, FigureRestoreTime}, "recovery of whole applications"},
		{pci, "9.4.1.1", "Offline backup media", nil, "physical media"},
		{pci, "10.5.1", "Retention of audit logs", []Figure{FigureRetention}, "which resources hold audit logs"},
		{pci, "12.10.1", "Backups in the incident plan", []Figure{FigureProtected, FigureProven}, "the plan itself"},
	}
}

// Value is a figure of a report: how many of how many.
type Value struct{ Count, Of int }

// String formats the value, such as "7 of 10 (70 %)".
func (v Value) String() string {
	if v.Of == 0 {
		return "0 of 0"
	}
	return fmt.Sprintf("%d of %d (%d %%)", v.Count, v.Of, v.Count*100/v.Of)
}

// Figures returns the figures of a whole report.
func Figures(r api.Readiness) map[Figure]Value {
	f := map[Figure]*Value{}
	add := func(name Figure, counts bool) {
		if f[name] == nil {
			f[name] = &Value{}
		}
		f[name].Of++
		if counts {
			f[name].Count++
		}
	}
	for _, i := range r.Items {
		excluded, protected := i.State == api.ReadinessExcluded, Protected(i)
		add(FigureExcluded, excluded)
		if excluded {
			continue
		}
		add(FigureProtected, protected)
		add(FigureWithinObjectives, protected && i.State != api.ReadinessObjectivesMissed && (r.Objectives.MaxPointAge == "" || backupKnown(i, r.At)))
		add(FigureProven, i.State == api.ReadinessProven)
		add(FigureRestoreTime, i.Drill != nil && i.Drill.RestoreTime != "")
		if protected {
			add(FigureFailing, i.BackupFailed != "" || i.FailedBackups > 0)
			add(FigureRetention, i.Retention != "")
		}
	}
	for _, v := range r.Vaults {
		add(FigureSoftDelete, v.SoftDelete == "On" || v.SoftDelete == "AlwaysOn")
		add(FigureImmutable, v.Immutability == "Locked" || v.Immutability == "Unlocked")
		add(FigureMultiUser, v.MultiUserAuthorization)
	}
	values := map[Figure]Value{}
	for name, v := range f {
		values[name] = *v
	}
	return values
}
