package dashboard_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client"
	"azbackupflow/internal/settings"
)

// declared are the schedules, drills and rules of the stack, by their files in the package.
func declared() map[string]string {
	const vault = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/azurefiles/providers/Microsoft.RecoveryServices/vaults/azurefilesvault"
	return map[string]string{
		"schedules.yaml": `version: 1
schedules:
  - name: nightly-machines
    cron: "30 2 * * *"
    timeZone: Europe/Berlin
    select: {vaultId: ` + vault + `, type: VM}
    request: {flow: backup-now, parameters: {}, labels: {team: machines}}
  - name: hourly-orders
    cron: "5 6-20/2 * * 1-5"
    timeZone: America/New_York
    select: {vaultId: ` + vault + `, type: SQLDataBase, names: ["orders*"]}
    request: {flow: backup-now, parameters: {}, labels: {team: databases}}
`,
		"drills.yaml": `version: 1
drills:
  - name: monthly-files
    cron: "0 4 1 * *"
    timeZone: Europe/Berlin
    select: {vaultId: ` + vault + `, type: AzureFileShare, count: 3}
    point: {rule: latest}
    target:
      storageAccountId: /subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/drills/providers/Microsoft.Storage/storageAccounts/drillaccount
    objectives: {restoreTime: 4h, pointAge: 30d}
    validation: {by: none}
    cleanUp: delete
    evidence: {retention: 400d}
`,
		"protection.yaml": `version: 1
rules:
  - name: exclude-scratch
    exclude: true
    match: {resourceGroups: ["rg-scratch-*"]}
  - name: western-shares
    match: {locations: [westeurope]}
    protect: {vaultId: ` + vault + `, policy: schedule1}
`,
	}
}

// declare writes the declarations into a package.
func declare(dist string) error {
	for name, text := range declared() {
		if err := os.WriteFile(filepath.Join(dist, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// populate starts operations of several flows, and returns one that has succeeded.
// One fails, one is paused.
func (s *site) populate() (ended string) {
	s.t.Helper()
	ended = s.start("protect-file-share", "shown")
	s.end(ended)
	var all []string
	for _, file := range []string{"protect-postgres", "protect-mysql", "protect-disk", "protect-blobs-vaulted", "protect-cluster", "backup-now-vm", "stop-protection"} {
		all = append(all, s.start(file, "first of "+file))
	}
	wrong := s.request("protect-mysql", "wrong")
	var parameters map[string]any
	require.NoError(s.t, json.Unmarshal(wrong.Parameters, &parameters))
	parameters["policy"] = "gone"
	raw, err := json.Marshal(parameters)
	require.NoError(s.t, err)
	wrong.Parameters = raw
	failed, err := s.client.Start(s.t.Context(), wrong)
	require.NoError(s.t, err)
	for _, id := range append(all, failed.ID) {
		s.end(id)
	}
	got, err := s.client.Get(s.t.Context(), failed.ID)
	require.NoError(s.t, err)
	require.Equal(s.t, api.Failed, got.Status)
	s.runDeclared()
	held := s.start("backup-now-postgres", "held") // an item that no other operation of the test changes
	_, err = s.client.Pause(s.t.Context(), held, "maintenance of the database")
	require.NoError(s.t, err)
	require.Eventually(s.t, func() bool {
		page, err := s.client.List(s.t.Context(), api.OperationQuery{Paused: true})
		return err == nil && len(page.Operations) == 1
	}, maxWait, 50*time.Millisecond)
	return ended
}

// runDeclared requests a run of a schedule and of the drill, and waits for an ended
// operation of the one and the evidence of the other.
func (s *site) runDeclared() {
	s.t.Helper()
	_, err := s.client.RunSchedule(s.t.Context(), "nightly-machines", "before-the-upgrade", "test of the upgrade")
	require.NoError(s.t, err)
	_, err = s.client.RunDrill(s.t.Context(), "monthly-files", "audit", "audit")
	require.NoError(s.t, err)
	require.Eventually(s.t, func() bool {
		evidence, err := s.client.ListEvidence(s.t.Context(), api.EvidenceQuery{})
		return err == nil && len(evidence.Evidence) > 0
	}, maxWait, 50*time.Millisecond)
	require.Eventually(s.t, func() bool {
		page, err := s.client.List(s.t.Context(), api.OperationQuery{Schedule: "nightly-machines"})
		return err == nil && len(page.Operations) > 0 && page.Operations[0].Status.Terminal()
	}, maxWait, 50*time.Millisecond)
}

// end waits until an operation has ended.
func (s *site) end(id string) {
	s.t.Helper()
	_, err := s.client.Wait(s.t.Context(), id, func(client.Update) {})
	require.NoError(s.t, err)
}

// reject sends a request without its parameters to the queue, and returns the ID of the
// rejected request.
func (s *site) reject() (id string) {
	s.t.Helper()
	bus, err := azservicebus.NewClientFromConnectionString(s.bus, nil)
	require.NoError(s.t, err)
	defer func() { _ = bus.Close(s.t.Context()) }()
	sender, err := bus.NewSender(settings.RequestsQueue, nil)
	require.NoError(s.t, err)
	body := []byte(`{"flow": "backup-now", "key": "corrected", "parameters": {}}`)
	require.NoError(s.t, sender.SendMessage(s.t.Context(), &azservicebus.Message{Body: body}, nil))
	require.Eventually(s.t, func() bool {
		page, err := s.client.ListRejected(s.t.Context(), api.RejectedQuery{})
		if err == nil && len(page.Rejected) == 1 {
			id = page.Rejected[0].ID
		}
		return id != ""
	}, maxWait, 50*time.Millisecond)
	return id
}
