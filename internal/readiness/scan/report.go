package scan

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"azbackupflow/internal/api"
	"azbackupflow/internal/autoprotect"
	"azbackupflow/internal/inventory"
	"azbackupflow/internal/readiness"
)

// Report reads what is missing or too old, for about 20 seconds at most, and returns
// the report of what is known, with all items. The report says whether it is
// complete. The error is a *step.Invalid for a vault that is none, and that of the
// storage otherwise.
func (s *Scanner) Report(ctx context.Context, q Request) (api.Readiness, error) {
	for _, v := range q.Vaults {
		if err := inventory.CheckVault(strings.TrimRight(v, "/")); err != nil {
			return api.Readiness{}, err
		}
	}
	judge, err := readiness.New(readiness.Config{Now: s.c.Now(), MaxProofAge: q.MaxProofAge, MaxPointAge: q.MaxPointAge})
	if err != nil {
		return api.Readiness{}, err
	}
	f := &refresher{Scanner: s, maxAge: max(q.MaxAge, MinAge), deadline: s.c.Now().Add(maxTime)}
	parts, invalid := s.parts(q)
	rows, err := f.readAll(ctx, parts, q.ReadNothing)
	if err != nil {
		return api.Readiness{}, err
	}
	if q.Tag != "" {
		tags := s.tagParts(q.Tag, parts, rows)
		if parts = append(parts, tags...); len(tags) > 0 {
			if rows, err = f.readAll(ctx, parts, q.ReadNothing); err != nil {
				return api.Readiness{}, err
			}
		}
	}
	exclusions, err := s.c.Exclusions(ctx)
	if err != nil {
		return api.Readiness{}, fmt.Errorf("list exclusions: %w", err)
	}
	r := api.Readiness{Version: api.ReadinessVersion, At: s.c.Now(), Scan: f.scanned(parts, rows, invalid), Items: []api.ReadinessItem{}, Vaults: []api.ReadinessVault{}}
	a := newAssembly(exclusions)
	var vaults []string
	for _, p := range parts {
		if rows[p.key].failed(s.c.Now(), f.maxAge) {
			continue // old data would look like the truth
		}
		a.add(p, rows[p.key])
		if p.kind == partVault {
			vaults = append(vaults, p.subject)
			r.Vaults = append(r.Vaults, vaultOf(p, rows[p.key]))
		}
	}
	for _, item := range a.finish() {
		r.Items = append(r.Items, judge.Assess(item))
	}
	r.Scores = readiness.Scores(r.Items, vaults, q.Tag != "")
	return r, nil
}

// parts returns the parts that a report is made of, except tags, and the problem of
// rules that cannot be parsed.
func (s *Scanner) parts(q Request) (parts []part, invalid *api.ReadinessProblem) {
	vaults := q.Vaults
	if len(vaults) == 0 {
		vaults = append(slices.Clone(s.c.Vaults), s.c.Rules.RuleVaults()...)
		scopes, err := s.c.Rules.Scopes()
		if err != nil {
			invalid = &api.ReadinessProblem{Part: partRules, Code: "InvalidRules", Message: err.Error(), RecommendedAction: []string{"Correct protection.yaml; azbackupflow protect check lists its problems."}}
		}
		for _, scope := range scopes {
			parts = append(parts, s.rulesPart(scope))
		}
	}
	seen := map[string]bool{}
	for _, v := range vaults {
		v = strings.TrimRight(v, "/")
		if key := readiness.Key(v); v != "" && !seen[key] {
			seen[key] = true
			parts = append(parts, s.vaultPart(v, q.Points, q.MaxPointAge > 0))
		}
	}
	return append(parts, s.drillsPart()), invalid
}

