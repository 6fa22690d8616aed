package localstack

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/local/armsim"
)

// Injection is a fault of the simulated Azure.
type Injection struct {
	Name string
	// Times is how often it happens; 0 means each time.
	Times int
}

// injected describes a kind of injection.
type injected struct {
	name string
	// about describes what happens, and what to see.
	about string
	// times is how often it happens by default.
	times  int
	inject func(arm *armsim.Simulator, times int)
}

const (
	// throttledFor and slowFor are real time: long enough to see.
	throttledFor = "10"
	slowFor      = 5 * time.Second
	startBackup  = "POST backup"
)

// injections returns every kind of injection.
func injections() []injected {
	return []injected{
		{
			"throttle", "Azure answers 429 with Retry-After 10 s; the operation waits", 3,
			func(arm *armsim.Simulator, times int) {
				arm.Inject(armsim.Rule{Times: times, Effect: armsim.AnswerError(http.StatusTooManyRequests, "ResourceRequestsThrottled",
					"Number of requests exceeded the limit. Please try again later.", http.Header{"Retry-After": {throttledFor}})})
			},
		},
		{
			"lost-answer", "the answer to the start of a backup is lost; the operation finds the job that it started", 1,
			func(arm *armsim.Simulator, times int) {
				arm.Inject(armsim.Rule{Kind: startBackup, Times: times, Effect: armsim.ResetAfter()})
			},
		},
		{
			"job-fails", "the job of a backup fails; the operation fails with the job's error, and can be retried", 1,
			func(arm *armsim.Simulator, times int) {
				arm.AddOutcome(armsim.Outcome{
					Times: times, JobStatus: "Failed", ErrorCode: 400124, ErrorText: "The snapshot could not be taken.", Code: "UserErrorSnapshotFailed",
					Recommendation: "Wait until other snapshots are finished, then start the backup again.",
				})
			},
		},
		{
			"forbidden", "the app may not start backups; the operation retries for some time, then fails with the missing permission", 0,
			func(arm *armsim.Simulator, times int) {
				arm.Inject(armsim.Rule{Kind: startBackup, Times: times, Effect: armsim.AnswerError(http.StatusForbidden, "AuthorizationFailed",
					"The client does not have authorization to perform the action 'backup/action', or the scope is invalid.", nil)})
			},
		},
		{
			"slow", "each answer of Azure takes 5 s", 0,
			func(arm *armsim.Simulator, times int) {
				arm.Inject(armsim.Rule{Times: times, Effect: armsim.Delay(slowFor)})
			},
		},
	}
}

// InjectionNames returns the names of the injections.
func InjectionNames() []string {
	var names []string
	for _, i := range injections() {
		names = append(names, i.name)
	}
	return names
}

// ParseInjections parses the values of --inject: a name, or NAME=TIMES. The error
// is a *cli.UsageError.
func ParseInjections(values []string) (all []Injection, err error) {
	for _, value := range values {
		name, count, given := strings.Cut(value, "=")
		kind, ok := findInjection(name)
		if !ok {
			return nil, &cli.UsageError{Text: fmt.Sprintf("--inject %q is not an injection", name), Remedy: "use one of " + strings.Join(InjectionNames(), ", ")}
		}
		times := kind.times
		if given {
			if times, err = strconv.Atoi(count); err != nil || times < 1 {
				return nil, &cli.UsageError{Text: fmt.Sprintf("--inject %q: the number of times %q is not a number from 1", value, count), Remedy: "use one such as " + name + "=3"}
			}
		}
		all = append(all, Injection{Name: name, Times: times})
	}
	return all, nil
}

func findInjection(name string) (injected, bool) {
	all := injections()
	i := slices.IndexFunc(all, func(i injected) bool { return i.name == name })
	if i < 0 {
		return injected{}, false
	}
	return all[i], true
}

// Inject adds the faults to a simulator.
func Inject(arm *armsim.Simulator, all []Injection) {
	for _, i := range all {
		if kind, ok := findInjection(i.Name); ok {
			kind.inject(arm, i.Times)
		}
	}
}

// String describes the injection.
func (i Injection) String() string {
	kind, _ := findInjection(i.Name)
	switch i.Times {
	case 0:
		return i.Name + ": " + kind.about
	case 1:
		return i.Name + ", once: " + kind.about
	}
	return fmt.Sprintf("%s, %d times: %s", i.Name, i.Times, kind.about)
}
