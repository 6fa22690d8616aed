package connection

import (
	"errors"
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// Lookup finds a setting by its name, as os.LookupEnv does.
type Lookup func(name string) (value string, ok bool)

// Errors of settings; their text names the settings in question.
var (
	// ErrMissing: a setting that is needed is not there, or empty.
	ErrMissing = errors.New("setting is missing")
	// ErrConflict: two settings contradict one another.
	ErrConflict = errors.New("settings contradict one another")
	// ErrInvalid: a setting holds what it cannot.
	ErrInvalid = errors.New("setting is invalid")
)

// settings are those of one connection.
type settings struct {
	lookup Lookup
	name   string
}

// key is the name of a setting of the connection.
func (s settings) key(part string) string { return s.name + "__" + part }

func (s settings) get(name string) string {
	value, _ := s.lookup(name)
	return strings.TrimSpace(value)
}

// either gives the connection string, or where to go as an identity; one of
// them is empty. place is the part of the setting that says where.
func (s settings) either(place, example string) (connectionString, address string, err error) {
	connectionString, address = s.get(s.name), s.get(s.key(place))
	switch {
	case connectionString != "" && address != "":
		return "", "", fmt.Errorf("%w: %s and %s are both given; remove one", ErrConflict, s.name, s.key(place))
	case connectionString != "":
		for _, part := range []string{"credential", "clientId"} {
			if s.get(s.key(part)) != "" {
				return "", "", fmt.Errorf("%w: %s is a connection string, so %s has no meaning; remove one", ErrConflict, s.name, s.key(part))
			}
		}
	case address == "":
		return "", "", fmt.Errorf("%w: give %s (a connection string) or %s (such as %s)", ErrMissing, s.name, s.key(place), example)
	}
	return connectionString, address, nil
}

// credential gives the identity that the settings describe: the function app's
// own or user-assigned identity, or, where they describe none, the one that
// azidentity finds on a developer's machine.
func (s settings) credential() (azcore.TokenCredential, error) {
	kind, clientID := s.get(s.key("credential")), s.get(s.key("clientId"))
	switch {
	case strings.EqualFold(kind, "managedidentity"):
		managed := &azidentity.ManagedIdentityCredentialOptions{}
		if clientID != "" {
			managed.ID = azidentity.ClientID(clientID)
		}
		credential, err := azidentity.NewManagedIdentityCredential(managed)
		if err != nil {
			return nil, fmt.Errorf("managed identity of connection %s: %w", s.name, err)
		}
		return credential, nil
	case kind != "":
		return nil, fmt.Errorf("%w: %s is %q; want managedidentity", ErrInvalid, s.key("credential"), kind)
	case clientID != "":
		return nil, fmt.Errorf("%w: %s is given without %s; want managedidentity there", ErrMissing, s.key("clientId"), s.key("credential"))
	}
	credential, err := azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		return nil, fmt.Errorf("identity of connection %s: %w", s.name, err)
	}
	return credential, nil
}
