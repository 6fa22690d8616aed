package render

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"azbackupflow/internal/api"
)

// fold counts the repeated looks at the same work.
type fold struct {
	key, step   string
	first, last api.Event
	looks       int
}

// waitingPrefix begins the text of an event that found the work still running.
const waitingPrefix = "waiting: "

// foldKey identifies what a look found; empty if it is not a look that repeats.
func foldKey(ran string, ev api.Event) string {
	switch {
	case ev.Step != ran || ev.Next != "" || ev.Status.Terminal() || ev.Status == api.Parked:
		return ""
	case ev.Err != nil:
		return ran + " " + ev.Err.Code
	case strings.HasPrefix(ev.What, waitingPrefix):
		return ran
	}
	return ""
}

// begin starts to count with an event that was shown.
func (f *fold) begin(ran string, ev api.Event) {
	if key := foldKey(ran, ev); key != "" {
		*f = fold{key: key, step: ran, first: ev, last: ev, looks: 1}
	}
}

// add counts an event, unless it found something else than the one before.
func (f *fold) add(ran string, ev api.Event) bool {
	if f.looks == 0 || foldKey(ran, ev) != f.key {
		return false
	}
	f.last = ev
	f.looks++
	return true
}

// The texts of events name the state of a job in parentheses. Some of them name
// its progress.
var (
	stateOfJob = regexp.MustCompile(`\(([^()]+)\)$`)
	progress   = regexp.MustCompile(`,? *([0-9]{1,3}) ?%`)
)

// String describes the looks, such as InProgress, 29 looks in 14 min, 63 %.
func (f fold) String() string {
	state, unit, percent := "waiting", "look", ""
	if f.last.Err != nil {
		state, unit = f.last.Err.Code, "attempt"
	} else if found := stateOfJob.FindStringSubmatch(f.last.What); found != nil {
		state = found[1]
	}
	if found := progress.FindStringSubmatch(state); found != nil {
		state, percent = cmp.Or(progress.ReplaceAllString(state, ""), "waiting"), ", "+found[1]+" %"
	}
	if f.looks == 1 {
		return Plain(state + percent)
	}
	return Plain(fmt.Sprintf("%s, %d %ss in %s%s", state, f.looks, unit, Duration(f.last.At.Sub(f.first.At)), percent))
}
