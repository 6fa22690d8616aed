package autoprotect_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/step"
)

// event returns an event about a resource as Event Grid sends it, with claims and
// addresses, after the samples in the shared facts.
func event(t *testing.T, schema, resourceID string) []byte {
	t.Helper()
	data := map[string]any{
		"authorization": map[string]any{"scope": resourceID, "action": "x/write", "evidence": map[string]any{"principalId": "principal-of-alice"}},
		"claims":        map[string]any{"name": "Alice Example", "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress": "alice@example.com"},
		"httpRequest":   map[string]any{"clientIpAddress": "203.0.113.10"},
		"resourceUri":   resourceID, "operationName": "x/write", "status": "Succeeded",
	}
	e := map[string]any{"id": "event-1", "eventType": "Microsoft.Resources.ResourceWriteSuccess", "subject": resourceID, "data": data, "dataVersion": "2"}
	if schema == "CloudEvents" {
		e = map[string]any{"id": "event-1", "specversion": "1.0", "type": "Microsoft.Resources.ResourceWriteSuccess", "source": "/subscriptions/x", "data": data}
	}
	raw, err := json.Marshal(e)
	require.NoError(t, err)
	return raw
}

func TestHandleEvent_DecidesAboutEveryShareOfAStorageAccount(t *testing.T) {
	t.Parallel()
	for _, schema := range []string{"EventGrid", "CloudEvents"} {
		t.Run(schema, func(t *testing.T) {
			t.Parallel()
			s := newSite(t, "{name: tmp, exclude: true, match: {names: [tmp-*]}}", toDaily)
			require.NoError(t, s.evaluator().HandleEvent(t.Context(), event(t, schema, strings.ToUpper(accountID[:30])+accountID[30:]), "00-trace"))
			ops := s.operations()
			require.Len(t, ops, 1)
			require.Equal(t, "protect-file-share", ops[0].Flow)
			require.Equal(t, map[string]string{"rule": "daily", "source": "event"}, ops[0].Labels)
			require.JSONEq(t, `{"vaultId":"`+vault+`","storageAccountId":"`+accountID+`","fileShare":"orders","policy":"schedule1","firstBackup":{}}`, string(ops[0].Parameters))
			v := s.verdict(ordersID)
			require.Equal(t, decision.Record{
				ResourceID: ordersID, At: s.clock.Now(), Outcome: "protect", Rule: "daily", OperationID: ops[0].ID, Source: "event", EventID: "event-1",
				Created: v.Created, Reason: "protect with policy schedule1 of vault azurefilesvault and start a first backup",
			}, v)
			require.False(t, v.Created.IsZero())
			require.Equal(t, "exclude", s.verdict(tmpID).Outcome)
			require.Equal(t, "tmp", s.verdict(tmpID).Rule)
		})
	}
}

func TestHandleEvent_ProtectsMatchingServersAndRecordsOthers(t *testing.T) {
	t.Parallel()
	s := newSite(t, toDaily, "{name: servers, match: {names: [pg0*]}, "+toBackup+"}")
	s.deliver(serverID)
	ops := s.operations()
	require.Len(t, ops, 1)
	require.Equal(t, "protect-postgres", ops[0].Flow)
	require.Contains(t, string(ops[0].Parameters), `"location":"westus"`)
	s.deliver("/subscriptions/" + subscription + "/resourceGroups/pgflextest/providers/Microsoft.DBforPostgreSQL/flexibleServers/pgflextestserver")
	v := s.verdict("/subscriptions/" + subscription + "/resourceGroups/pgflextest/providers/Microsoft.DBforPostgreSQL/flexibleServers/pgflextestserver")
	require.Equal(t, "none", v.Outcome)
	require.Len(t, s.operations(), 1)
}

// A repeated update of a storage account starts nothing, writes nothing, and costs
// two calls to Azure.
func TestHandleEvent_IgnoresRepeatedUpdates(t *testing.T) {
	t.Parallel()
	s := newSite(t, toDaily)
	s.deliver(accountID)
	require.Len(t, s.operations(), 2)
	at := s.verdict(ordersID).At
	before := s.calls()
	for range 100 {
		s.clock.Advance(time.Minute)
		s.deliver(accountID)
	}
	require.Len(t, s.operations(), 2)
	require.Equal(t, at, s.verdict(ordersID).At)
	require.Equal(t, 200, s.calls()-before)
}

