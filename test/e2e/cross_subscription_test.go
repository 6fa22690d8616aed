package e2e

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/local/stack"
)

func TestProtectFileShare_AccountInAnotherSubscription(t *testing.T) {
	t.Parallel()
	const elsewhere = "11111111-1111-1111-1111-111111111111"
	world := armsim.DemoWorld()
	account := armsim.StorageAccount{
		Subscription: elsewhere, ResourceGroup: "apps", Name: "elsewhere", Location: world.Vaults[0].Location,
		Shares: []armsim.Share{{Name: "testshare"}},
	}
	world.StorageAccounts = append(world.StorageAccounts, account)
	world.Vaults[0].OtherSubscriptions = []string{elsewhere}
	l := start(t, stack.Config{SpeedFactor: 300, World: &world})

	// The demo account has a share of the same name. Only both names together
	// identify the share.
	request := protect("elsewhere")
	request["parameters"] = fileShare{account.ID(), "testshare"}.parameters()
	done := l.succeeds(l.begin(request))

	require.True(t, strings.EqualFold(account.ID(), done.Learned["sourceResourceId"]), done.Learned)
	require.Len(t, l.ARM.Backups(), 1)
	require.Contains(t, l.ARM.Backups()[0].Container, "elsewhere")
}
