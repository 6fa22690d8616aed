package autoprotect

import (
	"encoding/json"
	"fmt"
	"strings"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/step"
)

// resourceWritten is the type of the events that announce resources: ARM
// raises it for creations and for every update.
// Source: learn.microsoft.com, "Azure subscription as an Event Grid source".
const resourceWritten = "Microsoft.Resources.ResourceWriteSuccess"

// longestID bounds a resource id, in bytes; Azure's own are far shorter.
const longestID = 2048

// Event is what is read of an event: which resource was written. An event also
// names who wrote it, from where and with which rights; none of that is read.
type Event struct {
	ID, Type   string
	ResourceID string
}

// ReadEvent reads an event of the Event Grid schema or of CloudEvents 1.0. Its
// error is a *step.Invalid.
func ReadEvent(raw []byte) (Event, error) {
	var e struct {
		ID          string `json:"id"`
		SpecVersion string `json:"specversion"`
		Type        string `json:"type"`
		EventType   string `json:"eventType"`
		Data        struct {
			ResourceURI string `json:"resourceUri"`
		} `json:"data"`
	}
	invalid := func(field, problem, want string) error {
		return &step.Invalid{Fields: []step.FieldError{{Field: field, Problem: problem, Want: want}}}
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		return Event{}, invalid("event", "is not what Event Grid sends", "one event, of the Event Grid schema or CloudEvents 1.0")
	}
	event := Event{ID: e.ID, Type: e.EventType, ResourceID: e.Data.ResourceURI}
	if e.SpecVersion != "" {
		event.Type = e.Type
	}
	switch {
	case event.ID == "" || len(event.ID) > 256:
		event.ID = ""
		return event, invalid("event.id", "is missing or too long", "the event's id")
	case event.Type == "":
		return event, invalid("event.type", "is missing, and so is eventType", resourceWritten)
	case event.Type != resourceWritten:
		return event, nil
	case event.ResourceID == "":
		return event, invalid("event.data.resourceUri", "is missing", "a resource id")
	case len(event.ResourceID) > longestID:
		return event, invalid("event.data.resourceUri", fmt.Sprintf("is %d bytes long", len(event.ResourceID)), fmt.Sprintf("a resource id of at most %d bytes", longestID))
	}
	if _, err := arm.ParseResourceID(event.ResourceID); err != nil {
		return event, invalid("event.data.resourceUri", "is not a resource id: "+err.Error(), "a resource id")
	}
	return event, nil
}

// subject is what an event, or a question of a person, is about.
type subject struct {
	kind Kind
	// id is the resource's own, in the spelling it came in; account is the
	// storage account's for shares and accounts.
	id, account string
	// share is the name of a single share; empty for all of the account.
	share string
}

// subjectOf reads a resource id; ok is false for what rules are not about.
func subjectOf(id string) (s subject, ok bool) {
	r, err := arm.ParseResourceID(id)
	if err != nil || r.SubscriptionID == "" || r.ResourceGroupName == "" {
		return s, false
	}
	switch kind := r.ResourceType.String(); {
	case strings.EqualFold(kind, datasource.TypeStorageAccount):
		return subject{kind: FileShare, id: id, account: id}, true
	case strings.EqualFold(kind, datasource.TypeFileShare):
		account := r.Parent.Parent.String()
		return subject{kind: FileShare, id: datasource.FileShareID(account, r.Name), account: account, share: r.Name}, true
	case strings.EqualFold(kind, datasource.TypeFlexibleServer):
		return subject{kind: PostgresFlexibleServer, id: id}, true
	}
	return s, false
}

// base is the resource that a storage account or server was read as.
func base(kind Kind, r datasource.Resource) Resource {
	res := Resource{
		ID: r.ID, Kind: kind, Name: r.Name, Location: r.Location, Tags: r.Tags, Created: r.Created,
		Subscription: arm.NameAfter(r.ID, "subscriptions"), ResourceGroup: arm.NameAfter(r.ID, "resourceGroups"),
	}
	if kind == FileShare {
		res.Account, res.AccountID, res.Name = r.Name, r.ID, ""
	}
	return res
}

// withShare is one share of a storage account.
func (r Resource) withShare(name string) Resource {
	r.ID, r.Name = datasource.FileShareID(r.AccountID, name), name
	return r
}

// resource is what the id alone tells, with facts that a person gives.
func (s subject) resource(facts *Facts) Resource {
	if facts == nil {
		return Resource{}
	}
	id := s.id
	if s.kind == FileShare {
		id = s.account
	}
	res := base(s.kind, datasource.Resource{ID: id, Name: arm.LastName(id), Location: facts.Location, Tags: facts.Tags})
	if s.share != "" {
		res = res.withShare(s.share)
	}
	return res
}
