package connection_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/connection"
)

const (
	busString     = "Endpoint=sb://127.0.0.1:5672;SharedAccessKeyName=local;SharedAccessKey=c2VjcmV0;UseDevelopmentEmulator=true"
	storageString = "DefaultEndpointsProtocol=http;AccountName=local;AccountKey=c2VjcmV0;TableEndpoint=http://127.0.0.1:10002/local;"
)

func lookup(settings map[string]string) connection.Lookup {
	return func(name string) (string, bool) {
		value, ok := settings[name]
		return value, ok
	}
}

func TestServiceBus_ReadsSettings(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		settings map[string]string
		err      error
		says     []string
	}{
		"connection string": {settings: map[string]string{"Bus": busString}},
		"system-assigned identity": {settings: map[string]string{
			"Bus__fullyQualifiedNamespace": "name.servicebus.windows.net", "Bus__credential": "managedidentity",
		}},
		"user-assigned identity": {settings: map[string]string{
			"Bus__fullyQualifiedNamespace": "name.servicebus.windows.net", "Bus__credential": "managedIdentity", "Bus__clientId": "id",
		}},
		"developer machine": {settings: map[string]string{"Bus__fullyQualifiedNamespace": "name.servicebus.windows.net"}},
		"no setting":        {err: connection.ErrMissing, says: []string{"Bus ", "Bus__fullyQualifiedNamespace"}},
		"empty setting":     {settings: map[string]string{"Bus": " "}, err: connection.ErrMissing},
		"other name":        {settings: map[string]string{"Other": busString}, err: connection.ErrMissing},
		"both": {
			settings: map[string]string{"Bus": busString, "Bus__fullyQualifiedNamespace": "name.servicebus.windows.net"},
			err:      connection.ErrConflict, says: []string{"Bus and Bus__fullyQualifiedNamespace"},
		},
		"connection string and identity": {
			settings: map[string]string{"Bus": busString, "Bus__clientId": "id"},
			err:      connection.ErrConflict, says: []string{"Bus__clientId"},
		},
		"invalid connection string": {
			settings: map[string]string{"Bus": "Endpoint=c2VjcmV0"}, err: connection.ErrInvalid, says: []string{"Bus is not"},
		},
		"invalid host name": {
			settings: map[string]string{"Bus__fullyQualifiedNamespace": "https://name.servicebus.windows.net/"},
			err:      connection.ErrInvalid, says: []string{"Bus__fullyQualifiedNamespace"},
		},
		"unknown credential": {
			settings: map[string]string{"Bus__fullyQualifiedNamespace": "name.servicebus.windows.net", "Bus__credential": "secret"},
			err:      connection.ErrInvalid, says: []string{"Bus__credential", "managedidentity"},
		},
		"client ID without credential": {
			settings: map[string]string{"Bus__fullyQualifiedNamespace": "name.servicebus.windows.net", "Bus__clientId": "id"},
			err:      connection.ErrMissing, says: []string{"Bus__clientId", "Bus__credential"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := connection.ServiceBus(lookup(test.settings), "Bus", nil)
			check(t, err, test.err, test.says)
			require.Equal(t, test.err == nil, client != nil)
		})
	}
}

