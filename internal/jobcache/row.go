package jobcache

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/arm/backupjob"
	"azbackupflow/internal/arm/resourceid"
)

// Job is what a list tells of a job, kept short: a vault may have thousands.
type Job struct {
	// Name is the job's GUID.
	Name string `json:"n"`
	// Operation is what it does, Of the item that it does it to.
	Operation string `json:"o,omitempty"`
	Of        string `json:"f,omitempty"`
	// Status is Azure's word.
	Status string    `json:"s"`
	Start  time.Time `json:"t,omitzero"`
	// Ended is when a listing first showed the job as ended.
	Ended time.Time `json:"e,omitzero"`
}

// State is what the job's status means.
func (j Job) State() backupjob.State { return backupjob.StateOf(j.Status) }

// Row is a vault's jobs as they were last listed. It is a plain value; its JSON
// form is that of the shared row.
type Row struct {
	// Listed is when Azure was asked, and Since the start of the oldest job
	// that it was asked for.
	Listed time.Time `json:"listed,omitzero"`
	Since  time.Time `json:"since,omitzero"`
	// Calls is how many reads the listing took, Gap how far apart listings
	// must be for the vault's quota.
	Calls int           `json:"calls,omitempty"`
	Gap   time.Duration `json:"gap,omitempty"`
	// Due is when the list is to be made anew, for all that wait.
	Due time.Time `json:"due,omitzero"`
	// Lease is whoever is listing, until when at the latest.
	Lease      string    `json:"lease,omitempty"`
	LeaseUntil time.Time `json:"leaseUntil,omitzero"`
	// NotBefore is when to try again, after a listing that failed.
	NotBefore time.Time `json:"notBefore,omitzero"`
	Jobs      []Job     `json:"jobs,omitempty"`
}

// find gives a job by its GUID or resource id.
func (r *Row) find(name string) (Job, bool) {
	name = strings.ToLower(resourceid.LastName(name))
	i, ok := slices.BinarySearchFunc(r.Jobs, name, func(j Job, name string) int { return cmp.Compare(j.Name, name) })
	if !ok {
		return Job{}, false
	}
	return r.Jobs[i], true
}

// horizon is how far back a listing reaches at most: jobs that run for longer
// are read alone.
const horizon = 48 * time.Hour

// next is the start of the oldest job that the next listing must reach: the
// oldest that still runs.
func (r *Row) next(now time.Time, want time.Time) time.Time {
	since := want
	for _, j := range r.Jobs {
		if j.State() == backupjob.Running && !j.Start.IsZero() && j.Start.Before(since) {
			since = j.Start
		}
	}
	if earliest := now.Add(-horizon); since.Before(earliest) {
		return earliest
	}
	return since
}

// youngest is the start of the youngest job that runs; zero if none does.
func (r *Row) youngest() (start time.Time) {
	for _, j := range r.Jobs {
		if j.State() == backupjob.Running && j.Start.After(start) {
			start = j.Start
		}
	}
	return start
}

// listed is the row after a listing of the jobs since a time. Jobs that have
// ended stay for a while where listings do not reach back to them any more, for
// those who have not looked yet.
func (r *Row) listed(jobs []Job, since, at time.Time, keep time.Duration) Row {
	next := Row{Listed: at, Since: since}
	seen := map[string]bool{}
	for _, j := range jobs {
		j.Name = strings.ToLower(j.Name)
		if !seen[j.Name] && !j.Start.Before(since.Add(-time.Minute)) {
			seen[j.Name] = true
			j.Of = shortened(j.Of)
			if j.State() != backupjob.Running {
				j.Ended = at
				if old, ok := r.find(j.Name); ok && !old.Ended.IsZero() {
					j.Ended = old.Ended
				}
			}
			next.Jobs = append(next.Jobs, j)
		}
	}
	for _, j := range r.Jobs {
		if !seen[j.Name] && j.State() != backupjob.Running && at.Sub(j.Ended) < keep {
			next.Jobs = append(next.Jobs, j)
		}
	}
	next.fit()
	return next
}

// mostBytes bounds a row's JSON. Table Storage has room for 1 MiB, and counts
// two bytes for each character.
const mostBytes = 400 << 10

// fit sorts the jobs, without the oldest that have ended where there would be
// too many for a row: those are read alone. Then the oldest of all.
func (r *Row) fit() {
	const about = 200 // of one job
	if room := mostBytes / about; len(r.Jobs) > room {
		ended := func(j Job) int {
			if j.State() == backupjob.Running {
				return 0
			}
			return 1
		}
		slices.SortFunc(r.Jobs, func(a, b Job) int { return cmp.Or(cmp.Compare(ended(a), ended(b)), b.Start.Compare(a.Start)) })
		r.Jobs = r.Jobs[:room]
	}
	slices.SortFunc(r.Jobs, func(a, b Job) int { return cmp.Compare(a.Name, b.Name) })
}

// encode gives the row as it is stored.
func (r *Row) encode() ([]byte, error) {
	text, err := json.Marshal(r)
	if err != nil {
		return nil, fmt.Errorf("encode job list: %w", err)
	}
	return text, nil
}

// shortened keeps a name to what a person needs to know an item by.
func shortened(name string) string {
	runes := []rune(name)
	if len(runes) > 40 {
		return string(runes[:39]) + "…"
	}
	return name
}
