package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client/clienttest"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/settings"
)

// durationPlaces returns, by place, a function that passes a duration there and
// returns what is wrong with it; empty if it is accepted.
func durationPlaces(t *testing.T) map[string]func(text string) string {
	t.Helper()
	s := newShell(t)
	op := s.start(clienttest.Protect("one", "testshare"))
	s.api.Clock.Pass(time.Minute)
	command := func(args ...string) string {
		r := s.run(args...)
		if r.code == 0 {
			return ""
		}
		return r.stderr + r.stdout
	}
	return map[string]func(string) string{
		"wait --timeout": func(text string) string { return command("wait", op.ID, "--timeout="+text) },
		"start --deadline": func(text string) string {
			return command("start", "protect-file-share", "-f", file(t, `{"parameters":`+parametersOfTestshare+`}`), "--deadline="+text, "--dry-run")
		},
		"list --since":         func(text string) string { return command("list", "--since="+text) },
		"summary --since":      func(text string) string { return command("summary", "--since="+text) },
		"GET /api/operations?": func(text string) string { return s.problem("/operations?since=" + url.QueryEscape(text)) },
		"GET /api/rejected?":   func(text string) string { return s.problem("/rejected?since=" + url.QueryEscape(text)) },
		"GET /api/summary?":    func(text string) string { return s.problem("/summary?since=" + url.QueryEscape(text)) },
		"a request file": func(text string) string {
			return command("start", "-f", file(t, `{"flow":"protect-file-share","deadline":`+jsonText(t, text)+`,"parameters":`+parametersOfTestshare+`}`), "--dry-run")
		},
		"schedules.yaml": func(text string) string {
			return command("schedules", "check", "-f", declared(t, "schedules.yml", strings.Replace(someSchedules, "    timeZone: UTC\n", "    timeZone: UTC\n    jitter: "+jsonText(t, text)+"\n", 1)))
		},
		"drills.yaml": func(text string) string {
			return command("drills", "check", "-f", declared(t, "drills.yml", restoreTime.ReplaceAllString(exampleDrills(t), "restoreTime: "+jsonText(t, text))))
		},
		"a setting": func(text string) string {
			_, err := settings.Read(map[string]string{"AZBACKUPFLOW_RETENTION": text})
			return textOf(err)
		},
		"a parameter of a flow": func(text string) string { return rehydrationProblem(t, text) },
	}
}

// problem returns the detail of the response to a GET; empty if it is a success.
func (s *shell) problem(path string) string {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.api.URL+"/api"+path, nil)
	require.NoError(s.t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(s.t, err)
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	require.NoError(s.t, err)
	if res.StatusCode == http.StatusOK {
		return ""
	}
	var p api.Problem
	require.NoError(s.t, json.Unmarshal(raw, &p))
	return p.Detail
}

func jsonText(t *testing.T, text string) string {
	t.Helper()
	raw, err := json.Marshal(text)
	require.NoError(t, err)
	return string(raw)
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// pathOfTest matches the folder of a file.
var pathOfTest = regexp.MustCompile(`/tmp/\S*/`)

// restoreTime matches the first objective of drills.yaml.
var restoreTime = regexp.MustCompile(`restoreTime: \w+`)

// rehydrationProblem returns what the flow restore-postgres says about the time for
// which it keeps a copy.
func rehydrationProblem(t *testing.T, text string) string {
	t.Helper()
	flows, err := flow.New(flow.Config{Now: clienttest.Began})
	require.NoError(t, err)
	f, ok := flows.Newest("restore-postgres")
	require.True(t, ok)
	server := "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.DBforPostgreSQL/servers/s"
	instance := "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/g/providers/Microsoft.DataProtection/backupVaults/v1/backupInstances/i"
	_, err = f.Check(json.RawMessage(`{"backupInstanceId":"` + instance + `","tier":"archive","rehydration":{"priority":"Standard","retention":` + jsonText(t, text) + `},"recoveryPoint":{"latest":true},"asDatabase":{"serverId":"` + server + `","database":"d"}}`))
	if text := textOf(err); strings.Contains(text, "rehydration") {
		return text
	}
	return ""
}

func TestDurations_HaveOneSyntaxEverywhere(t *testing.T) {
	t.Parallel()
	for place, problem := range durationPlaces(t) {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			for _, text := range []string{"36h", "1d12h", "PT36H", "P1DT12H", "2d", "P2D", "1w", "P1W", "2880m"} {
				if place == "schedules.yaml" { // at most 12 hours
					text = map[string]string{"36h": "11h", "1d12h": "1h30m", "PT36H": "PT11H", "P1DT12H": "PT1H30M", "2d": "0.5d", "P2D": "PT12H", "1w": "43200s", "P1W": "PT0.5S", "2880m": "720m"}[text]
				}
				require.Empty(t, problem(text), text)
			}
			for _, text := range []string{"7", "36H", "1M", "PT", "P1H", "soon", "-2d", "7 d", "9999999999w"} {
				got := pathOfTest.ReplaceAllString(problem(text), "")
				require.Contains(t, got, text)
				require.Regexp(t, `36h|6h|10m|90d|15d|at most 12`, got, "%s: says what would be right", text)
				for _, phrase := range libraryPhrases() {
					require.NotContains(t, got, phrase, text)
				}
			}
		})
	}
}
