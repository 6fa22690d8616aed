package autoprotect

import (
	"maps"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/declaration"
)

// policyGaps returns the reasons for which the built-in policies of Azure Policy
// may not have protected a resource that a rule protects. They are policies with
// the effect DeployIfNotExists, which compare the location with that of one
// vault, one tag, and publisher, offer and SKU of the image.
// Sources: learn.microsoft.com, "Auto-Enable Backup on VM Creation using Azure
// Policy", "Azure Policy definitions deployIfNotExists effect", and the built-in
// definition 345fa903-145c-4fe1-8bcd-93ec2adccde8.
func policyGaps(d Decision, res Resource) []string {
	if d.Outcome != Protect || !res.Kind.entry().builtInPolicy {
		return nil
	}
	written := "it acts when a machine is created or written: a machine that is older than the assignment needs a remediation task"
	if !res.Created.IsZero() {
		written += "; this one was created on " + res.Created.UTC().Format(time.DateOnly)
	}
	gaps := []string{written, "it deploys once: a deployment that failed needs a remediation task, and the app tries once a day"}
	if n := len(d.Rule.Protect.Vaults); n > 1 {
		gaps = append(gaps, "an assignment has one vault and one region: "+strings.Join(d.Rule.Protect.regions(), ", ")+" need one assignment each")
	}
	if res.Read && res.ImagePublisher == "" {
		gaps = append(gaps, "it knows machines by the publisher of their marketplace image: this machine has none")
	}
	tags := d.Rule.Match.Tags
	if len(tags.Include)+len(tags.Exclude) > 1 {
		gaps = append(gaps, "it compares one tag: the rule compares several")
	}
	for _, compared := range []map[string]declaration.Values{tags.Include, tags.Exclude} {
		for _, name := range slices.Sorted(maps.Keys(compared)) {
			if slices.ContainsFunc(compared[name], func(v string) bool { return strings.ContainsAny(v, "*?") }) {
				gaps = append(gaps, "it compares whole values: the rule compares tag "+name+" with a pattern")
			}
		}
	}
	return gaps
}
