package connection

import (
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/messaging/azservicebus"
)

// ServiceBus gives a client of the namespace that the connection of that name
// leads to. Nothing is called yet. The errors are ErrMissing, ErrConflict and
// ErrInvalid; none of them shows a connection string.
func ServiceBus(lookup Lookup, name string, options *azservicebus.ClientOptions) (*azservicebus.Client, error) {
	s := settings{lookup, name}
	connectionString, namespace, err := s.either("fullyQualifiedNamespace", "name.servicebus.windows.net")
	if err != nil {
		return nil, err
	}
	if connectionString != "" {
		client, err := azservicebus.NewClientFromConnectionString(connectionString, options)
		if err != nil {
			// The client's own error may repeat parts of the secret.
			return nil, fmt.Errorf("%w: %s is not a Service Bus connection string; want Endpoint=sb://…;SharedAccessKeyName=…;SharedAccessKey=…", ErrInvalid, name)
		}
		return client, nil
	}
	if strings.ContainsAny(namespace, "/:=; ") {
		return nil, fmt.Errorf("%w: %s is %q; want a host name such as name.servicebus.windows.net", ErrInvalid, s.key("fullyQualifiedNamespace"), namespace)
	}
	credential, err := s.credential()
	if err != nil {
		return nil, err
	}
	client, err := azservicebus.NewClient(namespace, credential, options)
	if err != nil {
		return nil, fmt.Errorf("connection %s: %w", name, err)
	}
	return client, nil
}
