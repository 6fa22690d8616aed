package dashboard

import (
	"cmp"
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"azbackupflow/internal/api"
	"azbackupflow/internal/client"
)

// maxDecisions limits the decisions that the page counts.
const maxDecisions = 5000

// protectionData is the content of the page of automatic protection.
type protectionData struct {
	Outcome string
	// Counts are the decisions by outcome, lost protection first.
	Counts []outcomeCount
	// Decisions are those of the chosen outcome, one page of them.
	Decisions []api.Decision
	Pager     pager
	// Incomplete reports that there are more decisions than are counted.
	Incomplete bool
	Unreadable int
	// Resource is the resource to explain; empty if none was requested. Explained
	// holds what the rules decide about it, Problems why that is not known.
	Resource  string
	Explained []api.Explanation
	Problems  []string
}

type outcomeCount struct {
	Outcome string
	Count   int
}

// protection is the page of automatic protection.
func (d *Dashboard) protection(r *http.Request) (content, error) {
	ctx, backend := r.Context(), d.cfg.API(r)
	data := protectionData{Outcome: r.URL.Query().Get("outcome")}
	if data.Resource = strings.TrimSpace(r.URL.Query().Get("resource")); data.Resource != "" {
		if err := data.explain(ctx, backend); err != nil {
			return content{}, err
		}
	}
	counts := map[string]int{}
	q := api.DecisionQuery{PageSize: api.MaxPageSize}
	for read := 0; ; {
		page, err := backend.Decisions(ctx, q)
		if err != nil {
			return content{}, err
		}
		for _, decision := range page.Decisions {
			counts[decision.Outcome]++
			if data.Outcome == "" || decision.Outcome == data.Outcome {
				data.Decisions = append(data.Decisions, decision)
			}
		}
		data.Unreadable += len(page.Unreadable)
		if read += len(page.Decisions); page.Continue == "" {
			break
		}
		if read >= maxDecisions {
			data.Incomplete = true
			break
		}
		q.Continue = page.Continue
	}
	for outcome, n := range counts {
		data.Counts = append(data.Counts, outcomeCount{outcome, n})
	}
	slices.SortFunc(data.Counts, func(a, b outcomeCount) int {
		return cmp.Or(urgency(a.Outcome)-urgency(b.Outcome), cmp.Compare(a.Outcome, b.Outcome))
	})
	slices.SortStableFunc(data.Decisions, func(a, b api.Decision) int {
		return cmp.Or(urgency(a.Outcome)-urgency(b.Outcome), b.At.Compare(a.At))
	})
	data.Decisions, data.Pager = onePage(r.URL.Query(), data.Decisions, pageSize)
	return content{Title: "Protection", Section: "protection", Data: data}, nil
}

// explain asks the app what its rules decide about the resource. A problem of the
// resource is shown on the page.
func (p *protectionData) explain(ctx context.Context, backend API) error {
	list, err := backend.Explain(ctx, p.Resource)
	var problem *client.Problem
	if errors.As(err, &problem) && problem.Status != http.StatusUnauthorized && problem.Status != http.StatusForbidden {
		p.Problems = problemLines(problem)
		return nil
	}
	p.Explained = list.Resources
	return err
}

// urgency orders outcomes: lost protection first.
func urgency(outcome string) int {
	order := []string{"lost", "rejected", "protect", "excluded", "exclude", "none"}
	if i := slices.Index(order, outcome); i >= 0 {
		return i
	}
	return len(order)
}
