package connection

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/data/aztables"
)

// developmentStorage is what UseDevelopmentStorage=true stands for: Azurite at
// its usual port, with the account and the key that Microsoft publishes for it.
// https://learn.microsoft.com/azure/storage/common/storage-connect-azurite
const developmentStorage = "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;" +
	"AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;" +
	"TableEndpoint=http://127.0.0.1:10002/devstoreaccount1"

// Tables gives a client of the table service that the connection of that name
// leads to. Nothing is called yet. The errors are ErrMissing, ErrConflict and
// ErrInvalid; none of them shows a connection string.
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
			// The client's own error may repeat parts of the secret.
			return nil, fmt.Errorf("%w: %s is not a storage connection string; want DefaultEndpointsProtocol=https;AccountName=…;AccountKey=…", ErrInvalid, name)
		}
		return client, nil
	}
	uri, err := url.Parse(address)
	if err != nil || uri.Scheme != "https" || uri.Host == "" || uri.RawQuery != "" {
		return nil, fmt.Errorf("%w: %s is not an https address such as https://name.table.core.windows.net", ErrInvalid, s.key("tableServiceUri"))
	}
	credential, err := s.credential()
	if err != nil {
		return nil, err
	}
	client, err := aztables.NewServiceClient(strings.TrimSuffix(address, "/"), credential, options)
	if err != nil {
		return nil, fmt.Errorf("connection %s: %w", name, err)
	}
	return client, nil
}

// withAccountName adds to an error what is missing beside an accountName: the
// host itself makes do with that, but it does not tell the cloud.
func (s settings) withAccountName(err error) error {
	if s.get(s.key("accountName")) == "" {
		return err
	}
	return fmt.Errorf("%w; %s alone is not enough", err, s.key("accountName"))
}
