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

// Job is one job of a list. Its JSON form is short, because a vault can have
// thousands of jobs.
type Job struct {
	// Name is the GUID of the job.
	Name string `json:"n"`
	// Operation is the kind of job, Of the name of its item.
	Operation string `json:"o,omitempty"`
	Of        string `json:"f,omitempty"`
	// Status is the status as Azure writes it.
	Status string    `json:"s"`
	Start  time.Time `json:"t,omitzero"`
	// Ended is the time of the first list that showed the job as ended.
	Ended time.Time `json:"e,omitzero"`
}

// State returns the meaning of the job's status.
func (j Job) State() backupjob.State { return backupjob.StateOf(j.Status) }

// snapshot is the list of a vault's jobs. Its JSON form is the shared row.
type snapshot struct {
	// Listed is the time of the list, Since the earliest start time of its jobs.
	Listed time.Time `json:"listed,omitzero"`
	Since  time.Time `json:"since,omitzero"`
	// Calls is the number of calls that the list took, Gap the minimum time
	// between two lists for the vault's quota.
	Calls int           `json:"calls,omitempty"`
	Gap   time.Duration `json:"gap,omitempty"`
	// Due is the time of the next list for all waiting operations.
	Due time.Time `json:"due,omitzero"`
	// Lease identifies the refresh in progress; it expires at LeaseUntil.
	Lease      string    `json:"lease,omitempty"`
	LeaseUntil time.Time `json:"leaseUntil,omitzero"`
	// NotBefore is the earliest time of the next list after a failed one.
	NotBefore time.Time `json:"notBefore,omitzero"`
	// Jobs is sorted by name.
	Jobs []Job `json:"jobs,omitempty"`
}

// find returns a job by its GUID or resource ID.
func (s *snapshot) find(name string) (Job, bool) {
	name = strings.ToLower(resourceid.LastName(name))
	i, ok := slices.BinarySearchFunc(s.Jobs, name, func(j Job, name string) int { return cmp.Compare(j.Name, name) })
	if !ok {
		return Job{}, false
	}
	return s.Jobs[i], true
}

// maxListAge limits how far back a list goes. Jobs that run longer are read
// directly.
const maxListAge = 48 * time.Hour

// listSince returns the earliest start time of the next list: needed, or the
// start of the oldest running job if that is earlier.
func (s *snapshot) listSince(now time.Time, needed time.Time) time.Time {
	since := needed
	for _, j := range s.Jobs {
		if j.State() == backupjob.Running && !j.Start.IsZero() && j.Start.Before(since) {
			since = j.Start
		}
	}
	if earliest := now.Add(-maxListAge); since.Before(earliest) {
		return earliest
	}
	return since
}

// youngestStart returns the start time of the youngest running job; zero if no
// job runs.
func (s *snapshot) youngestStart() (start time.Time) {
	for _, j := range s.Jobs {
		if j.State() == backupjob.Running && j.Start.After(start) {
			start = j.Start
		}
	}
	return start
}

// updated returns the snapshot after a list of the jobs since a time. It keeps
// jobs that ended within the keep duration and are too old for the list, for
// operations that have not checked them yet.
func (s *snapshot) updated(jobs []Job, since, at time.Time, keep time.Duration) snapshot {
	next := snapshot{Listed: at, Since: since}
	seen := map[string]bool{}
	for _, j := range jobs {
		j.Name = strings.ToLower(j.Name)
		if !seen[j.Name] && !j.Start.Before(since.Add(-time.Minute)) {
			seen[j.Name] = true
			j.Of = shortened(j.Of)
			if j.State() != backupjob.Running {
				j.Ended = at
				if old, ok := s.find(j.Name); ok && !old.Ended.IsZero() {
					j.Ended = old.Ended
				}
			}
			next.Jobs = append(next.Jobs, j)
		}
	}
	for _, j := range s.Jobs {
		if !seen[j.Name] && j.State() != backupjob.Running && at.Sub(j.Ended) < keep {
			next.Jobs = append(next.Jobs, j)
		}
	}
	next.truncate()
	return next
}

// Limits of the snapshot's JSON, in bytes. Table Storage has room for 1 MiB, and
// counts two bytes for each character.
const (
	maxSnapshotSize = 400 << 10
	averageJobSize  = 200
)

// truncate limits the list to the size of a row, dropping ended jobs first, then
// the oldest. It sorts the jobs by name.
func (s *snapshot) truncate() {
	if maxJobs := maxSnapshotSize / averageJobSize; len(s.Jobs) > maxJobs {
		ended := func(j Job) int {
			if j.State() == backupjob.Running {
				return 0
			}
			return 1
		}
		slices.SortFunc(s.Jobs, func(a, b Job) int { return cmp.Or(cmp.Compare(ended(a), ended(b)), b.Start.Compare(a.Start)) })
		s.Jobs = s.Jobs[:maxJobs]
	}
	slices.SortFunc(s.Jobs, func(a, b Job) int { return cmp.Compare(a.Name, b.Name) })
}

// encode returns the JSON form of the snapshot.
func (s *snapshot) encode() ([]byte, error) {
	text, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("encode job list: %w", err)
	}
	return text, nil
}

// shortened cuts the name of an item to the length that status texts need.
func shortened(name string) string {
	runes := []rune(name)
	if len(runes) > 40 {
		return string(runes[:39]) + "…"
	}
	return name
}
