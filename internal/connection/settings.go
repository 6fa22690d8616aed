package connection

import (
	"errors"
	"fmt"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// Lookup returns a setting by its name, as os.LookupEnv does.
type Lookup func(name string) (value string, ok bool)

// Errors of settings. Their texts name the settings.
var (
	// ErrMissing reports a required setting that is missing or empty.
	ErrMissing = errors.New("setting is missing")
	// ErrConflict reports two settings that exclude each other.
	ErrConflict = errors.New("settings conflict")
	// ErrInvalid reports a setting with an invalid value.
	ErrInvalid = errors.New("setting is invalid")
)

// settings are the settings of one connection.
type settings struct {
	lookup Lookup
	name   string
}

// key returns the name of a setting of the connection.
func (s settings) key(part string) string { return s.name + "__" + part }

func (s settings) get(name string) string {
	value, _ := s.lookup(name)
	return strings.TrimSpace(value)
}

// either returns the connection string or the address of the endpoint; the other
// one is empty. The part is the end of the setting name that holds the address.
func (s settings) either(part, example string) (connectionString, address string, err error) {
	connectionString, address = s.get(s.name), s.get(s.key(part))
	switch {
	case connectionString != "" && address != "":
		return "", "", fmt.Errorf("%w: %s and %s are both set; remove one", ErrConflict, s.name, s.key(part))
	case connectionString != "":
		for _, unused := range []string{"credential", "clientId"} {
			if s.get(s.key(unused)) != "" {
				return "", "", fmt.Errorf("%w: %s is a connection string and %s is set; remove one", ErrConflict, s.name, s.key(unused))
			}
		}
	case address == "":
		return "", "", fmt.Errorf("%w: set %s (a connection string) or %s (such as %s)", ErrMissing, s.name, s.key(part), example)
	}
	return connectionString, address, nil
}

// credential returns the identity of the settings: the system-assigned or a
// user-assigned identity of the function app. Without settings it returns the
// default identity of azidentity, for the machine of a developer.
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
			return nil, fmt.Errorf("create managed identity of connection %s: %w", s.name, err)
		}
		return credential, nil
	case kind != "":
		return nil, fmt.Errorf("%w: %s is %q; use managedidentity", ErrInvalid, s.key("credential"), kind)
	case clientID != "":
		return nil, fmt.Errorf("%w: %s is set without %s; set it to managedidentity", ErrMissing, s.key("clientId"), s.key("credential"))
	}
	credential, err := azidentity.NewDefaultAzureCredential(nil)
	if err != nil {
		return nil, fmt.Errorf("create default identity of connection %s: %w", s.name, err)
	}
	return credential, nil
}
