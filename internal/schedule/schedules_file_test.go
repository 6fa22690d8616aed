package schedule_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/declaration"
	"azbackupflow/internal/request"
	"azbackupflow/internal/schedule"
	"azbackupflow/internal/step"
)

// problemsOf parses a file and returns the names of its schedules and its problems.
func problemsOf(t *testing.T, yaml string) (names, problems []string) {
	t.Helper()
	check := func(r request.Request) error {
		if strings.Contains(string(r.Parameters), "bad") {
			return &step.Invalid{Fields: []step.FieldError{{Field: "parameters.itemId", Problem: "is bad", Want: "a good one"}}}
		}
		return r.Check()
	}
	schedules, err := schedule.Parse("schedules.yaml", []byte(yaml), check)
	for _, s := range schedules {
		names = append(names, s.Name)
	}
	var invalid *declaration.Invalid
	if errors.As(err, &invalid) {
		for _, p := range invalid.Problems {
			problems = append(problems, p.String())
		}
		require.Contains(t, err.Error(), "schedules.yaml: ")
	} else {
		require.NoError(t, err)
	}
	return names, problems
}

const good = `
- name: good
  cron: 0 1 * * *
  timeZone: UTC
  request: {flow: backup-now, parameters: {itemId: x}}
`

func TestParse_OmitsInvalidSchedulesAndExplainsThem(t *testing.T) {
	t.Parallel()
	const request = "  request: {flow: backup-now, parameters: {itemId: x}}\n"
	for name, c := range map[string]struct{ entry, want string }{
		"unknown field":       {"- name: bad\n  corn: x\n  cron: 0 1 * * *\n  timeZone: UTC\n" + request, "line 8: schedules[1].corn: is not a known field; want one of cron, enabled, jitter"},
		"missing cron":        {"- name: bad\n  timeZone: UTC\n" + request, "line 7: schedules[1].cron: is missing; want five fields (minute hour"},
		"bad name":            {"- name: Not Good\n  cron: 0 1 * * *\n  timeZone: UTC\n" + request, `line 7: schedules[1].name: "Not Good" does not have the required form; want 1 to 64 lower-case letters`},
		"same name":           {"- name: good\n  cron: 0 1 * * *\n  timeZone: UTC\n" + request, `line 7: schedules[1].name: "good" is the name of an earlier schedule`},
		"bad cron":            {"- name: bad\n  cron: 0 25 * * *\n  timeZone: UTC\n" + request, `line 8: schedules[1].cron: "0 25 * * *" cannot be parsed`},
		"never fires":         {"- name: bad\n  cron: 0 0 30 2 *\n  timeZone: UTC\n" + request, `schedules[1].cron: "0 0 30 2 *" never fires: no date matches it; want days that the months have`},
		"seconds":             {"- name: bad\n  cron: '*/5 * * * * *'\n  timeZone: UTC\n" + request, "runs more often than once a minute"},
		"unknown zone":        {"- name: bad\n  cron: 0 1 * * *\n  timeZone: Europe/Atlantis\n" + request, `line 9: schedules[1].timeZone: "Europe/Atlantis" is not a time zone of the tz database; want an IANA time zone`},
		"policy":              {"- name: bad\n  cron: 0 1 * * *\n  timeZone: UTC\n  missed: some\n" + request, `schedules[1].missed: is "some"; want one of skip, one, all`},
		"limit alone":         {"- name: bad\n  cron: 0 1 * * *\n  timeZone: UTC\n  missedLimit: 3\n" + request, "schedules[1].missedLimit: is set with missed: one"},
		"all without allow":   {"- name: bad\n  cron: 0 1 * * *\n  timeZone: UTC\n  missed: all\n" + request, "schedules[1].missed: is all, which starts runs at the same time, with overlap: skip"},
		"jitter":              {"- name: bad\n  cron: 0 1 * * *\n  timeZone: UTC\n  jitter: PT13H\n" + request, `schedules[1].jitter: "PT13H" is not a duration of at most 12 hours`},
		"parameters":          {"- name: bad\n  cron: 0 1 * * *\n  timeZone: UTC\n  request: {flow: backup-now, parameters: {itemId: bad}}\n", "line 10: schedules[1].request.parameters.itemId: is bad; want a good one"},
		"selection and item":  {"- name: bad\n  cron: 0 1 * * *\n  timeZone: UTC\n  select: {vaultId: " + vault + "}\n" + request, "schedules[1].request.parameters.itemId: is set together with a selection"},
		"selection of what":   {"- name: bad\n  cron: 0 1 * * *\n  timeZone: UTC\n  select: {vaultId: " + vault + "}\n  request: {flow: delete-protection, parameters: {}}\n", "schedules[1].select: is set for flow delete-protection; want flow backup-now"},
		"selection of a shop": {"- name: bad\n  cron: 0 1 * * *\n  timeZone: UTC\n  select: {vaultId: shop}\n  request: {flow: backup-now, parameters: {}}\n", `schedules[1].select.vaultId: "shop" is not the resource ID of a vault`},
		"own label":           {"- name: bad\n  cron: 0 1 * * *\n  timeZone: UTC\n  request: {flow: backup-now, parameters: {itemId: x}, labels: {slot: x}}\n", "schedules[1].request.labels.slot: is not allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			names, problems := problemsOf(t, "version: 1\nschedules:"+good+c.entry)
			require.Equal(t, []string{"good"}, names)
			require.Len(t, problems, 1)
			require.Contains(t, problems[0], c.want)
		})
	}
}

