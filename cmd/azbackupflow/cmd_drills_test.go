package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/drill/evidence"
)

const sampleEvidenceKey = "../../internal/drill/evidence/testdata/evidence.v1.key.pem"

// sampleEvidence returns the signed evidence of a drill.
func sampleEvidence(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile("../../internal/drill/evidence/testdata/evidence.v1.json")
	require.NoError(t, err)
	return string(raw)
}

// signedEvidence changes the sample, and signs it with a new key.
func signedEvidence(t *testing.T, change func(*evidence.Evidence)) (file, keyFile string) {
	t.Helper()
	var sample struct{ Evidence evidence.Evidence }
	require.NoError(t, json.Unmarshal([]byte(sampleEvidence(t)), &sample))
	change(&sample.Evidence)
	e, err := evidence.Assess(sample.Evidence)
	require.NoError(t, err)
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	der, err := x509.MarshalPKCS8PrivateKey(private)
	require.NoError(t, err)
	key, err := evidence.ParsePrivateKey(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	require.NoError(t, err)
	signed, err := evidence.Sign(t.Context(), e, key)
	require.NoError(t, err)
	der, err = x509.MarshalPKIXPublicKey(&private.PublicKey)
	require.NoError(t, err)
	return declared(t, "evidence.json", string(signed)), declared(t, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})))
}

// exampleDrills returns the example of docs/drills.md.
func exampleDrills(t *testing.T) string {
	t.Helper()
	raw, err := os.ReadFile("../../docs/drills.md")
	require.NoError(t, err)
	_, rest, found := strings.Cut(string(raw), "```yaml\n")
	require.True(t, found)
	example, _, found := strings.Cut(rest, "```")
	require.True(t, found)
	return example
}

func TestDrillsCheck_AcceptsTheExamples(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	file := declared(t, "drills.yaml", exampleDrills(t))
	s.golden("drills-check", bare(file, s.succeeds("drills", "check", "-f", file)))
	var got struct{ Drills int }
	require.NoError(t, json.Unmarshal([]byte(s.succeeds("-o", "json", "drills", "check", "-f", file)), &got))
	require.Equal(t, 2, got.Drills)
}

func TestDrillsCheck_ShowsProblems(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	file := declared(t, "drills.yaml", strings.NewReplacer("Europe/Berlin", "Europe/Atlantis", "cleanUp: keep", "cleanUp: maybe").Replace(exampleDrills(t)))
	got := s.run("drills", "check", "-f", file)
	require.Equal(t, cli.ExitUsage, got.code)
	s.golden("drills-bad", bare(file, got.stdout+got.stderr))
}

// The setting is in the environment, or in local.settings.json next to the file. Without
// it, the command does not compare the targets.
func TestDrillsCheck_ComparesTheTargetsWithTheSetting(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	const account = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/drills/providers/Microsoft.Storage/storageAccounts/drillaccount"
	file := declared(t, "drills.yaml", exampleDrills(t))
	got := s.run("drills", "check", "-f", file)
	require.Equal(t, 0, got.code)
	require.Contains(t, got.stdout, "The targets were not compared with AZBACKUPFLOW_DRILL_TARGETS, which is not set here.")

	local := filepath.Join(filepath.Dir(file), "local.settings.json")
	for value, want := range map[string]int{account: 0, "/subscriptions/x, " + account + "/": 0, account + "2": cli.ExitUsage, "": cli.ExitUsage} {
		raw, err := json.Marshal(map[string]any{"IsEncrypted": false, "Values": map[string]string{"AZBACKUPFLOW_DRILL_TARGETS": value}})
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(local, raw, 0o600))
		got = s.run("drills", "check", "-f", file)
		require.Equal(t, want, got.code, "%q: %s", value, got.stderr)
		if want == cli.ExitUsage {
			require.Contains(t, got.stdout, `drills[0].target.storageAccountId: "`+account+`" is not an allowed drill target; want one of the setting AZBACKUPFLOW_DRILL_TARGETS`)
			require.Contains(t, got.stdout, "drills[1].target.storageAccountId")
		}
	}
	s.withVariables(map[string]string{"AZBACKUPFLOW_DRILL_TARGETS": account})
	require.Equal(t, 0, s.run("drills", "check", "-f", file).code, "the environment comes first")
}

func TestDrillsVerify_ShowsWhatIsProven(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	file := declared(t, "evidence.json", sampleEvidence(t))
	s.golden("drills-verify", bare(file, s.succeeds("drills", "verify", file, "--key", sampleEvidenceKey, "--require-proven")))
	var got struct {
		KeyID    string
		Evidence evidence.Evidence
	}
	require.NoError(t, json.Unmarshal([]byte(s.succeeds("-o", "json", "drills", "verify", file, "--key", sampleEvidenceKey)), &got))
	require.Equal(t, evidence.Proven, got.Evidence.Result)
	require.NotEmpty(t, got.KeyID)

	s.stdin = sampleEvidence(t)
	require.Contains(t, s.succeeds("drills", "verify", "-", "--key", sampleEvidenceKey), "is verified")
}

func TestDrillsVerify_RejectsAChangedFile(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	file := declared(t, "evidence.json", strings.Replace(sampleEvidence(t), "1200 files", "1201 files", 1))
	got := s.run("drills", "verify", file, "--key", sampleEvidenceKey)
	require.Equal(t, cli.ExitFailed, got.code)
	require.Empty(t, got.stdout)
	require.Contains(t, got.stderr, "evidence.json is not verified: the file was changed after it was signed")
}