func TestHandleEvent_RecordsDryRunRulesAndStartsNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t, "{name: try, dryRun: true, "+toVault+"}")
	s.deliver(ordersID)
	require.Empty(t, s.operations())
	v := s.verdict(ordersID)
	require.Equal(t, "none", v.Outcome)
	require.Equal(t, []string{"try: protect with policy schedule1 of vault azurefilesvault"}, v.DryRunMatches)
}

func TestHandleEvent_NeverStoresOrLogsPersonalData(t *testing.T) {
	t.Parallel()
	s := newSite(t, toDaily)
	s.deliver(accountID)
	kept, err := json.Marshal([]any{s.operations(), s.verdict(ordersID), s.verdict(tmpID)})
	require.NoError(t, err)
	for _, secret := range []string{"Alice", "alice@", "principal-of-alice", "203.0.113.10"} {
		require.NotContains(t, string(kept), secret)
		require.NotContains(t, s.logged(), secret)
	}
}

func TestHandleEvent_RejectsInvalidEventsAndIgnoresOtherTypes(t *testing.T) {
	t.Parallel()
	s := newSite(t, toDaily)
	for raw, want := range map[string]string{
		"":                         "event: is not an Event Grid event",
		"[1]":                      "event: is not an Event Grid event",
		`{"id":"e","eventType":1}`: "event: is not an Event Grid event",
		`{"eventType":"Microsoft.Resources.ResourceWriteSuccess"}`: "event.id: is missing",
		`{"id":"e"}`: "event.type: is missing",
		`{"id":"e","eventType":"Microsoft.Resources.ResourceWriteSuccess","data":{}}`:                                                    "event.data.resourceUri: is missing",
		`{"id":"e","eventType":"Microsoft.Resources.ResourceWriteSuccess","data":{"resourceUri":"x"}}`:                                   "event.data.resourceUri: is not a resource ID",
		`{"id":"e","eventType":"Microsoft.Resources.ResourceWriteSuccess","data":{"resourceUri":"/` + strings.Repeat("x", 1<<20) + `"}}`: "event.data.resourceUri: is 1048577 bytes long; want a resource ID of at most 2048 bytes",
	} {
		var invalid *step.Invalid
		err := s.evaluator().HandleEvent(t.Context(), []byte(raw), "")
		require.ErrorAs(t, err, &invalid)
		require.Contains(t, err.Error(), want)
		require.Less(t, len(err.Error()), 300)
	}
	for _, raw := range []string{
		`{"id":"e","eventType":"Microsoft.Resources.ResourceDeleteSuccess","data":{"resourceUri":"` + accountID + `"}}`,
		`{"id":"e","specversion":"1.0","type":"Microsoft.Storage.BlobCreated","data":{}}`,
		string(event(t, "EventGrid", group+"Microsoft.Compute/virtualMachines/vm1")),
		string(event(t, "EventGrid", accountID+"/privateEndpointConnections/x")),
		string(event(t, "EventGrid", group+"Microsoft.Storage/storageAccounts/gone")),
	} {
		require.NoError(t, s.evaluator().HandleEvent(t.Context(), []byte(raw), ""))
	}
	require.Empty(t, s.operations())
}

func TestParseEvent_AcceptsBothSchemas(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"eventGridTrigger.json", "eventGridCloudEvent.json"} {
		raw, err := os.ReadFile(filepath.Join("../../../shared/facts/host-payloads", name))
		if err != nil {
			t.Skip("shared samples are not available")
		}
		var envelope struct {
			Data struct{ Event json.RawMessage }
		}
		require.NoError(t, json.Unmarshal(raw, &envelope))
		e, err := autoprotect.ParseEvent(envelope.Data.Event)
		require.NoError(t, err)
		require.Equal(t, "Microsoft.Resources.ResourceWriteSuccess", e.Type)
		require.Contains(t, e.ResourceID, "Microsoft.Compute/virtualMachines/vm-app-01")
	}
}

func TestHandleEvent_FailsWhileAzureIsUnavailable(t *testing.T) {
	t.Parallel()
	s := newSite(t, toDaily)
	remove := s.arm.Inject(armsim.Rule{Kind: "GET storageAccounts", Effect: armsim.Answer(503, "", nil)})
	require.Error(t, s.evaluator().HandleEvent(t.Context(), event(t, "EventGrid", accountID), ""))
	remove()
	s.deliver(accountID)
	require.Len(t, s.operations(), 2)
}