func TestParse_ReturnsNothingForInvalidFiles(t *testing.T) {
	t.Parallel()
	for yaml, want := range map[string]string{
		"":                                   "is empty",
		"version: 1\nschedules:\n\t- x":      "line 3: is not YAML: a value or its indentation begins with",
		"schedules: [":                       "is not YAML",
		"version: 2\nschedules: []":          "line 1: version: is",
		"schedules: []":                      "version: is missing",
		"version: 1\nschedules: {}":          "schedules: is of type object; want a list of schedules",
		"version: 1\nschedules: []\nmore: 1": "line 3: more: is not a known field",
		"version: 1\nversion: 1":             "has the field version twice, first in line 1",
		"version: 1\nschedules: []\n---\na":  "has more than one document",
		"- 1":                                "is of type array",
		"version: 1\nschedules: [" + strings.Repeat(" ", declaration.MaxBytes) + "]": "bytes long; want at most 1048576 bytes",
	} {
		names, problems := problemsOf(t, yaml)
		require.Empty(t, names)
		require.NotEmpty(t, problems, yaml)
		require.Contains(t, strings.Join(problems, "\n"), want)
	}
}

// The deployed sample starts nothing, and its commented examples are valid.
func TestSampleFile_StartsNothingAndHasValidExamples(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../schedules.yaml")
	require.NoError(t, err)
	names, problems := problemsOf(t, string(raw))
	require.Empty(t, names)
	require.Empty(t, problems)

	shown := strings.ReplaceAll(strings.Replace(string(raw), "schedules: []", "schedules:", 1), "\n#  ", "\n  ")
	names, problems = problemsOf(t, shown)
	require.Empty(t, problems)
	require.Equal(t, []string{"nightly-files"}, names)
}

func FuzzParse(f *testing.F) {
	f.Add("version: 1\nschedules:" + good)
	f.Add("version: 1\nschedules: [{name: a, cron: 0 0 1 1 1, timeZone: UTC, request: &a {flow: x, parameters: *a}}]")
	f.Fuzz(func(t *testing.T, yaml string) {
		schedules, err := schedule.Parse("schedules.yaml", []byte(yaml), nil)
		var invalid *declaration.Invalid
		if err != nil {
			require.ErrorAs(t, err, &invalid)
			require.NotEmpty(t, invalid.Problems)
		}
		for _, s := range schedules {
			require.NotEmpty(t, s.Timing.Next(utc("2026-01-01T00:00:00"), 1))
		}
	})
}
