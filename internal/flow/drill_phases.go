package flow

import (
	"encoding/json"
	"slices"
	"time"

	"azbackupflow/internal/drill/evidence"
	"azbackupflow/internal/step"
)

// The phases of a drill, by short names.
const (
	phaseChoosePoint = evidence.ChoosePoint
	phaseMakeTarget  = evidence.MakeTarget
	phaseRestore     = evidence.Restore
	phaseCheckData   = evidence.CheckData
	phaseValidate    = evidence.Validate
	phaseCleanUp     = evidence.CleanUp
)

// phases are the phases of a drill so far. They are a fact of the operation, so each
// step saves them together with its result.
type phases struct {
	now time.Time
	all []evidence.Phase
}

// learnedPhases holds the phases as JSON.
const learnedPhases = "phases"

// newPhases returns the phases of the operation. Processes have different clocks, so
// the time never goes back.
func newPhases(c step.Call) *phases {
	p := &phases{now: c.Now.UTC()}
	_ = json.Unmarshal([]byte(c.Operation.Learned[learnedPhases]), &p.all) // absent at first
	for _, one := range p.all {
		p.now = laterOf(p.now, laterOf(one.Started, one.Ended))
	}
	return p
}

func laterOf(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (p *phases) index(name evidence.PhaseName) int {
	return slices.IndexFunc(p.all, func(one evidence.Phase) bool { return one.Name == name })
}

// begin starts a phase, once.
func (p *phases) begin(name evidence.PhaseName) *phases {
	if p.index(name) < 0 {
		p.all = append(p.all, evidence.Phase{Name: name, Started: p.now})
	}
	return p
}

// end ends a phase successfully. job is the job of Azure, if it had one.
func (p *phases) end(name evidence.PhaseName, job *string) *phases {
	at := p.index(name)
	if at < 0 || !p.all[at].Ended.IsZero() {
		return p
	}
	p.all[at].Ended, p.all[at].Result = p.now, evidence.PhaseSucceeded
	if job != nil {
		p.all[at].JobID = *job
	}
	return p
}

// facts returns the phases as a fact.
func (p *phases) facts() map[string]string {
	raw, err := json.Marshal(p.all)
	if err != nil {
		return map[string]string{} // it holds only texts and times
	}
	return map[string]string{learnedPhases: string(raw)}
}

// started returns the start of the drill.
func (p *phases) started() time.Time {
	if len(p.all) == 0 {
		return p.now
	}
	return p.all[0].Started
}
