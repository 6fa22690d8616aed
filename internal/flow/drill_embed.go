package flow

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/arm/backupjob"
	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/dataprotection/kinds"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// A drill restores with the steps of the flows that restore. They run in the drill's
// own operation, with a prefix in their names: one row holds the claim of the restore
// and everything that follows it, so nothing is lost between two operations.

// drillRestoreSteps returns the steps that restore.
func (a azure) drillRestoreSteps() []step.Step {
	share := itemRestore{send: a.drillShareRestore, sameTarget: sameDrillShare, result: restoredFiles}.steps(a)
	machine := itemRestore{send: a.drillMachineRestore, sameTarget: sameMachine, result: restoredMachine}.steps(a)
	instance := restoreSteps(a, func(g Guardrails, p drillInstance) bool { return g.allowsDrill(p.Target) })[2:]
	machines := whose(func(p DrillRestore) bool { return p.Type == drillMachines })
	shares := whose(func(p DrillRestore) bool { return p.Type != drillMachines })
	return slices.Concat(
		ofItems(onlyIf(shares, embed("share-", share, nil)...)...), ofItems(onlyIf(machines, embed("machine-", machine, drillMachineParameters)...)...),
		ofInstances(embed("instance-", instance, drillInstanceParameters)...),
	)
}

// embed returns steps of another flow with a prefix in their names. parameters
// returns the parameters that they read; nil means those of the drill. Where the
// other flow ends successfully, the drill continues.
func embed(prefix string, steps []step.Step, parameters func(step.Call) (json.RawMessage, error)) []step.Step {
	named := func(name string) string {
		if name == "" {
			return ""
		}
		return prefix + name
	}
	with := func(c step.Call) (step.Call, error) {
		if parameters == nil {
			return c, nil
		}
		raw, err := parameters(c)
		c.Operation.Parameters = raw
		return c, err
	}
	embedded := make([]step.Step, len(steps))
	for i, s := range steps {
		inner := s
		s.Name, s.OnCancel, s.FinishesOperation = named(inner.Name), named(inner.OnCancel), false
		s.Run = func(ctx context.Context, c step.Call) (operation.Outcome, error) {
			inside, err := with(c)
			if err != nil {
				return operation.Outcome{}, err
			}
			out, err := inner.Run(ctx, inside)
			if err == nil && inner.Effect == step.Once {
				out = learnCorrelation(c, out)
			}
			return afterEmbedded(c, out, named), err
		}
		if inner.Reconcile != nil {
			s.Reconcile = func(ctx context.Context, c step.Call) (operation.Reconciliation, error) {
				inside, err := with(c)
				if err != nil {
					return operation.Reconciliation{}, err
				}
				r, err := inner.Reconcile(ctx, inside)
				r.Outcome = afterEmbedded(c, r.Outcome, named)
				return r, err
			}
		}
		if inner.FinishesOperation {
			s.Then = "continues with `" + drillAwaitEnd + "`"
		}
		embedded[i] = s
	}
	return embedded
}

// learnedCorrelation is the ID of Azure's answer to the restore, which Azure support
// needs.
const learnedCorrelation = "restoreCorrelationId"

func learnCorrelation(c step.Call, out operation.Outcome) operation.Outcome {
	for _, x := range c.Recorder.Exchanges() {
		if x.CorrelationID != "" {
			facts := map[string]string{learnedCorrelation: x.CorrelationID}
			maps.Copy(facts, out.Learned)
			out.Learned = facts
		}
	}
	return out
}

// afterEmbedded converts the outcome of an embedded step. Warnings of the restore are
// kept as a fact: they are part of the evidence, not the end of the drill.
func afterEmbedded(c step.Call, out operation.Outcome, named func(string) string) operation.Outcome {
	out.Next = named(out.Next)
	if out.Kind != operation.Finish {
		return out
	}
	job := out.Learned[learnedJob]
	if job == "" {
		job = c.Operation.Learned[learnedJob]
	}
	facts := newPhases(c).end(phaseRestore, &job).facts()
	for name, value := range out.Learned {
		facts[name] = value
	}
	facts[learnedRestoreWarnings] = strings.Join(out.Warnings, "; ")
	out.Kind, out.Next, out.Pace, out.Learned, out.Warnings = operation.Advance, drillAwaitEnd, operation.PaceNow, facts, nil
	out.Tracking = &operation.Tracking{}
	return out
}

