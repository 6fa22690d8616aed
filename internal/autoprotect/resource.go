package autoprotect

import (
	"strings"
	"time"

	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/arm/resourceid"
)

// Kind is the kind of a resource, as rules name it.
type Kind string

// The kinds that rules can protect.
const (
	FileShare              Kind = "fileShare"
	PostgresFlexibleServer Kind = "postgresFlexibleServer"
)

// Resource holds the facts about a resource that rules match.
type Resource struct {
	ID            string
	Kind          Kind
	Subscription  string
	ResourceGroup string
	// Account is the name of a file share's storage account, AccountID its
	// resource ID.
	Account, AccountID string
	// Name is the name of the share or server.
	Name     string
	Location string
	// Tags are those of the storage account or server; shares have none.
	Tags map[string]string
	// Created is when the storage account or server was created.
	Created time.Time
}

// newResource returns a Resource for a storage account or server. A storage
// account has no share name yet.
func newResource(kind Kind, r datasource.Resource) Resource {
	res := Resource{
		ID: r.ID, Kind: kind, Name: r.Name, Location: r.Location, Tags: r.Tags, Created: r.Created,
		Subscription: resourceid.NameAfter(r.ID, "subscriptions"), ResourceGroup: resourceid.NameAfter(r.ID, "resourceGroups"),
	}
	if kind == FileShare {
		res.Account, res.AccountID, res.Name = r.Name, r.ID, ""
	}
	return res
}

// withShare returns the named share of a storage account.
func (r Resource) withShare(name string) Resource {
	r.ID, r.Name = datasource.FileShareID(r.AccountID, name), name
	return r
}

// target identifies the server, file share or storage account that an event or
// a user names.
type target struct {
	kind Kind
	// id is the resource ID, spelled as received; account is the ID of the
	// storage account for shares and accounts.
	id, account string
	// share is the name of a single share; empty means all shares of the
	// account.
	share string
}

// parseTarget parses a resource ID. It returns false for types that no rule can
// protect.
func parseTarget(id string) (t target, ok bool) {
	r, err := resourceid.Parse(id)
	if err != nil || r.SubscriptionID == "" || r.ResourceGroupName == "" {
		return t, false
	}
	switch kind := r.ResourceType.String(); {
	case strings.EqualFold(kind, datasource.TypeStorageAccount):
		return target{kind: FileShare, id: id, account: id}, true
	case strings.EqualFold(kind, datasource.TypeFileShare):
		account := r.Parent.Parent.String()
		return target{kind: FileShare, id: datasource.FileShareID(account, r.Name), account: account, share: r.Name}, true
	case strings.EqualFold(kind, datasource.TypeFlexibleServer):
		return target{kind: PostgresFlexibleServer, id: id}, true
	}
	return t, false
}

// resource returns the resource as its ID and the facts of a user describe it,
// without a call to Azure.
func (t target) resource(facts Facts) Resource {
	id := t.id
	if t.kind == FileShare {
		id = t.account
	}
	res := newResource(t.kind, datasource.Resource{ID: id, Name: resourceid.LastName(id), Location: facts.Location, Tags: facts.Tags})
	if t.share != "" {
		res = res.withShare(t.share)
	}
	return res
}
