package connection

import (
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
)

// ServiceBus returns a client of the namespace of the named connection. It does
// not connect. The errors are ErrMissing, ErrConflict and ErrInvalid; they never
// contain a connection string.
func ServiceBus(lookup Lookup, name string, options *azservicebus.ClientOptions) (*azservicebus.Client, error) {
	s := settings{lookup, name}
	connectionString, namespace, err := s.either("fullyQualifiedNamespace", "name.servicebus.windows.net")
	if err != nil {
		return nil, err
	}
	if connectionString != "" {
		client, err := azservicebus.NewClientFromConnectionString(connectionString, options)
		if err != nil {
			// The error of the client may contain parts of the secret.
			return nil, fmt.Errorf("%w: %s is not a Service Bus connection string; use Endpoint=sb://…;SharedAccessKeyName=…;SharedAccessKey=…", ErrInvalid, name)
		}
		return client, nil
	}
	if strings.ContainsAny(namespace, "/:=; ") {
		return nil, fmt.Errorf("%w: %s is %q; use a host name such as name.servicebus.windows.net", ErrInvalid, s.key("fullyQualifiedNamespace"), namespace)
	}
	credential, err := s.credential()
	if err != nil {
		return nil, err
	}
	client, err := azservicebus.NewClient(namespace, credential, options)
	if err != nil {
		return nil, fmt.Errorf("create Service Bus client of connection %s: %w", name, err)
	}
	return client, nil
}
