package connection

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"
)

// developmentBlobs is the blob endpoint of UseDevelopmentStorage=true.
const developmentBlobs = ";BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1"

// Blobs returns a client of the blob service of the named connection. It does not
// connect. The errors are ErrMissing, ErrConflict and ErrInvalid; they never contain a
// connection string.
func Blobs(lookup Lookup, name string, options *service.ClientOptions) (*service.Client, error) {
	s := settings{lookup, name}
	connectionString, address, err := s.either("blobServiceUri", "https://name.blob.core.windows.net")
	if err != nil {
		return nil, s.withAccountName(err)
	}
	if strings.EqualFold(strings.TrimSuffix(connectionString, ";"), "UseDevelopmentStorage=true") {
		connectionString = developmentStorage + developmentBlobs
	}
	if connectionString != "" {
		// Without the endpoint, the client would use one in Azure.
		if strings.Contains(connectionString, "TableEndpoint=") && !strings.Contains(connectionString, "BlobEndpoint=") {
			return nil, fmt.Errorf("%w: %s has a TableEndpoint and no BlobEndpoint; add the BlobEndpoint of the storage account", ErrMissing, name)
		}
		client, err := service.NewClientFromConnectionString(connectionString, options)
		if err != nil {
			// The error of the client may contain parts of the secret.
			return nil, fmt.Errorf("%w: %s is not a storage connection string; use DefaultEndpointsProtocol=https;AccountName=…;AccountKey=…", ErrInvalid, name)
		}
		return client, nil
	}
	uri, err := url.Parse(address)
	if err != nil || uri.Scheme != "https" || uri.Host == "" || uri.RawQuery != "" {
		return nil, fmt.Errorf("%w: %s is not an HTTPS URL without query; use one such as https://name.blob.core.windows.net", ErrInvalid, s.key("blobServiceUri"))
	}
	credential, err := s.credential()
	if err != nil {
		return nil, err
	}
	client, err := service.NewClient(strings.TrimSuffix(address, "/"), credential, options)
	if err != nil {
		return nil, fmt.Errorf("create blob client of connection %s: %w", name, err)
	}
	return client, nil
}