// A valid signature under a failed drill is not a proof.
func TestDrillsVerify_RequiresAProof(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	for result, change := range map[evidence.Result]func(*evidence.Evidence){
		evidence.ObjectivesMissed: func(e *evidence.Evidence) { e.Objectives.RTO.Maximum = "PT1S" },
		evidence.NotValidated:     func(e *evidence.Evidence) { e.Validation = evidence.Validation{Result: evidence.TimedOut} },
		evidence.Failed: func(e *evidence.Evidence) {
			e.Phases = e.Phases[:3]
			e.Phases[2].Result, e.Phases[2].Error, e.Phases[2].Ended = evidence.PhaseFailed, "the job failed", e.Phases[2].Started.Add(time.Second)
			e.Checks, e.Validation = []evidence.Check{}, evidence.Validation{Result: evidence.NotReached}
		},
	} {
		file, key := signedEvidence(t, change)
		shown := s.succeeds("drills", "verify", file, "--key", sampleEvidenceKey, "--key", key)
		require.Contains(t, shown, string(result))
		got := s.run("drills", "verify", file, "--key", key, "--require-proven")
		require.Equal(t, cli.ExitFailed, got.code)
		require.Equal(t, shown, got.stdout)
		require.Contains(t, got.stderr, "the result of drill 5f2b7c is "+string(result)+", not Proven")
	}
}

func TestDrillsVerify_ExplainsWrongInput(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	file := declared(t, "evidence.json", sampleEvidence(t))
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{file}, "--key"},
		{[]string{file, "--key", file}, "--key: " + file + " is not a PEM file; want a PEM file with the public key of an ECDSA key on the curve P-256"},
		{[]string{file, "--key", "none.pem"}, "file none.pem does not exist"},
		{[]string{"none.json", "--key", sampleEvidenceKey}, "file none.json does not exist"},
		{[]string{"-", "--key", "-"}, "standard input (-) is named more than once"},
	} {
		got := s.run(append([]string{"drills", "verify"}, c.args...)...)
		require.Equal(t, cli.ExitUsage, got.code, c.args)
		require.Contains(t, got.stderr, c.want)
	}
}

func TestDrillsPage_WritesANewFile(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	file := declared(t, "evidence.json", sampleEvidence(t))
	page := filepath.Join(t.TempDir(), "drill.html")
	require.Equal(t, "The page of drill 5f2b7c is written.\n", s.succeeds("drills", "page", file, "--key", sampleEvidenceKey, "--to", page))
	raw, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Contains(t, string(raw), "<h1>Restore drill monthly-files: Proven</h1>")

	got := s.run("drills", "page", file, "--key", sampleEvidenceKey, "--to", page)
	require.Equal(t, cli.ExitUsage, got.code)
	require.Contains(t, got.stderr, "--to: file "+page+" exists; name a new file")
	got = s.run("drills", "page", file, "--key", sampleEvidenceKey, "--to", filepath.Join(t.TempDir(), "none", "drill.html"))
	require.Equal(t, cli.ExitUsage, got.code)
	require.Contains(t, got.stderr, "cannot be written; name a file in a folder that exists")

	changed := declared(t, "changed.json", strings.Replace(sampleEvidence(t), "1200 files", "1201 files", 1))
	page = filepath.Join(t.TempDir(), "changed.html")
	got = s.run("drills", "page", changed, "--key", sampleEvidenceKey, "--to", page)
	require.Equal(t, cli.ExitFailed, got.code)
	require.NoFileExists(t, page)
}

func TestDrillsSummary_CountsVerifiedFilesOnly(t *testing.T) {
	t.Parallel()
	s := newShell(t)
	first := declared(t, "evidence.json", sampleEvidence(t))
	second, key := signedEvidence(t, func(e *evidence.Evidence) {
		e.ID, e.Validation = "another", evidence.Validation{Result: evidence.TimedOut}
	})
	args := func(files ...string) []string {
		return append([]string{"drills", "summary", "--key", sampleEvidenceKey, "--key", key}, files...)
	}
	s.golden("drills-summary", s.succeeds(args(first, second)...))
	require.Contains(t, s.succeeds(args(first, second, "--month", "2026-11")...), "2026-11")
	require.Equal(t, "No drills.\n", s.succeeds(args(first, "--month", "2026-10")...))

	changed := declared(t, "changed.json", strings.Replace(sampleEvidence(t), "5f2b7c", "6f2b7c", 1))
	got := s.run(append([]string{"-o", "json"}, args(first, changed)...)...)
	require.Equal(t, cli.ExitFailed, got.code)
	require.Contains(t, got.stderr, changed+" is not verified: ")
	require.Contains(t, got.stderr, "1 of 2 files are not verified, and not counted")
	var list drillsSummary
	require.NoError(t, json.Unmarshal([]byte(got.stdout), &list))
	require.Equal(t, []string{changed}, list.NotVerified)
	require.Len(t, list.Summaries, 1)
	require.Equal(t, 1, list.Summaries[0].Drills)

	for want, files := range map[string][]string{
		first + " and " + first + " are evidence of the same drill 5f2b7c; name each drill once": {first, first},
		"file none.json does not exist":                                             {"none.json"},
		"standard input (-) is named more than once":                                {"-", "-"},
		`--month "November" is not a month; use a year and a month such as 2026-11`: {first, "--month", "November"},
	} {
		got := s.run(args(files...)...)
		require.Equal(t, cli.ExitUsage, got.code, want)
		require.Contains(t, got.stderr, want)
		require.Empty(t, got.stdout)
	}
}
