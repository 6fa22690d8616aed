package arm

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	azarm "github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
)

// ParseResourceID reads a resource id and refuses what azcore lets pass: an id
// that would address another resource than the one that was checked. Its errors
// say in words what is wrong.
func ParseResourceID(id string) (*azarm.ResourceID, error) {
	if strings.TrimSpace(id) == "" {
		return nil, errors.New("it is empty")
	}
	if strings.ContainsAny(id, "?#%\\") || strings.ContainsFunc(id, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil, errors.New("it holds characters that no resource id holds")
	}
	// As an id on Learn's page about restoring PostgreSQL does.
	if strings.Contains(strings.ToLower(id), "/providers/providers/") {
		return nil, errors.New("it says providers twice")
	}
	for s := range strings.SplitSeq(strings.TrimPrefix(id, "/"), "/") {
		if s == "" || s == "." || s == ".." || strings.TrimSpace(s) != s {
			return nil, fmt.Errorf("its part %q is not a name", s)
		}
	}
	r, err := azarm.ParseResourceID(id)
	if err != nil {
		return nil, errors.New("it is not a resource id, which begins with /subscriptions/{id}/resourceGroups/{group}/providers")
	}
	if r.Name == "" {
		return nil, errors.New("it ends with a type and not with a name")
	}
	return r, nil
}

// SameResource reports whether two resource ids name one resource: ARM ids are
// compared without regard to casing.
func SameResource(a, b string) bool {
	return strings.EqualFold(strings.TrimRight(a, "/"), strings.TrimRight(b, "/"))
}

// Azure's naming rules, compiled once: a bulk of requests checks thousands of
// ids.
var (
	subscriptionID    = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`) //nolint:gochecknoglobals // a compiled constant
	resourceGroupName = regexp.MustCompile(`^[\pL\pN_.()-]{1,90}$`)                       //nolint:gochecknoglobals // a compiled constant
	vaultName         = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{1,49}$`)                //nolint:gochecknoglobals // a compiled constant
)

// VaultNames checks and gives the names in the id of a vault; Recovery Services
// vaults and Backup vaults are named by the same rules. The subscription comes
// in lower case.
func VaultNames(r *azarm.ResourceID) (subscription, resourceGroup, vault string, err error) {
	subscription = strings.ToLower(r.SubscriptionID)
	switch {
	case !subscriptionID.MatchString(subscription):
		return "", "", "", fmt.Errorf("its subscription %q is not a GUID", r.SubscriptionID)
	case !resourceGroupName.MatchString(r.ResourceGroupName) || strings.HasSuffix(r.ResourceGroupName, "."):
		return "", "", "", fmt.Errorf("its resource group %q is not a resource group's name", r.ResourceGroupName)
	case !vaultName.MatchString(r.Name):
		return "", "", "", fmt.Errorf("its vault %q is not a vault's name: 2 to 50 letters, digits and hyphens, a letter first", r.Name)
	}
	return subscription, r.ResourceGroupName, r.Name, nil
}

// LastName is the last name of a resource id, or of what is a bare name
// already.
func LastName(id string) string { return id[strings.LastIndex(id, "/")+1:] }

// NameAfter gives the name that follows a type in a resource id, whatever the
// casing; empty if there is none.
func NameAfter(id, kind string) string {
	parts := strings.Split(id, "/")
	for i := 0; i+1 < len(parts); i++ {
		if strings.EqualFold(parts[i], kind) {
			return parts[i+1]
		}
	}
	return ""
}