const learnedRestoreWarnings = "restoreWarnings"

// drillShareRestore returns the request for the restore of a file share.
func (a azure) drillShareRestore(_ context.Context, c step.Call) (recoveryservices.Restore, error) {
	p, err := parametersOf[DrillRestore](c)
	if err != nil {
		return nil, err
	}
	if !a.Guardrails.allowsDrill(p.Target) {
		return nil, notAllowed("a drill in this target", settingDrillTargets)
	}
	return recoveryservices.FileShareRestore{
		SourceResourceID: c.Operation.Learned[learnedSource], Conflict: "FailOnConflict",
		Target: &recoveryservices.ShareTarget{StorageAccountID: p.Target.StorageAccountID, Share: placeName(c.Operation.ID)},
	}, nil
}

// sameDrillShare compares a job's target: only this drill restores to its place.
func sameDrillShare(c step.Call, job recoveryservices.Job) match {
	p, err := parametersOf[DrillRestore](c)
	destination := strings.Split(job.PropertyBag["RestoreDestination"], "/")
	switch {
	case err != nil || len(destination) < 2:
		return ambiguousItem
	case strings.EqualFold(destination[0], resourceid.LastName(p.Target.StorageAccountID)) && strings.EqualFold(destination[1], placeName(c.Operation.ID)):
		return sameItem
	}
	return otherItem
}

// drillInstance holds the parameters of the steps that restore a backup instance.
type drillInstance struct {
	DrillRestore
	// Place is the name of the place, PlaceID its resource ID.
	Place, PlaceID string
	// Endpoint is the URL of the target's blob service, Container the container of a
	// vaulted backup.
	Endpoint, Container string
}

func drillInstanceParameters(c step.Call) (json.RawMessage, error) {
	p, err := parametersOf[DrillRestore](c)
	if err != nil {
		return nil, err
	}
	known := c.Operation.Learned
	raw, err := json.Marshal(drillInstance{
		DrillRestore: p, Place: placeName(c.Operation.ID), PlaceID: placeID(c.Operation.ID, p),
		Endpoint: known[learnedBlobEndpoint], Container: known[learnedDrillContainer],
	})
	if err != nil {
		return nil, unreadable(err)
	}
	return raw, nil
}

// drillFilePrefix is the prefix of the files of a restored server.
const drillFilePrefix = "drill"

// containerURL returns the URL of the drill's container, without a slash twice.
func (p drillInstance) containerURL() string {
	return strings.TrimRight(p.Endpoint, "/") + "/" + p.Place
}

func (p drillInstance) restoration() restoration {
	r := restoration{instanceID: p.BackupInstanceID, types: []string{p.Type}, tier: p.tier()}
	switch p.Type {
	case kinds.DatasourceDisk:
		r.target, r.targetID = kinds.TargetDisk, p.PlaceID
	case kinds.DatasourceBlob:
		r.target, r.targetID, r.items = kinds.TargetAccount, p.Target.StorageAccountID, true
		r.paths = []dataprotection.BlobPath{{Container: p.Container, RenameTo: p.Place}}
		r.version = dataprotection.RenameVersion
	default:
		r.files = &AsFiles{ContainerURL: p.containerURL(), Prefix: drillFilePrefix}
		r.target, r.targetID = kinds.TargetContainer, r.files.ContainerURL
	}
	return r
}

// restoreVisible is how long the job of an accepted restore may be invisible, as a
// multiple of the clock skew: 10 min in Azure.
const restoreVisible = 20

// awaitRestoreEnd waits until no job of the drill can write to the place. After a
// restore that ended there is nothing to wait for.
func (a azure) awaitRestoreEnd(ctx context.Context, c step.Call, p DrillRestore) (operation.Outcome, error) {
	out, err := a.restoreEnd(ctx, c, p)
	if err == nil && out.Kind == operation.Advance && p.Type == drillMachines {
		facts := map[string]string{learnedRestoreEnded: a.azureNow(c)}
		maps.Copy(facts, out.Learned)
		out.Learned = facts
	}
	return out, err
}

