package httpapi

import (
	"net/http"

	"azbackupflow/internal/api"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/request"
	"azbackupflow/internal/schedule"
)

func (a *API) listSchedules(w http.ResponseWriter, r *http.Request) error {
	all, incomplete, err := a.cfg.Schedules.List(r.Context())
	if err != nil {
		return err
	}
	list := api.ScheduleList{Schedules: []api.Schedule{}, Incomplete: incomplete}
	for _, s := range all {
		list.Schedules = append(list.Schedules, publicSchedule(s))
	}
	return writeJSON(w, http.StatusOK, list)
}

// runSchedule starts a run of a schedule or drill now. With an idempotency key a
// repeated call starts the same run.
func (a *API) runSchedule(of Schedules) endpoint {
	return a.changeSchedule(of, "run requested", func(r *http.Request, s schedule.Schedule, by operation.Cause) (int, any, error) {
		id := r.Header.Get("Idempotency-Key")
		if id == "" {
			id = of.ManualID(s)
		}
		if err := request.CheckRunID(id); err != nil {
			return 0, nil, err
		}
		slot, err := of.RunNow(r.Context(), s.Name, id, by)
		return http.StatusAccepted, api.RequestedRun{Schedule: s.Name, Slot: slot}, err
	})
}

func (a *API) pauseSchedule(of Schedules) endpoint {
	return a.changeSchedule(of, "paused", func(r *http.Request, s schedule.Schedule, by operation.Cause) (int, any, error) {
		status, err := of.Pause(r.Context(), s.Name, by)
		return http.StatusOK, publicSchedule(status), err
	})
}

func (a *API) resumeSchedule(of Schedules) endpoint {
	return a.changeSchedule(of, "resumed", func(r *http.Request, s schedule.Schedule, _ operation.Cause) (int, any, error) {
		status, err := of.Resume(r.Context(), s.Name)
		return http.StatusOK, publicSchedule(status), err
	})
}

// changeSchedule returns the endpoint of a change of the schedule that the path names.
// The caller must be allowed to start operations of its flow.
func (a *API) changeSchedule(of Schedules, what string, change func(*http.Request, schedule.Schedule, operation.Cause) (status int, answer any, err error)) endpoint {
	return func(w http.ResponseWriter, r *http.Request) error {
		s, err := of.Find(r.PathValue("name"))
		if err != nil {
			return err
		}
		if err := a.authorizeRequest(r.Context(), s.Request); err != nil {
			return err
		}
		by, err := a.cause(r)
		if err != nil {
			return err
		}
		status, answer, err := change(r, s, by)
		if err != nil {
			return err
		}
		a.cfg.Log.InfoContext(r.Context(), string(s.Kind)+" "+what, string(s.Kind), s.Name, "actor", by.Actor.String(), "reason", by.Reason)
		return writeJSON(w, status, answer)
	}
}

func publicSchedule(s schedule.Status) api.Schedule {
	declared, record := s.Schedule, s.Record
	public := api.Schedule{
		Name: declared.Name, Cron: declared.Timing.Expression(), TimeZone: declared.Timing.Zone(), Flow: declared.Request.Flow,
		Enabled: declared.Enabled, Paused: record.Paused != nil, Missed: string(declared.Missed), Overlap: string(declared.Overlap),
		Next: []api.ScheduledRun{}, LastRequested: record.LastManual,
		Skipped: record.Skipped, Rejected: record.Rejected, FailingSince: record.FailingSince,
	}
	if p := record.Paused; p != nil {
		public.PausedAt, public.PausedBy, public.PauseReason = p.At, publicActor(p.By), p.By.Reason
	}
	for _, slot := range s.Next {
		public.Next = append(public.Next, api.ScheduledRun{Slot: slot.Name, At: slot.At.UTC()})
	}
	if at := declared.Timing.TimeOf(record.LastSlot); !at.IsZero() {
		public.Last = &api.ScheduledRun{Slot: record.LastSlot, At: at.UTC()}
	}
	if record.Manual != nil {
		public.Requested = record.Manual.Slot
	}
	for _, b := range record.Behind {
		if b.Waiting != "" {
			public.Waiting++
		}
	}
	return public
}
