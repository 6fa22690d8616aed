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

func TestTableStorage(t *testing.T) {
	t.Parallel()
	a := startAccount(t)
	t.Run("KeepsTheContract", func(t *testing.T) {
		t.Parallel()
		statetest.Run(t, func(t *testing.T) statetest.Store { return a.store(t, nil) })
	})
	for name, test := range map[string]func(*testing.T, *account){
		"StepCostsOneReadAndOneTransaction":         stepCosts,
		"AcceptingCostsFourRequests":                acceptCosts,
		"EndCostsTwoRequestsMoreThanAStep":          endCosts,
		"CrashWithinSettleIsMendedByClose":          crashWithinSettle,
		"ReopenDuringSettleKeepsItsMarker":          reopenDuringSettle,
		"EntriesWithoutARowAreNotListedAndRemoved":  straysRemoved,
		"EntriesOfASecondCreateAreNotListed":        straysOfSecondCreate,
		"RowOfAnEarlierVersionIsClosedWhole":        settleWithoutMarker,
		"RareLabelIsListedWithoutReadingTheOthers":  rareLabel,
		"TablesAreCreatedOnce":                      tablesOnce,
		"TablesAreTriedAgainAfterAFailure":          tablesAgain,
		"SaveWhoseAnswerWasLostIsFoundByItsWriteID": lostSave,
		"CreateWhoseAnswerWasLostIsFound":           lostCreate,
		"AnswerWithoutETagCostsOneMoreRead":         answerWithoutETag,
		"ServiceThatIsAwayShowsWithinSeconds":       serviceAway,
		"MissingTableIsNotAMissingOperation":        missingTable,
		"LostIndexIsMendedByClose":                  indexMendedByClose,
		"WhatCannotBeListedIsNotCreated":            listedOrNotCreated,
		"CrashBeforeTheRowLeavesAMarker":            crashBeforeRow,
		"CrashWithinCloseIsMendedByTheNext":         crashWithinClose,
		"ReopenDuringCloseKeepsItsMarker":           reopenDuringClose,
		"TrackingURLsAreInTheRowOnly":               urlsInTheRowOnly,
		"ColumnsTellPeopleWhereAnOperationStands":   columns,
		"ErrorsAreOneLine":                          errorsAreOneLine,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, a)
		})
	}
}

// account is a storage account that each test has a corner of.
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

// store gives an empty store. change may change the client's options.
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
