package state_test

import (
	"errors"
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/azurite"
	"azbackupflow/internal/state"
	"azbackupflow/internal/state/statetest"
)

func TestStore_TableStorage(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("needs Azurite and takes some seconds")
	}
	a := startAccount(t)
	t.Run("keeps the contract", func(t *testing.T) {
		t.Parallel()
		statetest.Run(t, func(t *testing.T) statetest.Store { return a.store(t, nil) })
	})
	for name, test := range map[string]func(*testing.T, *account){
		"a step costs one read and one transaction":               stepCosts,
		"a create costs two requests":                             acceptCosts,
		"an end costs one request more than a step":               endCosts,
		"a crash within Finalize is repaired by FinalizeByID":     crashWithinFinalize,
		"a Reopen during Finalize keeps its marker":               reopenDuringFinalize,
		"entries without a row are not listed and are deleted":    orphansDeleted,
		"entries of a second create are not listed":               orphansOfSecondCreate,
		"a row without a marker is finalized":                     finalizeWithoutMarker,
		"a rare label is listed without reading other operations": rareLabel,
		"tables are created once":                                 tablesOnce,
		"the creation of tables is retried":                       tablesAgain,
		"a save with a lost answer is recognized by its write ID": lostSave,
		"a create with a lost answer returns the row":             lostCreate,
		"an answer without ETag costs one more read":              answerWithoutETag,
		"an unavailable service is reported within seconds":       serviceUnavailable,
		"a missing table is not a missing operation":              missingTable,
		"FinalizeByID repairs a lost index":                       indexRepaired,
		"an operation that cannot be listed is not created":       listedOrNotCreated,
		"a crash before the row leaves a marker":                  crashBeforeRow,
		"a crash within FinalizeByID is repaired by the next":     crashWithinFinalizeByID,
		"a Reopen during FinalizeByID keeps its marker":           reopenDuringFinalizeByID,
		"tracking URLs are only in the row":                       urlsInTheRowOnly,
		"columns describe the operation":                          columns,
		"a retry during Expire keeps its operation":               retryDuringExpire,
		"a new holder during Expire keeps its lock":               newHolderDuringExpire,
		"an overtaken purge reports more":                         purgeOvertaken,
		"an overtaken purge counts what it has deleted":           purgeOvertakenLater,
		"operations of 0.1.0 are listed, finalized and expired":   earlierLayout,
		"operations of 0.1.0 are retried and created again":       earlierLayoutChanged,
		"a client without the policy of transactions fails":       clientWithoutPolicy,
		"errors have one line":                                    errorsAreOneLine,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, a)
		})
	}
}

// account is a storage account. Each test uses its own table prefix.
type account struct {
	connection string
	stores     atomic.Int64
}

func startAccount(t *testing.T) *account {
	t.Helper()
	server, err := azurite.New(t.Context(), azurite.Config{})
	if errors.Is(err, azurite.ErrNotInstalled) {
		t.Skip(err)
	}
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Stop()) })
	return &account{connection: server.ConnectionString()}
}

// store returns an empty store. change may change the options of the client.
func (a *account) store(t *testing.T, change func(*aztables.ClientOptions)) *state.Store {
	t.Helper()
	return a.storeAt(t, fmt.Sprintf("t%d", a.stores.Add(1)), change)
}

func (a *account) storeAt(t *testing.T, prefix string, change func(*aztables.ClientOptions)) *state.Store {
	t.Helper()
	options := state.ClientOptions()
	if change != nil {
		change(options)
	}
	service, err := aztables.NewServiceClientFromConnectionString(a.connection, options)
	require.NoError(t, err)
	s, err := state.New(state.Config{Service: service, TablePrefix: prefix})
	require.NoError(t, err)
	return s
}

// A client that was not created with state.ClientOptions sends no transaction, and
// changes nothing instead.
func clientWithoutPolicy(t *testing.T, a *account) {
	s := a.storeAt(t, "nopolicy", func(o *aztables.ClientOptions) { o.PerCallPolicies = nil })
	op := newOperation("a")
	_, _, err := s.Create(t.Context(), op, eventOf(op))
	require.Error(t, err)
	require.Empty(t, live(t, s))
}
