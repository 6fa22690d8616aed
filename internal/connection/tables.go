package connection

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
)

// developmentStorage replaces UseDevelopmentStorage=true: Azurite at its default
// port, with the account and the key that Microsoft publishes for it.
// https://learn.microsoft.com/azure/storage/common/storage-connect-azurite
const developmentStorage = "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;" +
	"AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;" +
	"TableEndpoint=http://127.0.0.1:10002/devstoreaccount1"

// Tables returns a client of the table service of the named connection. It does
// not connect. The errors are ErrMissing, ErrConflict and ErrInvalid; they never
// contain a connection string.
func Tables(lookup Lookup, name string, options *aztables.ClientOptions) (*aztables.ServiceClient, error) {
	s := settings{lookup, name}
	connectionString, address, err := s.either("tableServiceUri", "https://name.table.core.windows.net")
	if err != nil {
		return nil, s.withAccountName(err)
	}
	if strings.EqualFold(strings.TrimSuffix(connectionString, ";"), "UseDevelopmentStorage=true") {
		connectionString = developmentStorage
	}
	if connectionString != "" {
		client, err := aztables.NewServiceClientFromConnectionString(connectionString, options)
		if err != nil {
			// The error of the client may contain parts of the secret.
			return nil, fmt.Errorf("%w: %s is not a storage connection string; use DefaultEndpointsProtocol=https;AccountName=…;AccountKey=…", ErrInvalid, name)
		}
		return client, nil
	}
	uri, err := url.Parse(address)
	if err != nil || uri.Scheme != "https" || uri.Host == "" || uri.RawQuery != "" {
		return nil, fmt.Errorf("%w: %s is not an HTTPS URL without query; use one such as https://name.table.core.windows.net", ErrInvalid, s.key("tableServiceUri"))
	}
	credential, err := s.credential()
	if err != nil {
		return nil, err
	}
	client, err := aztables.NewServiceClient(strings.TrimSuffix(address, "/"), credential, options)
	if err != nil {
		return nil, fmt.Errorf("create table client of connection %s: %w", name, err)
	}
	return client, nil
}

// withAccountName adds a hint to an error if accountName is set. The host accepts
// accountName alone, but it does not name the cloud.
func (s settings) withAccountName(err error) error {
	if s.get(s.key("accountName")) == "" {
		return err
	}
	return fmt.Errorf("%w; %s alone is not enough", err, s.key("accountName"))
}
