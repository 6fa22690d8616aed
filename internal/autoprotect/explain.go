package autoprotect

import (
	"context"
	"fmt"

	"azbackupflow/internal/arm/datasource"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/step"
)

// Facts describe a resource in place of a call to Azure.
type Facts struct {
	Location string
	Tags     map[string]string
}

// Explanation is the decision about one resource.
type Explanation struct {
	ResourceID string
	Type       Kind
	Decision   Decision
	// PolicyGaps are the reasons for which Azure Policy may not have protected the
	// resource; empty if no rule protects it, or if Azure has no built-in policy
	// for it.
	PolicyGaps []string
}

// Explain returns the decisions about a resource, or every file share of a storage
// account, which it reads from Azure. It starts nothing.
func Explain(ctx context.Context, rules []Rule, azure *datasource.Client, id string) ([]Explanation, error) {
	t, err := explainable(rules, id)
	if err != nil {
		return nil, err
	}
	resources, err := read(ctx, azure, t)
	if err != nil {
		return nil, err
	}
	return explain(rules, resources), nil
}

// Explain returns the decisions of the app's rules about a resource; see Explain. Its
// error is *step.Invalid if no rule can ever protect the resource.
func (e *Evaluator) Explain(ctx context.Context, id string) ([]Explanation, error) {
	if e.c.RulesErr != nil {
		return nil, &step.Invalid{Fields: []step.FieldError{{
			Field: "resource", Problem: "cannot be explained, because the protection rules of the app cannot be parsed", Want: "a valid file; azbackupflow protect check names its errors",
		}}}
	}
	if _, ok := parseTarget(id); !ok {
		return nil, &step.Invalid{Fields: []step.FieldError{{
			Field: "resource", Problem: fmt.Sprintf("%q cannot be protected by rules", id), Want: "the resource ID of " + protectedTypes,
		}}}
	}
	return Explain(ctx, e.c.Rules, e.c.Datasources, id)
}

// protectedTypes names what rules can protect.
const protectedTypes = "a storage account, a file share, a virtual machine, a managed disk, an AKS cluster, or a MySQL or PostgreSQL flexible server"

// ExplainFacts returns the decisions about a resource that facts describe, without
// a call to Azure. For a storage account, it returns the decision about a share
// whose name matches every rule. An account counts as one without a hierarchical
// namespace, unless all rules about accounts are for Data Lake Storage.
func ExplainFacts(rules []Rule, id string, facts Facts) ([]Explanation, error) {
	t, err := explainable(rules, id)
	if err != nil {
		return nil, err
	}
	source := datasource.Resource{ID: t.id, Name: resourceid.LastName(t.id), Location: facts.Location, Tags: facts.Tags}
	var resources []Resource
	for _, e := range t.kinds {
		if e.accepts == nil || e.accepts(source) || len(t.kinds) == 1 {
			resources = append(resources, t.resource(e.kind, source))
		}
	}
	return explain(rules, resources), nil
}

func explain(rules []Rule, resources []Resource) (all []Explanation) {
	for _, res := range resources {
		d := Decide(rules, res)
		all = append(all, Explanation{ResourceID: res.ID, Type: res.Kind, Decision: d, PolicyGaps: policyGaps(d, res)})
	}
	return all
}

// explainable returns the target that an ID names, with the kinds that the rules
// protect. If they protect none, it keeps the first.
func explainable(rules []Rule, id string) (target, error) {
	t, ok := parseTarget(id)
	if !ok {
		return t, fmt.Errorf("%q cannot be protected by rules; give the resource ID of %s", id, protectedTypes)
	}
	if used, any := t.of(rules); any {
		return used, nil
	}
	t.kinds = t.kinds[:1]
	return t, nil
}
