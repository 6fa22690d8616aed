package readiness

import (
	"cmp"
	"slices"
	"strings"

	"azbackupflow/internal/api"
)

// Groups of scores, in the order of the report.
const (
	GroupTotal        = "total"
	GroupVault        = "vault"
	GroupSubscription = "subscription"
	GroupTag          = "tag"
)

// Scores counts the items in total and by vault, subscription and, if byTag is set,
// tag. Each item is in one score of each group. vaults are the vaults of the report:
// one without items has a score too.
func Scores(items []api.ReadinessItem, vaults []string, byTag bool) []api.ReadinessScore {
	c := counter{scores: map[[2]string]*api.ReadinessScore{}}
	c.of(GroupTotal, "")
	for _, v := range vaults {
		c.of(GroupVault, v)
	}
	for _, i := range items {
		count(c.of(GroupTotal, ""), i)
		count(c.of(GroupVault, i.VaultID), i)
		count(c.of(GroupSubscription, i.Subscription), i)
		if byTag {
			count(c.of(GroupTag, i.Tag), i)
		}
	}
	all := make([]api.ReadinessScore, 0, len(c.scores))
	for _, s := range c.scores {
		if rated := s.Items - s.Excluded; rated > 0 {
			s.ProvenPercent = s.Proven * 100 / rated
		}
		all = append(all, *s)
	}
	order := []string{GroupTotal, GroupVault, GroupSubscription, GroupTag}
	slices.SortFunc(all, func(a, b api.ReadinessScore) int {
		return cmp.Or(cmp.Compare(slices.Index(order, a.Group), slices.Index(order, b.Group)), cmp.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.Name, b.Name))
	})
	return all
}

type counter struct {
	scores map[[2]string]*api.ReadinessScore
}

// of returns the score of a group. The values of tags differ in casing; IDs do not.
func (c counter) of(group, name string) *api.ReadinessScore {
	key := [2]string{group, name}
	if group != GroupTag {
		key[1] = Key(name)
	}
	if c.scores[key] == nil {
		c.scores[key] = &api.ReadinessScore{Group: group, Name: name}
	}
	return c.scores[key]
}

func count(s *api.ReadinessScore, i api.ReadinessItem) {
	s.Items++
	switch i.State {
	case api.ReadinessProven:
		s.Proven++
	case api.ReadinessNotProven:
		s.NotProven++
	case api.ReadinessObjectivesMissed:
		s.ObjectivesMissed++
	case api.ReadinessNotProtected:
		s.NotProtected++
	case api.ReadinessExcluded:
		s.Excluded++
	}
	if Protected(i) && (i.BackupFailed != "" || i.FailedBackups > 0) {
		s.FailingBackups++
	}
}

// Findings returns the settings of a vault that let backups be deleted.
func Findings(v api.ReadinessVault) []string {
	all := []string{}
	switch v.SoftDelete {
	case "Off":
		all = append(all, "soft delete is off: deleted backups are gone at once")
	case "":
		all = append(all, "Azure does not report whether soft delete is on")
	}
	if v.Immutability != "Locked" && v.Immutability != "Unlocked" {
		all = append(all, "immutability is off: backups can be deleted before they expire")
	}
	if !v.MultiUserAuthorization {
		all = append(all, "no Resource Guard: one administrator alone can turn the protection off")
	}
	return all
}
