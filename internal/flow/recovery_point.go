package flow

import (
	"context"
	"fmt"
	"strings"
	"time"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// The facts of the recovery point that is restored.
const (
	learnedRecoveryPoint     = "recoveryPointId"
	learnedRecoveryPointTime = "recoveryPointTime"
	learnedRecoveryPointTier = "recoveryPointTier"
)

// pickRecoveryPoint finds the recovery point that the request names, or the
// newest usable one that fits the request, in the requested tier.
func (a azure) pickRecoveryPoint(ctx context.Context, c step.Call, p restoration, id dataprotection.InstanceID) (operation.Outcome, error) {
	if p.byTime {
		return a.pickTime(ctx, c, p, id)
	}
	find := a.newestRecoveryPoint
	if p.point.ID != "" {
		find = a.namedRecoveryPoint
	}
	point, err := find(ctx, c, p, id)
	if err != nil {
		return operation.Outcome{}, err
	}
	at := point.Time.UTC().Format(time.RFC3339)
	note := fmt.Sprintf("recovery point %s of %s, from the %s tier", point.RecoveryPointID, at, p.tier)
	return learn(next(note), map[string]string{
		learnedRecoveryPoint: point.RecoveryPointID, learnedRecoveryPointTime: at, learnedRecoveryPointTier: p.tier,
	}), nil
}

// newestRecoveryPoint returns the newest recovery point that a restore can use.
func (a azure) newestRecoveryPoint(ctx context.Context, c step.Call, p restoration, id dataprotection.InstanceID) (newest dataprotection.RecoveryPoint, err error) {
	var filter dataprotection.RecoveryPointFilter
	before := p.point.LatestBefore
	if before != nil {
		filter.End = *before
	}
	points, err := a.dataProtection(c).ListRecoveryPoints(ctx, id, filter)
	if err != nil {
		return newest, err
	}
	oldEnough, inTier := 0, 0
	for _, point := range points {
		if before != nil && point.Time.After(*before) {
			continue
		}
		oldEnough++
		if _, ok := point.In(p.store()); !ok {
			continue
		}
		inTier++
		if point.Usable(p.store(), c.Now) && (newest.RecoveryPointID == "" || point.Time.After(newest.Time)) {
			newest = point
		}
	}
	if newest.RecoveryPointID == "" {
		return newest, noRecoveryPoint(p, noneFits(oldEnough, inTier, p))
	}
	return newest, nil
}

// noneFits reports why no recovery point can be used. oldEnough counts the recovery
// points that are old enough, inTier those of them in the requested tier.
func noneFits(oldEnough, inTier int, p restoration) string {
	age := ""
	if p.point.LatestBefore != nil {
		age = " of " + p.point.LatestBefore.UTC().Format(time.RFC3339) + " or before"
	}
	switch {
	case oldEnough == 0:
		return "the instance has no recovery point" + age
	case inTier == 0:
		return fmt.Sprintf("none of the %d recovery points%s is in the %s tier", oldEnough, age, p.tier)
	}
	return fmt.Sprintf("none of the %d recovery points%s in the %s tier can be used: each is incomplete, expired, deleted or no longer rehydrated", inTier, age, p.tier)
}

// namedRecoveryPoint returns the recovery point with the requested ID, whatever
// its state: the person who names it decides. If no recovery point has the ID, it
// is treated as a friendly name.
func (a azure) namedRecoveryPoint(ctx context.Context, c step.Call, p restoration, id dataprotection.InstanceID) (dataprotection.RecoveryPoint, error) {
	name := p.point.ID
	point, err := a.dataProtection(c).GetRecoveryPoint(ctx, id, name)
	if azerr.IsNotFound(err) {
		point, err = a.recoveryPointByFriendlyName(ctx, c, p, id)
	}
	if err != nil {
		return point, err
	}
	if _, inTier := point.In(p.store()); !inTier {
		return point, noRecoveryPoint(p, fmt.Sprintf("recovery point %s is not in the %s tier", name, p.tier))
	}
	return point, nil
}

func (a azure) recoveryPointByFriendlyName(ctx context.Context, c step.Call, p restoration, id dataprotection.InstanceID) (named dataprotection.RecoveryPoint, err error) {
	points, err := a.dataProtection(c).ListRecoveryPoints(ctx, id, dataprotection.RecoveryPointFilter{})
	if err != nil {
		return named, err
	}
	var ids []string
	for _, point := range points {
		if strings.EqualFold(point.FriendlyName, p.point.ID) {
			named = point
			ids = append(ids, point.RecoveryPointID)
		}
	}
	switch len(ids) {
	case 0:
		return named, noRecoveryPoint(p, "the instance has no recovery point with the ID or friendly name "+p.point.ID)
	case 1:
		return named, nil
	}
	return named, noRecoveryPoint(p, fmt.Sprintf("parameters.recoveryPoint.id: %s is the friendly name of several recovery points; name one by its ID: %s",
		p.point.ID, strings.Join(ids, ", ")))
}

func noRecoveryPoint(p restoration, message string) *operation.Error {
	return fatal("NoRecoveryPoint", message, "List the recovery points: `az dataprotection recovery-point list`. The request names the "+p.tier+" tier.")
}

// pickTime finds the time to which a continuous backup is restored: the requested
// one, or the newest that fits the request.
func (a azure) pickTime(ctx context.Context, c step.Call, p restoration, id dataprotection.InstanceID) (operation.Outcome, error) {
	ranges, err := a.dataProtection(c).RestorableTimes(ctx, id, time.Time{}, time.Time{})
	if err != nil {
		return operation.Outcome{}, err
	}
	var picked time.Time
	for _, r := range ranges {
		at := r.End
		switch {
		case p.pointInTime != nil:
			at = *p.pointInTime
		case p.point.LatestBefore != nil && p.point.LatestBefore.Before(at):
			at = *p.point.LatestBefore
		}
		// The request has whole seconds, like Azure's own clients.
		if at = at.UTC().Truncate(time.Second); r.Includes(at) && at.After(picked) {
			picked = at
		}
	}
	if picked.IsZero() {
		return operation.Outcome{}, noRecoveryPoint(p, "the account cannot be restored to the requested time; "+describeRanges(ranges))
	}
	at := picked.Format(time.RFC3339)
	return learn(next("the account is restored to "+at), map[string]string{learnedRecoveryPointTime: at, learnedRecoveryPointTier: p.tier}), nil
}

func describeRanges(ranges []dataprotection.TimeRange) string {
	var all []string
	for _, r := range ranges {
		all = append(all, r.Start.UTC().Format(time.RFC3339)+" to "+r.End.UTC().Format(time.RFC3339))
	}
	if len(all) == 0 {
		return "it has no restorable times"
	}
	return "its restorable times are " + strings.Join(all, ", ")
}
