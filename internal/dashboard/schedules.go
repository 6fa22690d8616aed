package dashboard

import (
	"context"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"

	"azbackupflow/internal/api"
)

// schedulesData is the content of the page of schedules.
type schedulesData struct {
	List api.ScheduleList
	// Schedules are those of the page.
	Schedules []api.Schedule
	Pager     pager
	// Hours counts the next runs of all schedules by hour of the day, in UTC.
	Hours []hour
	// Runs holds the last runs by schedule, for the schedules that are shown with them.
	Runs map[string]scheduleRuns
	// RunID identifies a run that the person may request, so that a form that is
	// sent twice starts one run.
	RunID string
}

// hour is a field of the heat map. Level is 0 to 4.
type hour struct{ Hour, Runs, Level int }

// scheduleRuns are the last runs of a schedule, newest first.
type scheduleRuns struct {
	Runs []scheduleRun
	// Older reports that there are older runs.
	Older bool
}

// scheduleRun counts the operations of one run by status.
type scheduleRun struct {
	Slot string
	// Operations is a minimum if Partial is set: the run has too many to read.
	Operations int
	Partial    bool
	Counts     []statusCount
	// Query selects the operations of the run.
	Query template.URL
}

// declaredSize is the number of schedules or drills on a page.
const declaredSize = 20

// maxRunOperations is the number of operations by which the last runs are known: the
// store reads a row for each.
const maxRunOperations = 2 * pageSize

// maxLastRuns is the number of last runs that the page shows of a schedule.
const maxLastRuns = 10

// maxWithRuns is the number of schedules up to which the page shows the last runs of
// all of them: each costs a call.
const maxWithRuns = 5

// schedules is the page of the schedules.
func (d *Dashboard) schedules(r *http.Request) (content, error) {
	backend := d.cfg.API(r)
	list, err := backend.Schedules(r.Context())
	if err != nil {
		return content{}, err
	}
	data := schedulesData{List: list, Hours: hoursOf(list.Schedules), Runs: map[string]scheduleRuns{}, RunID: d.cfg.NewID()}
	query := r.URL.Query()
	chosen := query.Get("runs")
	if i := slices.IndexFunc(list.Schedules, func(s api.Schedule) bool { return s.Name == chosen }); i >= 0 && !query.Has(pageParameter) {
		query.Set(pageParameter, strconv.Itoa(i/declaredSize+1))
	}
	data.Schedules, data.Pager = onePage(query, list.Schedules, declaredSize)
	for _, s := range data.Schedules {
		if s.Name != chosen && len(list.Schedules) > maxWithRuns {
			continue
		}
		if data.Runs[s.Name], err = lastRuns(r.Context(), backend, s.Name); err != nil {
			return content{}, err
		}
	}
	return content{Title: "Schedules", Section: "schedules", Data: data}, nil
}

// hoursOf counts the next runs of schedules by hour of the day.
func hoursOf(schedules []api.Schedule) []hour {
	hours, most := make([]hour, 24), 0
	for _, s := range schedules {
		for _, run := range s.Next {
			at := &hours[run.At.UTC().Hour()]
			at.Runs++
			most = max(most, at.Runs)
		}
	}
	for h := range hours {
		hours[h].Hour = h
		if runs := hours[h].Runs; runs > 0 {
			hours[h].Level = 1 + 3*(runs-1)/max(1, most-1)
		}
	}
	return hours
}

// lastRuns groups the newest operations of a schedule by run.
func lastRuns(ctx context.Context, backend API, name string) (scheduleRuns, error) {
	page, err := backend.List(ctx, api.OperationQuery{Schedule: name, PageSize: maxRunOperations})
	if err != nil {
		return scheduleRuns{}, err
	}
	var slots []string
	counts := map[string]map[api.Status]int{}
	for _, op := range page.Operations {
		slot := op.Labels["slot"]
		if counts[slot] == nil {
			slots, counts[slot] = append(slots, slot), map[api.Status]int{}
		}
		counts[slot][op.Status]++
	}
	last := scheduleRuns{Older: page.Continue != "" || len(slots) > maxLastRuns}
	for i, slot := range slots[:min(len(slots), maxLastRuns)] {
		run := scheduleRun{
			Slot: slot, Partial: page.Continue != "" && i == len(slots)-1,
			Query: template.URL(url.Values{"schedule": {name}, "label": {"slot=" + slot}}.Encode()), //nolint:gosec // encoded
		}
		for _, status := range api.Statuses() {
			if n := counts[slot][status]; n > 0 {
				run.Operations += n
				run.Counts = append(run.Counts, statusCount{Status: status, Count: n})
			}
		}
		last.Runs = append(last.Runs, run)
	}
	return last, nil
}

// shownRuns are the last runs of a schedule, if the page shows them.
type shownRuns struct {
	Name  string
	Runs  scheduleRuns
	Shown bool
}

func runsOf(all map[string]scheduleRuns, s api.Schedule) shownRuns {
	runs, shown := all[s.Name]
	return shownRuns{s.Name, runs, shown}
}

// changeSchedule runs, pauses or continues a schedule.
func (d *Dashboard) changeSchedule(w http.ResponseWriter, r *http.Request) error {
	b := d.cfg.API(r)
	return runCalls{b.RunSchedule, b.PauseSchedule, b.ResumeSchedule}.change(w, r, "schedules")
}

// runCalls are the calls that change the runs of a schedule or of a drill.
type runCalls struct {
	run           func(ctx context.Context, name, id, reason string) (api.RequestedRun, error)
	pause, resume func(ctx context.Context, name, reason string) (api.Schedule, error)
}

// change makes the call that the form asks for, and shows the page of the form again.
func (c runCalls) change(w http.ResponseWriter, r *http.Request, page string) error {
	ctx, name, action, reason := r.Context(), r.PathValue("name"), r.PathValue("action"), r.PostForm.Get("reason")
	var err error
	switch action {
	case "run":
		_, err = c.run(ctx, name, r.PostForm.Get("run"), reason)
	case "suspend":
		_, err = c.pause(ctx, name, reason)
	case "continue":
		_, err = c.resume(ctx, name, reason)
	default:
		return &pageError{http.StatusNotFound, "Page not found", "There is no such action."}
	}
	if err != nil {
		return err
	}
	shown := url.Values{"done": {action}}
	if number := r.PostForm.Get(pageParameter); number != "" {
		shown.Set(pageParameter, number)
	}
	seeOther(w, "../../"+page+"?"+shown.Encode())
	return nil
}