func (a azure) restoreEnd(ctx context.Context, c step.Call, p DrillRestore) (operation.Outcome, error) {
	if c.Operation.Tracking != nil && c.Operation.Tracking.JobID != "" {
		return a.jobEnd(ctx, c, p)
	}
	attempt, since := openAttempt(c)
	if attempt == "" {
		return next("no restore is running"), nil
	}
	once := onceCall{azureTime: a.unbound.AzureTime, clockSkew: a.ClockSkew, candidates: a.restoreJobs(sameDrillShare)}
	convert := func(c step.Call) (json.RawMessage, error) { return c.Operation.Parameters, nil }
	switch {
	case p.Type == drillMachines:
		convert, once.candidates = drillMachineParameters, a.restoreJobs(sameMachine)
	case p.Type != drillShares:
		convert, once.candidates = drillInstanceParameters, a.instanceJobs(dataprotection.CategoryRestore, toSameTarget[drillInstance](a))
	}
	raw, err := convert(c)
	if err != nil {
		return operation.Outcome{}, err
	}
	c.Operation.Parameters = raw
	jobs, ambiguous, err := once.startedJobs(ctx, c, attempt, since)
	switch {
	case err != nil:
		return operation.Outcome{}, err
	case len(jobs) == 1 && !ambiguous:
		return operation.Outcome{Kind: operation.Wait, Pace: operation.PaceNow, Tracking: jobs[0].tracking(), Note: "the restore runs as job " + jobs[0].name}, nil
	case len(jobs) > 0 || ambiguous:
		return operation.Outcome{}, fatal("RestoreUnclear", "it is unclear which job of "+c.Operation.Learned[learnedName]+" the restore of the drill is; its place was not deleted",
			"Wait until the restore jobs of the item have ended. Then retry the operation: it continues with the clean-up.")
	case c.Now.Before(since.Add(restoreVisible * a.ClockSkew)):
		return operation.Outcome{Kind: operation.Wait, Note: "looking for a job of the restore"}, nil
	}
	out := next("the restore started no job")
	out.Tracking = &operation.Tracking{}
	return out, nil
}

// openAttempt returns the attempt whose job is not known: one that Azure accepted and
// whose job was not found, or one that was not answered.
func openAttempt(c step.Call) (attempt string, since time.Time) {
	for _, f := range c.Operation.Failures {
		if f.Claim != nil {
			return f.Claim.AttemptID, f.Claim.ClaimedAt
		}
	}
	t := c.Operation.Tracking
	if t == nil || t.StatusURL == "" && t.ResultURL == "" || c.Operation.Learned[learnedAttempt] == "" {
		return "", time.Time{}
	}
	at, err := time.Parse(time.RFC3339Nano, c.Operation.Learned[learnedAttempted])
	if err != nil {
		at = c.Operation.CreatedAt
	}
	return c.Operation.Learned[learnedAttempt], at
}

// jobEnd reads the job of the restore.
func (a azure) jobEnd(ctx context.Context, c step.Call, p DrillRestore) (operation.Outcome, error) {
	reader := a.instanceJob(instanceVault)
	if p.ofServicesVault() {
		reader = a.serviceJob(itemVault)
	}
	j, err := reader.read(ctx, c)
	var failed *operation.Error
	switch {
	case errors.As(err, &failed) && failed.Code == codeJobNotVisible && c.Now.After(c.Operation.StepStartedAt.Add(restoreVisible*a.ClockSkew)):
		// Azure forgets jobs, but none that still runs.
		j = job{what: "job " + c.Operation.Tracking.JobID, status: "no longer shown", state: backupjob.Completed}
	case err != nil:
		return operation.Outcome{}, err
	case j.state == backupjob.Running:
		return jobRunning(j), nil
	}
	out := learn(next(fmt.Sprintf("%s has ended (%s)", j.what, j.status)), map[string]string{learnedJob: c.Operation.Tracking.JobID})
	out.Tracking = &operation.Tracking{}
	return out, nil
}
