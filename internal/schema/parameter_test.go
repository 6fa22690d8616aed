package schema_test

import (
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/schema"
)

func TestResourceTypes_RestoresTheTypesOfAPattern(t *testing.T) {
	t.Parallel()
	for _, types := range [][]string{
		{"Microsoft.RecoveryServices/vaults"},
		{"Microsoft.DBforPostgreSQL/flexibleServers"},
		{"Microsoft.Storage/storageAccounts/blobServices/containers"},
		{"Microsoft.RecoveryServices/vaults/backupJobs", "Microsoft.DataProtection/backupVaults/backupJobs"},
	} {
		var patterns []string
		for _, resourceType := range types {
			patterns = append(patterns, schema.ResourceID(resourceType))
		}
		require.Equal(t, types, schema.ResourceTypes(schema.Matches(patterns...)))
	}
	below := schema.Matches(schema.VaultID("Microsoft.RecoveryServices/vaults", "backupFabrics", "protectionContainers"))
	require.Equal(t, []string{"Microsoft.RecoveryServices/vaults/backupFabrics/protectionContainers"}, schema.ResourceTypes(below))
	for _, none := range []schema.Object{nil, schema.OneOf("a"), schema.NotEmpty(), schema.Matches(`https://[a-z/]+`)} {
		require.Empty(t, schema.ResourceTypes(none))
	}
}

func TestParameters_ListHasEveryField(t *testing.T) {
	t.Parallel()
	type inner struct {
		ID string `json:"id"`
	}
	type outer struct {
		Name   string            `json:"name"`
		Inner  *inner            `json:"inner"`
		At     *time.Time        `json:"at"`
		Count  int               `json:"count"`
		Share  float64           `json:"share"`
		On     *bool             `json:"on"`
		Tags   map[string]string `json:"tags"`
		Names  []string          `json:"names"`
		Others []inner           `json:"others"`
	}
	list := schema.Parameters{Type: reflect.TypeFor[outer](), Fields: schema.Fields{
		"name":     {Required: true, Meaning: "a name", Rule: schema.OneOf("a", "b")},
		"inner.id": {Rule: schema.Matches(schema.ResourceID("Microsoft.Storage/storageAccounts"))},
	}}.List()
	kinds := map[string]schema.Kind{}
	for _, p := range list {
		kinds[p.Path] = p.Kind
	}
	require.Equal(t, map[string]schema.Kind{
		"name": schema.Text, "inner": schema.ObjectKind, "inner.id": schema.Text, "at": schema.Time, "count": schema.Integer, "share": schema.Number,
		"on": schema.Boolean, "tags": schema.Map, "names": schema.TextList, "others": schema.Other,
	}, kinds)
	require.Equal(t, "name", list[0].Path)
	require.True(t, list[0].Required)
	require.Equal(t, []string{"a", "b"}, list[0].Values)
	require.Equal(t, "inner", list[1].Path)
	require.Equal(t, "inner.id", list[2].Path, "the fields of an object follow it")
	require.Equal(t, []string{"Microsoft.Storage/storageAccounts"}, list[2].ResourceTypes)
}