// tagParts returns the parts of a tag in every subscription that the other parts
// know.
func (s *Scanner) tagParts(tag string, parts []part, rows map[string]row) (tags []part) {
	subscriptions := map[string]bool{}
	for _, p := range parts {
		entries, _ := data[[]inventory.Entry](rows[p.key], listItems)
		for _, e := range entries {
			subscriptions[subscriptionOf(e.Source)] = true
		}
		surveyed, _ := data[[]autoprotect.Surveyed](rows[p.key], listSurvey)
		for _, r := range surveyed {
			subscriptions[subscriptionOf(r.ID)] = true
		}
	}
	delete(subscriptions, "")
	for subscription := range subscriptions {
		tags = append(tags, s.tagsPart(subscription, tag))
	}
	slices.SortFunc(tags, func(a, b part) int { return cmp.Compare(a.key, b.key) })
	return tags
}

// readAll reads the parts that are not fresh, and returns the rows of all parts.
func (f *refresher) readAll(ctx context.Context, parts []part, nothing bool) (map[string]row, error) {
	rows, err := f.load(ctx, parts)
	if err != nil || nothing {
		return rows, err
	}
	if err := f.refresh(ctx, parts, rows); err != nil {
		return nil, err
	}
	return f.load(ctx, parts)
}

// load returns the stored rows of the parts.
func (f *refresher) load(ctx context.Context, parts []part) (map[string]row, error) {
	wanted := map[string]bool{}
	for _, p := range parts {
		wanted[p.key] = true
	}
	rows := map[string]row{}
	for stored, err := range f.c.Rows.List(ctx) {
		if err != nil {
			return nil, fmt.Errorf("list the parts of the readiness report: %w", err)
		}
		if wanted[stored.Key] {
			rows[stored.Key] = decodeRow(stored.Value)
		}
	}
	return rows, nil
}

// scanned describes how complete the report is.
func (f *refresher) scanned(parts []part, rows map[string]row, invalid *api.ReadinessProblem) api.ReadinessScan {
	now := f.c.Now()
	scan := api.ReadinessScan{Parts: len(parts), CallsNow: int(f.calls.Load()), Problems: []api.ReadinessProblem{}}
	if invalid != nil {
		scan.Parts, scan.Failed, scan.Problems = scan.Parts+1, 1, append(scan.Problems, *invalid)
	}
	wait := time.Duration(-1)
	for _, p := range parts {
		r := rows[p.key]
		scan.Calls += r.calls()
		switch {
		case r.failed(now, f.maxAge): // also if an earlier read is new enough: Report leaves the part out
			scan.Failed++
			scan.Problems = append(scan.Problems, api.ReadinessProblem{
				Part: p.kind, Subject: p.subject, Code: r.Problem.Code, Message: r.Problem.Message, RecommendedAction: r.Problem.RecommendedAction,
			})
		case r.fresh(p, now, f.maxAge):
			scan.Read++
			for _, l := range p.lists {
				if at := r.Lists[l.name].At; scan.Oldest.IsZero() || at.Before(scan.Oldest) {
					scan.Oldest = at
				}
			}
		default:
			pause := max(r.NotBefore.Sub(now), 0)
			if now.Before(r.ClaimedUntil) {
				pause = claimPause // another instance may end its claim at any time
			}
			if wait < 0 || pause < wait {
				wait = pause
			}
		}
	}
	scan.Complete = scan.Read+scan.Failed == scan.Parts
	if !scan.Complete {
		scan.RetryAfterSeconds = min(max(int((wait+time.Second-1)/time.Second), 1), maxRetryAfter)
	}
	return scan
}

// claimPause is the wait for a part that another instance reads.
const claimPause = 5 * time.Second

// maxRetryAfter limits the wait between two requests, in seconds.
const maxRetryAfter = 60

func vaultOf(p part, r row) api.ReadinessVault {
	settings, _ := data[inventory.VaultSettings](r, listSettings)
	v := api.ReadinessVault{
		ID: p.subject, Name: cmp.Or(settings.Name, p.subject[strings.LastIndex(p.subject, "/")+1:]), Location: settings.Location, SoftDelete: settings.SoftDelete, SoftDeleteDays: settings.SoftDeleteDays,
		Immutability: settings.Immutability, MultiUserAuthorization: settings.MultiUserAuthorization,
	}
	if s := r.Lists[listSettings]; s != nil {
		v.At = s.At
	}
	v.Findings = readiness.Findings(v)
	return v
}
