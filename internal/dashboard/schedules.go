package dashboard

import (
	"context"
	"net/http"

	"azbackupflow/internal/api"
)

// schedulesData is the content of the page of schedules.
type schedulesData struct {
	List api.ScheduleList
	// Hours counts the next runs of all schedules by hour of the day, in UTC.
	Hours []hour
	// RunID identifies a run that the person may request, so that a form that is
	// sent twice starts one run.
	RunID string
}

// hour is a field of the heat map. Level is 0 to 4.
type hour struct{ Hour, Runs, Level int }

// schedules is the page of the schedules.
func (d *Dashboard) schedules(r *http.Request) (content, error) {
	list, err := d.cfg.API(r).Schedules(r.Context())
	if err != nil {
		return content{}, err
	}
	data := schedulesData{List: list, Hours: make([]hour, 24), RunID: d.cfg.NewID()}
	most := 0
	for h := range data.Hours {
		data.Hours[h].Hour = h
	}
	for _, s := range list.Schedules {
		for _, run := range s.Next {
			at := &data.Hours[run.At.UTC().Hour()]
			at.Runs++
			most = max(most, at.Runs)
		}
	}
	for h := range data.Hours {
		if runs := data.Hours[h].Runs; runs > 0 {
			data.Hours[h].Level = 1 + 3*(runs-1)/max(1, most-1)
		}
	}
	return content{Title: "Schedules", Section: "schedules", Data: data}, nil
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

// change makes the call that the form asks for, and shows the page again.
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
	seeOther(w, "../../"+page+"?done="+action)
	return nil
}
