package autoprotect

import (
	"context"
	"fmt"
)

// Facts are what a person says about a resource in place of Azure.
type Facts struct {
	Location string
	Tags     map[string]string
}

// Explained is what the rules say about one resource.
type Explained struct {
	ResourceID string
	Decision   Decision
}

// Explain says what the rules say about the resource with an id: a server, a
// file share, or all file shares of a storage account. Nothing is started. With
// facts nobody is asked, and a storage account is then looked at as if one
// share had any name.
func (g Guard) Explain(ctx context.Context, id string, facts *Facts) ([]Explained, error) {
	s, ok := subjectOf(id)
	if !ok {
		return nil, fmt.Errorf("%q is not the resource id of a storage account, a file share or a PostgreSQL flexible server", id)
	}
	resources := []Resource{s.resource(facts)}
	if facts == nil {
		var err error
		if resources, err = g.read(ctx, s); err != nil {
			return nil, err
		}
	}
	var all []Explained
	for _, res := range resources {
		all = append(all, Explained{ResourceID: res.ID, Decision: Decide(g.Rules, res)})
	}
	return all, nil
}
