package drillplace_test

import (
	"context"
	"flag"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm/armtest"
	"azbackupflow/internal/arm/drillplace"
)

var update = flag.Bool("update", false, "write golden files")

const (
	group     = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/drills"
	account   = group + "/providers/Microsoft.Storage/storageAccounts/drillaccount"
	share     = account + "/fileServices/default/shares/place"
	container = account + "/blobServices/default/containers/place"
	disk      = group + "/providers/Microsoft.Compute/disks/place"
)

func TestGet_ReadsEachKindOfPlace(t *testing.T) {
	t.Parallel()
	for id, c := range map[string]struct {
		answer string
		want   drillplace.Place
	}{
		share: {
			`{"id":"x","properties":{"metadata":{"AzBackupFlowDrill":"op1"},"shareUsageBytes":4096}}`,
			drillplace.Place{ID: "x", Mark: "op1", Bytes: 4096, Ready: true},
		},
		container: {
			`{"id":"x","properties":{"metadata":null,"lastModifiedTime":"2026-01-02T03:04:05.0000000Z"}}`,
			drillplace.Place{ID: "x", Ready: true, Modified: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
		},
		disk: {
			`{"id":"x","tags":{"azbackupflow-drill":"op1"},"properties":{"diskSizeGB":4,"diskState":"Unattached","provisioningState":"Succeeded","timeCreated":"2026-01-02T03:04:05Z"}}`,
			drillplace.Place{
				ID: "x", Mark: "op1", Tags: map[string]string{"azbackupflow-drill": "op1"}, Bytes: 4 << 30, State: "Unattached", Ready: true,
				Created: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
			},
		},
	} {
		server, _ := armtest.Serve(t, armtest.Says(c.answer))
		got, err := drillplace.New(armtest.Client(t, server)).Get(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, c.want, got)
	}
}

func TestRequests_AreGolden(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		operation string
		call      func(context.Context, *drillplace.Client) error
	}{
		"get-share":      {"FileShares_Get", func(ctx context.Context, c *drillplace.Client) error { _, err := c.Get(ctx, share); return err }},
		"get-container":  {"BlobContainers_Get", func(ctx context.Context, c *drillplace.Client) error { _, err := c.Get(ctx, container); return err }},
		"get-disk":       {"Disks_Get", func(ctx context.Context, c *drillplace.Client) error { _, err := c.Get(ctx, disk); return err }},
		"make-share":     {"FileShares_Create", func(ctx context.Context, c *drillplace.Client) error { return c.Make(ctx, share, "op1") }},
		"make-container": {"BlobContainers_Create", func(ctx context.Context, c *drillplace.Client) error { return c.Make(ctx, container, "op1") }},
		"mark-container": {"BlobContainers_Update", func(ctx context.Context, c *drillplace.Client) error { return c.Mark(ctx, container, "op1", nil) }},
		"mark-disk": {"Disks_Update", func(ctx context.Context, c *drillplace.Client) error {
			return c.Mark(ctx, disk, "op1", map[string]string{"team": "a"})
		}},
		"delete-share":     {"FileShares_Delete", func(ctx context.Context, c *drillplace.Client) error { return c.Delete(ctx, share) }},
		"delete-container": {"BlobContainers_Delete", func(ctx context.Context, c *drillplace.Client) error { return c.Delete(ctx, container) }},
		"delete-disk":      {"Disks_Delete", func(ctx context.Context, c *drillplace.Client) error { return c.Delete(ctx, disk) }},
		"list-disks":       {"Disks_ListByResourceGroup", func(ctx context.Context, c *drillplace.Client) error { _, err := c.ListDisks(ctx, group); return err }},
		"get-account": {"StorageAccounts_GetProperties", func(ctx context.Context, c *drillplace.Client) error {
			_, err := c.BlobEndpoint(ctx, account)
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server, sent := armtest.Serve(t, armtest.Says(`{"value":[]}`))
			require.NoError(t, c.call(t.Context(), drillplace.New(armtest.Client(t, server))))
			require.Len(t, sent(), 1)
			request := sent()[0]
			request.Operation = c.operation
			armtest.Golden(t, name, request, *update)
		})
	}
}

func TestListDisks_ReadsAllPages(t *testing.T) {
	t.Parallel()
	server, sent := armtest.Serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("page") == "" {
			armtest.Says(`{"value":[{"id":"`+disk+`1","managedBy":"/vm","properties":{"osType":"Linux","provisioningState":"Deleting"}}],"nextLink":"`+group+`?page=2"}`)(w, r)
			return
		}
		armtest.Says(`{"value":[{"id":"`+disk+`2"}]}`)(w, r)
	})
	disks, err := drillplace.New(armtest.Client(t, server)).ListDisks(t.Context(), group+"/")
	require.NoError(t, err)
	require.Len(t, sent(), 2)
	require.Equal(t, []drillplace.Place{{ID: disk + "1", System: true, Attached: true, Deleting: true}, {ID: disk + "2", Ready: true}}, disks)
	for _, id := range []string{account, disk, ""} {
		_, err := drillplace.New(armtest.Client(t, server)).ListDisks(t.Context(), id)
		require.ErrorContains(t, err, "not the resource ID of a resource group")
	}
}

func TestClient_CallsOnlyPlaces(t *testing.T) {
	t.Parallel()
	server, sent := armtest.Serve(t, armtest.Says(`{}`))
	client := drillplace.New(armtest.Client(t, server))
	for _, id := range []string{account, "", account + "/fileServices/default", group} {
		require.ErrorContains(t, client.Delete(t.Context(), id), "not the resource ID of a file share")
		_, err := client.Get(t.Context(), id)
		require.Error(t, err)
	}
	require.Empty(t, sent())
}

func TestBlobEndpoint_ReadsTheAccount(t *testing.T) {
	t.Parallel()
	server, _ := armtest.Serve(t, armtest.Says(`{"properties":{"primaryEndpoints":{"blob":"https://drillaccount.blob.core.windows.net/"}}}`))
	got, err := drillplace.New(armtest.Client(t, server)).BlobEndpoint(t.Context(), account)
	require.NoError(t, err)
	require.Equal(t, "https://drillaccount.blob.core.windows.net/", got)
}

// A restored disk has the tags of its source, which may have the name of the mark
// without a value. It must not replace the mark.
func TestMark_ReplacesAMarkWithoutAValue(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"azbackupflow-drill", "AzBackupFlow-Drill"} {
		server, sent := armtest.Serve(t, armtest.Says(`{}`))
		require.NoError(t, drillplace.New(armtest.Client(t, server)).Mark(t.Context(), disk, "op1", map[string]string{"team": "a", name: ""}))
		require.JSONEq(t, `{"tags":{"azbackupflow-drill":"op1","team":"a"}}`, string(sent()[0].Body))
	}
}
