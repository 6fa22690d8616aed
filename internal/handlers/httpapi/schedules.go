package httpapi

import (
	"net/http"

	"azbackupflow/internal/api"
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

// runSchedule starts a run of a schedule now. With an idempotency key a repeated
// call starts the same run.
func (a *API) runSchedule(w http.ResponseWriter, r *http.Request) error {
	s, err := a.authorizedSchedule(r)
	if err != nil {
		return err
	}
	by, err := a.cause(r)
	if err != nil {
		return err
	}
	id := r.Header.Get("Idempotency-Key")
	if id == "" {
		id = a.cfg.Schedules.ManualID(s)
	}
	if err := request.CheckRunID(id); err != nil {
		return err
	}
	slot, err := a.cfg.Schedules.RunNow(r.Context(), s.Name, id, by)
	if err != nil {
		return err
	}
	a.cfg.Log.InfoContext(r.Context(), "schedule run requested", "schedule", s.Name, "slot", slot, "actor", by.Actor.String(), "reason", by.Reason)
	return writeJSON(w, http.StatusAccepted, api.RequestedRun{Schedule: s.Name, Slot: slot})
}

func (a *API) pauseSchedule(w http.ResponseWriter, r *http.Request) error {
	s, err := a.authorizedSchedule(r)
	if err != nil {
		return err
	}
	by, err := a.cause(r)
	if err != nil {
		return err
	}
	status, err := a.cfg.Schedules.Pause(r.Context(), s.Name, by)
	if err != nil {
		return err
	}
	a.cfg.Log.InfoContext(r.Context(), "schedule paused", "schedule", s.Name, "actor", by.Actor.String(), "reason", by.Reason)
	return writeJSON(w, http.StatusOK, publicSchedule(status))
}

func (a *API) resumeSchedule(w http.ResponseWriter, r *http.Request) error {
	s, err := a.authorizedSchedule(r)
	if err != nil {
		return err
	}
	by, err := a.cause(r)
	if err != nil {
		return err
	}
	status, err := a.cfg.Schedules.Resume(r.Context(), s.Name)
	if err != nil {
		return err
	}
	a.cfg.Log.InfoContext(r.Context(), "schedule resumed", "schedule", s.Name, "actor", by.Actor.String(), "reason", by.Reason)
	return writeJSON(w, http.StatusOK, publicSchedule(status))
}

// authorizedSchedule returns the schedule that the path names, if the caller may
// start operations of its flow.
func (a *API) authorizedSchedule(r *http.Request) (schedule.Schedule, error) {
	s, err := a.cfg.Schedules.Find(r.PathValue("name"))
	if err != nil {
		return s, err
	}
	return s, a.authorizeRequest(r.Context(), s.Request)
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
