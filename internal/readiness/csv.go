package readiness

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"

	"azbackupflow/internal/api"
)

// Column is a column of the CSV file.
type Column struct {
	Name, Meaning string
	value         func(row) string
}

// row holds the facts of one line of the CSV file.
type row struct {
	api.ReadinessItem
	vault api.ReadinessVault
	known bool // the vault
	at    time.Time
}

// Columns returns the columns of the CSV file. Later versions only add columns, at
// the end.
func Columns() []Column {
	return []Column{
		{"state", "state of the resource", func(r row) string { return string(r.State) }},
		{"name", "name", func(r row) string { return r.Name }},
		{"type", "type, in Azure's words", func(r row) string { return r.Type }},
		{"subscription", "ID of the subscription", func(r row) string { return r.Subscription }},
		{"vault_id", "resource ID of the vault; empty without one", func(r row) string { return r.VaultID }},
		{"resource_id", "resource ID of the resource", func(r row) string { return r.ResourceID }},
		{"item_id", "resource ID of the protected item or backup instance", func(r row) string { return r.ItemID }},
		{"tag", "value of the tag of `--tag`", func(r row) string { return r.Tag }},
		{"protection_state", "protection state, in Azure's words", func(r row) string { return r.ProtectionState }},
		{"policy", "name of the policy", func(r row) string { return r.Policy }},
		{"retention", "how long the policy keeps backups", func(r row) string { return r.Retention }},
		{"rule", "protection rule that decides", func(r row) string { return r.Rule }},
		{"last_backup", "start of the last backup that succeeded (UTC)", func(r row) string { return instant(r.LastBackup) }},
		{"backup_age_hours", "age of the newest backup in whole hours", backupAge},
		{"failed_backups", "backups that failed since then", func(r row) string { return number(r.FailedBackups) }},
		{"backup_failed", "Azure's word for the failure", func(r row) string { return r.BackupFailed }},
		{"last_recovery_point", "time of the newest recovery point (UTC)", func(r row) string { return instant(r.LastRecoveryPoint) }},
		{"tier", "where it is stored, with `--points`", func(r row) string { return r.Tier }},
		{"last_drill", "start of the newest drill (UTC)", func(r row) string { return drill(r, func(d api.ReadinessDrill) string { return instant(&d.Started) }) }},
		{"drill_result", "result of the newest drill", func(r row) string { return drill(r, func(d api.ReadinessDrill) string { return d.Result }) }},
		{"restore_time", "how long its restore took (ISO 8601)", func(r row) string { return drill(r, func(d api.ReadinessDrill) string { return d.RestoreTime }) }},
		{"soft_delete", "soft delete of the vault: On, AlwaysOn or Off", func(r row) string { return r.vault.SoftDelete }},
		{"soft_delete_days", "days for which the vault keeps deleted items", func(r row) string { return number(r.vault.SoftDeleteDays) }},
		{"immutability", "immutability of the vault: Disabled, Unlocked or Locked", func(r row) string { return r.vault.Immutability }},
		{"multi_user_authorization", "whether a Resource Guard protects the vault", multiUser},
		{"reasons", "the reasons, separated by `; `", func(r row) string { return strings.Join(r.Reasons, "; ") }},
		{"next", "the commands, separated by ` && `", func(r row) string { return strings.Join(r.Next, " && ") }},
	}
}

func instant(at *time.Time) string {
	if at == nil || at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func drill(r row, value func(api.ReadinessDrill) string) string {
	if r.Drill == nil {
		return ""
	}
	return value(*r.Drill)
}

func backupAge(r row) string {
	newest := NewestBackup(r.ReadinessItem)
	if newest == nil {
		return ""
	}
	return strconv.Itoa(max(0, int(r.at.Sub(*newest).Hours())))
}

func multiUser(r row) string {
	if !r.known {
		return ""
	}
	return strconv.FormatBool(r.vault.MultiUserAuthorization)
}

// WriteCSV writes the items of a whole report as CSV (RFC 4180, UTF-8), with the
// names of the columns in the first line. A cell that a spreadsheet would read as a
// formula begins with an apostrophe, and control characters are spaces.
func WriteCSV(w io.Writer, r api.Readiness) error {
	out := csv.NewWriter(w)
	out.UseCRLF = true
	columns := Columns()
	line := make([]string, len(columns))
	for n, c := range columns {
		line[n] = c.Name
	}
	err := out.Write(line)
	vaults := vaultsByID(r)
	for _, i := range r.Items {
		if err != nil {
			break
		}
		one := row{ReadinessItem: i, at: r.At}
		one.vault, one.known = vaults[Key(i.VaultID)]
		for n, c := range columns {
			line[n] = cell(c.value(one))
		}
		err = out.Write(line)
	}
	out.Flush()
	if err == nil {
		err = out.Error()
	}
	if err != nil {
		return fmt.Errorf("write the report as CSV: %w", err)
	}
	return nil
}

func vaultsByID(r api.Readiness) map[string]api.ReadinessVault {
	all := map[string]api.ReadinessVault{}
	for _, v := range r.Vaults {
		all[Key(v.ID)] = v
	}
	return all
}

// formula are the characters with which a spreadsheet begins a formula, also in
// their full-width forms.
const formula = "=+-@\uff1d\uff0b\uff0d\uff20"

// cell returns a text that a spreadsheet shows as text.
func cell(text string) string {
	text = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd"))
	if rest := strings.TrimLeftFunc(text, unicode.IsSpace); rest != "" && strings.ContainsRune(formula, []rune(rest)[0]) {
		return "'" + text
	}
	return text
}
