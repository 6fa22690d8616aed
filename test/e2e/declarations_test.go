package e2e

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/connection"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/stack"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/settings"
	"azbackupflow/internal/state"
)

// declare writes a file of declarations and returns its path.
func declare(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// store returns the tables of the app.
func (l *local) store() *state.Store {
	l.t.Helper()
	lookup := func(name string) (string, bool) {
		if name != settings.TablesConnection {
			return "", false
		}
		return l.Tables.ConnectionString(), true
	}
	tables, err := connection.Tables(lookup, settings.TablesConnection, state.ClientOptions())
	require.NoError(l.t, err)
	s, err := state.New(state.Config{Service: tables})
	require.NoError(l.t, err)
	return s
}

// handledUntil sets the time until which the app has handled a schedule.
func (l *local) handledUntil(name, timing string, at time.Time) {
	l.t.Helper()
	s := l.store()
	require.Eventually(l.t, func() bool {
		rows, err := s.LoadScheduleRuns(l.t.Context())
		if err != nil {
			return false
		}
		row := rows[name]
		row.Name, row.Timing, row.Handled, row.Off = name, timing, at, false
		_, err = s.SaveScheduleRun(l.t.Context(), row)
		return err == nil
	}, maxWait, 50*time.Millisecond)
}

// labelled returns the operations with a label.
func (l *local) labelled(name, value string) []api.Operation {
	l.t.Helper()
	var list struct{ Operations []api.Operation }
	res, raw, err := l.try(http.MethodGet, "/operations?pageSize=100&label="+url.QueryEscape(name+"="+value), nil)
	if err != nil || res.StatusCode != http.StatusOK {
		return nil
	}
	require.NoError(l.t, json.Unmarshal(raw, &list))
	return list.Operations
}

// timerFires runs the function of a timer now, as an operator could. It returns
// the status of the host, 0 if there is no host.
func (l *local) timerFires(function string) (status int) {
	l.t.Helper()
	req, err := http.NewRequestWithContext(l.t.Context(), http.MethodPost, l.URL()+"/admin/functions/"+function, strings.NewReader(`{"input":""}`))
	require.NoError(l.t, err)
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	require.NoError(l.t, res.Body.Close())
	return res.StatusCode
}

// deliver posts to the Event Grid webhook of the Functions host.
func (l *local) deliver(method, kind, body string) (*answer, string) {
	l.t.Helper()
	req, err := http.NewRequestWithContext(l.t.Context(), method, l.URL()+"/runtime/webhooks/EventGrid?functionName=protect-new-resource&code=key", strings.NewReader(body))
	require.NoError(l.t, err)
	req.Header.Set("aeg-event-type", kind)
	req.Header.Set("WebHook-Request-Origin", "eventgrid.azure.net")
	res, err := http.DefaultClient.Do(req)
	require.NoError(l.t, err)
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	require.NoError(l.t, err)
	return &answer{res.StatusCode, res.Header}, string(raw)
}

// gridEvent returns an event in the format of ARM, with personal data.
func gridEvent(id, resourceID, more string) string {
	return `{"id":"` + id + `","topic":"/subscriptions/x","subject":"` + resourceID + `","eventType":"Microsoft.Resources.ResourceWriteSuccess",
		"eventTime":"2026-11-21T10:00:00Z","dataVersion":"2","metadataVersion":"1","data":` + eventData(resourceID, more) + `}`
}

func eventData(resourceID, more string) string {
	return `{"claims":{"name":"Alice Example","upn":"alice@example.com"` + more + `},"httpRequest":{"clientIpAddress":"203.0.113.10"},
		"resourceUri":"` + resourceID + `","operationName":"x/write","status":"Succeeded"}`
}

const (
	nightly = `version: 1
schedules:
- name: nightly
  cron: 30 2 * * *
  timeZone: Europe/Berlin
  jitter: PT0S
  select: {vaultId: ` + demoVault + `, type: VM, names: ["VM*"]}
  request: {flow: backup-now, parameters: {}}
- name: often
  cron: "*/5 * * * *"
  timeZone: America/New_York
  missed: all
  missedLimit: 6
  overlap: allow
  request: {flow: backup-now, parameters: {itemId: ` + demoVault + `/backupFabrics/Azure/protectionContainers/none/protectedItems/none}}
- {name: nowhere, cron: 30 2 * * *, timeZone: Europe/Atlantis, request: {flow: backup-now, parameters: {}}}
`
	tagged = `version: 1
rules:
- {name: scratch, exclude: true, match: {names: [tmp-*]}}
- {name: daily, match: {tags: {include: {backup: daily}}}, protect: {vaultId: ` + demoVault + `, policy: schedule1, firstBackup: true}}
- {name: servers, protect: {vaultId: ` + demoBackupVault + `, policy: pgflexpol1}}
`
	demoServer = "/subscriptions/" + armsim.DemoSubscription + "/resourceGroups/pgflextest/providers/Microsoft.DBforPostgreSQL/flexibleServers/pgflextestserver"
)

// TestDeclarations_RunOnceWithTwoHosts runs two hosts with the same schedules,
// queue and tables. Both timers fire at the same minute. Each slot starts once,
// and its backup runs once. Meanwhile Event Grid announces resources.
func TestDeclarations_RunOnceWithTwoHosts(t *testing.T) {
	t.Parallel()
	world := armsim.DemoWorld()
	for i := range world.StorageAccounts {
		if world.StorageAccounts[i].Name == "testvault2" {
			world.StorageAccounts[i].Tags = map[string]string{"Backup": "daily"}
			world.StorageAccounts[i].Shares = append(world.StorageAccounts[i].Shares, armsim.Share{Name: "tmp-1"})
		}
	}
	l := startInTurn(t, stack.Config{SpeedFactor: 200, World: &world, Settings: map[string]string{
		"AZBACKUPFLOW_SCHEDULES": declare(t, "schedules.yaml", nightly), "AZBACKUPFLOW_PROTECTION": declare(t, "protection.yaml", tagged),
	}})
	first := l.Host()
	t.Cleanup(first.Close)
	require.NoError(t, l.StartHost(t.Context()))
	now := time.Now()
	l.handledUntil("nightly", "30 2 * * * Europe/Berlin", now.Add(-50*time.Hour))
	l.handledUntil("often", "*/5 * * * * America/New_York", now.Add(-2*time.Hour))

	t.Run("Event Grid's handshakes are answered", func(t *testing.T) { //nolint:paralleltest // one after the other on one stack
		l := l.in(t)
		res, body := l.deliver(http.MethodPost, "SubscriptionValidation", `[{"id":"v","eventType":"Microsoft.EventGrid.SubscriptionValidationEvent","data":{"validationCode":"512d38b6"}}]`)
		require.Equal(t, http.StatusOK, res.StatusCode)
		require.JSONEq(t, `{"validationResponse":"512d38b6"}`, body)
		res, _ = l.deliver(http.MethodOptions, "", "")
		require.Equal(t, http.StatusOK, res.StatusCode)
		require.Equal(t, "eventgrid.azure.net", res.Header.Get("Webhook-Allowed-Origin"))
	})
	t.Run("a storage account's share is protected and backed up once, even if the event is redelivered", func(t *testing.T) { //nolint:paralleltest // one after the other on one stack
		l := l.in(t)
		batch := "[" + gridEvent("e1", demoAccount, "") + "," + gridEvent("e2", demoAccount, "") + "]"
		for range 3 {
			res, body := l.deliver(http.MethodPost, "Notification", batch)
			require.Equal(t, http.StatusAccepted, res.StatusCode, body)
		}
		ops := l.labelled("rule", "daily")
		require.Len(t, ops, 1)
		l.succeeds(ops[0].ID)
		var list api.DecisionPage
		l.call(http.MethodGet, "/decisions?rule=scratch", nil, &list)
		require.Len(t, list.Decisions, 1)
		require.Equal(t, demoAccount+"/fileServices/default/shares/tmp-1", list.Decisions[0].ResourceID)
		require.Equal(t, "exclude", list.Decisions[0].Outcome)
	})
	t.Run("a server announced by a CloudEvent of 1 MB is protected", func(t *testing.T) { //nolint:paralleltest // one after the other on one stack
		l := l.in(t)
		event := `{"specversion":"1.0","id":"c1","source":"/subscriptions/x","type":"Microsoft.Resources.ResourceWriteSuccess","data":` +
			eventData(demoServer, `,"groups":"`+strings.Repeat("x", 1<<20)+`"`) + `}`
		res, body := l.deliver(http.MethodPost, "Notification", event)
		require.Equal(t, http.StatusAccepted, res.StatusCode, body)
		ops := l.labelled("rule", "servers")
		require.Len(t, ops, 1)
		l.succeeds(ops[0].ID)
	})
	t.Run("an invalid event is rejected without its content, an event of another type is ignored", func(t *testing.T) { //nolint:paralleltest // one after the other on one stack
		l := l.in(t)
		res, body := l.deliver(http.MethodPost, "Notification", `[{"id":"broken","eventType":"Microsoft.Resources.ResourceWriteSuccess","data":`+eventData("/not/an/id?", "")+`},
			{"id":"other","eventType":"Microsoft.Storage.BlobCreated","data":{}}]`)
		require.Equal(t, http.StatusAccepted, res.StatusCode, body)
		page, err := l.store().ListRejected(t.Context(), rejected.Query{})
		require.NoError(t, err)
		require.Len(t, page.Requests, 1)
		require.Equal(t, rejected.Events, page.Requests[0].Source)
		require.Equal(t, "broken", page.Requests[0].MessageID)
		require.Contains(t, page.Requests[0].Reason, "event.data.resourceUri: is not a resource ID")
		require.Empty(t, page.Requests[0].Body)
	})

	t.Run("a share created over SMB, which raises no event, is found by the sweep", func(t *testing.T) { //nolint:paralleltest // one after the other on one stack
		l := l.in(t)
		require.NoError(t, l.ARM.CreateShare(demoAccount, armsim.Share{Name: "over-smb"}))
		require.Equal(t, http.StatusAccepted, l.timerFires("sweep-resources"))
		var found []api.Operation
		require.Eventually(t, func() bool {
			found = l.labelled("source", "sweep")
			return len(found) > 0
		}, maxWait, 50*time.Millisecond)
		require.Len(t, found, 1, "a protected share is left alone")
		require.Contains(t, string(found[0].Parameters), `"over-smb"`)
		l.succeeds(found[0].ID)
	})

	// The timers fire at the full minute.
	var nightlies []api.Operation
	require.Eventually(t, func() bool {
		nightlies = l.labelled("schedule", "nightly")
		return len(nightlies) > 0 && len(l.labelled("schedule", "often")) >= 6
	}, maxWait, 100*time.Millisecond)
	require.Len(t, nightlies, 1, "of the missed runs, one")
	done := l.succeeds(nightlies[0].ID)
	require.NotEmpty(t, done.JobID)
	var machine int
	for _, b := range l.ARM.Backups() {
		if b.FriendlyName == "vm1" {
			machine++
		}
	}
	require.Equal(t, 1, machine)

	slots := map[string]bool{}
	for _, op := range l.labelled("schedule", "often") {
		require.False(t, slots[op.Labels["slot"]], op.Labels["slot"])
		slots[op.Labels["slot"]] = true
		require.Equal(t, 1, strings.Count(say(l.history(op.ID)), "accepted"))
		require.Equal(t, api.Failed, l.await(op.ID).Status, "there is no such item")
	}
	for _, r := range l.ARM.Requests() {
		if r.Kind != "GET token" {
			requireGranted(t, r)
		}
	}
	written := l.says(`"path":"schedules[2].timeZone","problem":"\"Europe/Atlantis\" is not a time zone`)
	for _, personal := range []string{"Alice", "alice@", "203.0.113.10"} {
		require.NotContains(t, written, personal)
	}
}

// TestDeclarations_AppStartsWhenTheyAreInvalid starts the app with invalid
// declaration files. The app starts, logs what it ignores, and everything else
// works. Events are redelivered until they can be decided.
func TestDeclarations_AppStartsWhenTheyAreInvalid(t *testing.T) {
	t.Parallel()
	l := startInTurn(t, stack.Config{SpeedFactor: 200, Settings: map[string]string{
		"AZBACKUPFLOW_SCHEDULES":  declare(t, "schedules.yaml", "schedules: ["),
		"AZBACKUPFLOW_PROTECTION": declare(t, "protection.yaml", "version: 1\nrules:\n- {name: all, exclude: true}\n- {name: never, exclude: true}\n"),
	}})
	res, _ := l.deliver(http.MethodPost, "Notification", "["+gridEvent("e1", demoAccount, "")+"]")
	require.Equal(t, http.StatusInternalServerError, res.StatusCode)
	l.succeeds(l.begin(protect("by-hand")))
	l.says("is not YAML")
	l.says("never decides: the earlier rule all matches everything that it matches")
	_, err := l.store().LoadDecision(context.WithoutCancel(t.Context()), demoAccount)
	require.ErrorIs(t, err, decision.ErrNotFound)
}
