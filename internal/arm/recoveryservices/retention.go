package recoveryservices

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"azbackupflow/internal/arm/azjson"
)

// Retention holds how long a policy keeps backups, by schedule: Daily, Weekly,
// Monthly, Yearly or Simple, with the type of a database's backup before it, such
// as "Full Daily".
type Retention map[string]Period

// Period is a number of days, weeks, months or years.
type Period struct {
	Count int
	Unit  string
}

// days returns the approximate length of the period.
func (p Period) days() int {
	switch strings.ToLower(p.Unit) {
	case "weeks":
		return p.Count * 7
	case "months":
		return p.Count * 30
	case "years":
		return p.Count * 365
	}
	return p.Count
}

// String returns the period as Azure names it, such as 30 days.
func (p Period) String() string { return fmt.Sprintf("%d %s", p.Count, strings.ToLower(p.Unit)) }

// String lists the periods, such as "daily 30 days, weekly 4 weeks".
func (r Retention) String() string {
	names := make([]string, 0, len(r))
	for name := range r {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(r[a].days(), r[b].days()), cmp.Compare(a, b)) })
	for n, name := range names {
		names[n] = strings.ToLower(name) + " " + r[name].String()
	}
	if len(names) == 0 {
		return "unknown"
	}
	return strings.Join(names, ", ")
}

// Shorter returns the schedules that another policy keeps for a shorter time, or
// not at all.
func (r Retention) Shorter(other Retention) []string {
	var all []string
	for name, period := range r {
		if o, there := other[name]; !there || o.days() < period.days() {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all
}

type retentionBody struct {
	RetentionPolicy     retentionPolicy
	SubProtectionPolicy []struct {
		PolicyType      azjson.Text
		RetentionPolicy retentionPolicy
	}
}

type retentionPolicy struct {
	DailySchedule, WeeklySchedule, MonthlySchedule, YearlySchedule struct{ RetentionDuration periodBody }
	// RetentionDuration is that of a simple policy.
	RetentionDuration periodBody
}

type periodBody struct{ Count, DurationType azjson.Text }

func (b retentionBody) retention() Retention {
	r := Retention{}
	b.RetentionPolicy.into(r, "")
	for _, sub := range b.SubProtectionPolicy {
		sub.RetentionPolicy.into(r, string(sub.PolicyType)+" ")
	}
	if len(r) == 0 {
		return nil
	}
	return r
}

func (p retentionPolicy) into(r Retention, prefix string) {
	for name, b := range map[string]periodBody{
		"Daily": p.DailySchedule.RetentionDuration, "Weekly": p.WeeklySchedule.RetentionDuration, "Monthly": p.MonthlySchedule.RetentionDuration,
		"Yearly": p.YearlySchedule.RetentionDuration, "Simple": p.RetentionDuration,
	} {
		if count, err := strconv.Atoi(string(b.Count)); err == nil {
			r[prefix+name] = Period{Count: count, Unit: string(b.DurationType)}
		}
	}
}
