package armsim

import (
	"net/http"
	"slices"
	"time"
)

// changeProtection is one of the POST requests that stop or resume protection.
type changeProtection struct {
	operation string
	from      []string
	to        string
	// guarded requests need a second person if the vault has a resource guard.
	guarded bool
}

// stopProtection answers POST stopProtection. The backup data stays.
func (s *Simulator) stopProtection(c *call) (answer, *armError) {
	return s.changeProtection(c, changeProtection{operation: operationStopProtection, to: protectionStopped, guarded: true})
}

// suspendBackups answers POST suspendBackups. The backup data stays until it
// expires.
func (s *Simulator) suspendBackups(c *call) (answer, *armError) {
	return s.changeProtection(c, changeProtection{operation: operationSuspendBackups, to: backupsSuspended, guarded: true})
}

// resumeProtection answers POST resumeProtection, after stopProtection or
// suspendBackups (recorded).
func (s *Simulator) resumeProtection(c *call) (answer, *armError) {
	return s.changeProtection(c, changeProtection{operation: operationResumeProtection, from: []string{protectionStopped, backupsSuspended}, to: protectionConfigured})
}

// resumeBackups answers POST resumeBackups, after suspendBackups. It was never
// recorded.
func (s *Simulator) resumeBackups(c *call) (answer, *armError) {
	return s.changeProtection(c, changeProtection{operation: operationResumeBackups, from: []string{backupsSuspended}, to: protectionConfigured})
}

// changeProtection answers 202, or 200 if the instance already has the state
// (recorded for resumeProtection).
func (s *Simulator) changeProtection(c *call, change changeProtection) (answer, *armError) {
	if err := c.optionalBody(shape{"resourceGuardOperationRequests": nil}); err != nil {
		return answer{}, err
	}
	i, missing := c.findInstance()
	switch {
	case missing != nil:
		return answer{}, missing
	case i.state == change.to:
		return answer{status: http.StatusOK, header: http.Header{}}, nil
	case i.deleting, len(change.from) > 0 && !slices.Contains(change.from, i.state), i.state == configuringProtection:
		return answer{}, s.wrongState(c, i)
	case change.guarded && c.backupVault.ResourceGuard:
		return answer{}, missingResourceGuardRequest().withActivity(s.activity(c)).rejection(http.StatusBadRequest)
	}
	version := i.version
	out := s.outcome(change.operation, i.name, i.friendly, i.source.name)
	o := s.startInstance(c, s.config.Durations.ChangeProtection, out, func(*instanceOperation, time.Time) *userError {
		if i.version == version && !i.deleting {
			i.state, i.failure = change.to, nil
		}
		return nil
	}, nil)
	return s.acceptedInstance(c, o, instanceRetryAfter), nil
}
