package autoprotect

import (
	"context"
	"fmt"

	"azbackupflow/internal/arm/datasource"
)

// Facts describe a resource in place of a call to Azure.
type Facts struct {
	Location string
	Tags     map[string]string
}

// Explanation is the decision about one resource.
type Explanation struct {
	ResourceID string
	Decision   Decision
}

// Explain returns the decisions about a server, a file share, or every file
// share of a storage account, which it reads from Azure. It starts nothing.
func Explain(ctx context.Context, rules []Rule, azure *datasource.Client, id string) ([]Explanation, error) {
	t, err := explainable(id)
	if err != nil {
		return nil, err
	}
	resources, err := read(ctx, azure, t)
	if err != nil {
		return nil, err
	}
	var all []Explanation
	for _, res := range resources {
		all = append(all, Explanation{ResourceID: res.ID, Decision: Decide(rules, res)})
	}
	return all, nil
}

// ExplainFacts returns the decision about a resource that facts describe, without
// a call to Azure. For a storage account, it returns the decision about a share
// whose name matches every rule.
func ExplainFacts(rules []Rule, id string, facts Facts) (Explanation, error) {
	t, err := explainable(id)
	if err != nil {
		return Explanation{}, err
	}
	res := t.resource(facts)
	return Explanation{ResourceID: res.ID, Decision: Decide(rules, res)}, nil
}

func explainable(id string) (target, error) {
	t, ok := parseTarget(id)
	if !ok {
		return t, fmt.Errorf("%q cannot be protected by rules; give the resource ID of a storage account, a file share or a PostgreSQL flexible server", id)
	}
	return t, nil
}