func TestTables_ReadsSettings(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		settings map[string]string
		err      error
		says     []string
	}{
		"connection string":   {settings: map[string]string{"Storage": storageString}},
		"development storage": {settings: map[string]string{"Storage": "UseDevelopmentStorage=true"}},
		"connection string of Azure": {settings: map[string]string{
			"Storage": "DefaultEndpointsProtocol=https;AccountName=name;AccountKey=c2VjcmV0;EndpointSuffix=core.usgovcloudapi.net",
		}},
		"user-assigned identity": {settings: map[string]string{
			"Storage__tableServiceUri": "https://name.table.core.windows.net/", "Storage__credential": "managedidentity", "Storage__clientId": "id",
		}},
		"no setting": {err: connection.ErrMissing, says: []string{"Storage ", "Storage__tableServiceUri"}},
		"account name only": {
			settings: map[string]string{"Storage__accountName": "name"},
			err:      connection.ErrMissing, says: []string{"Storage__tableServiceUri", "Storage__accountName alone"},
		},
		"both": {
			settings: map[string]string{"Storage": storageString, "Storage__tableServiceUri": "https://name.table.core.windows.net"},
			err:      connection.ErrConflict, says: []string{"Storage and Storage__tableServiceUri"},
		},
		"invalid connection string": {
			settings: map[string]string{"Storage": "AccountKey=c2VjcmV0"}, err: connection.ErrInvalid, says: []string{"Storage is not"},
		},
		"HTTP address": {
			settings: map[string]string{"Storage__tableServiceUri": "http://name.table.core.windows.net"},
			err:      connection.ErrInvalid, says: []string{"Storage__tableServiceUri"},
		},
		"signed address": {
			settings: map[string]string{"Storage__tableServiceUri": "https://name.table.core.windows.net?sig=c2VjcmV0"},
			err:      connection.ErrInvalid, says: []string{"Storage__tableServiceUri"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := connection.Tables(lookup(test.settings), "Storage", nil)
			check(t, err, test.err, test.says)
			require.Equal(t, test.err == nil, client != nil)
		})
	}
}

func TestBlobs_ReadsSettings(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		settings map[string]string
		url      string
		err      error
		says     []string
	}{
		"connection string": {
			settings: map[string]string{"Storage": storageString + "BlobEndpoint=http://127.0.0.1:10000/local;"}, url: "http://127.0.0.1:10000/local",
		},
		"development storage": {settings: map[string]string{"Storage": "UseDevelopmentStorage=true"}, url: "http://127.0.0.1:10000/devstoreaccount1"},
		"connection string of Azure": {settings: map[string]string{
			"Storage": "DefaultEndpointsProtocol=https;AccountName=name;AccountKey=c2VjcmV0;EndpointSuffix=core.usgovcloudapi.net",
		}, url: "https://name.blob.core.usgovcloudapi.net"},
		"user-assigned identity": {settings: map[string]string{
			"Storage__blobServiceUri": "https://name.blob.core.windows.net/", "Storage__credential": "managedidentity", "Storage__clientId": "id",
		}, url: "https://name.blob.core.windows.net"},
		"tables only":  {settings: map[string]string{"Storage": storageString}, err: connection.ErrMissing, says: []string{"no BlobEndpoint"}},
		"no setting":   {err: connection.ErrMissing, says: []string{"Storage ", "Storage__blobServiceUri"}},
		"HTTP address": {settings: map[string]string{"Storage__blobServiceUri": "http://name.blob.core.windows.net"}, err: connection.ErrInvalid, says: []string{"Storage__blobServiceUri"}},
		"signed address": {
			settings: map[string]string{"Storage__blobServiceUri": "https://name.blob.core.windows.net?sig=c2VjcmV0"},
			err:      connection.ErrInvalid, says: []string{"Storage__blobServiceUri"},
		},
		"invalid connection string": {settings: map[string]string{"Storage": "AccountKey=c2VjcmV0"}, err: connection.ErrInvalid, says: []string{"Storage is not"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := connection.Blobs(lookup(test.settings), "Storage", nil)
			check(t, err, test.err, test.says)
			if test.err == nil {
				require.Equal(t, test.url, strings.TrimSuffix(client.URL(), "/"))
			}
		})
	}
}

func check(t *testing.T, err, want error, says []string) {
	t.Helper()
	if want == nil {
		require.NoError(t, err)
		return
	}
	require.ErrorIs(t, err, want)
	for _, words := range says {
		require.ErrorContains(t, err, words)
	}
	require.NotContains(t, err.Error(), "c2VjcmV0", "an error never contains a secret")
}
