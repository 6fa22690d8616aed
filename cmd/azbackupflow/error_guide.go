package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/cli/render"
	"azbackupflow/internal/operation"
)

// errorGuide explains Azure's errors. It is derived from the tables that the
// program runs by.
type errorGuide struct {
	Classes []errorClass   `json:"classes"`
	Errors  []errorEntry   `json:"errors"`
	Unknown []unknownError `json:"unknown"`
	// Own are the codes of azbackupflow.
	Own []ownCode `json:"own"`
}

// errorClass describes a class of errors.
type errorClass struct {
	Class   operation.Class `json:"class"`
	Meaning string          `json:"meaning"`
	// Does describes the reaction of azbackupflow.
	Does string `json:"does"`
	// MaxRestarts is how often work that Azure accepted is started again after it
	// failed with such an error. It does not hold for the jobs of backups and
	// restores. Throttling is not counted.
	MaxRestarts int `json:"maxRestarts"`
}

// errorEntry is one entry of the catalogue.
type errorEntry struct {
	Codes []string `json:"codes"`
	// MessageContains is a text of the message that identifies the error without
	// a code.
	MessageContains   string          `json:"messageContains,omitempty"`
	Class             operation.Class `json:"class"`
	Does              string          `json:"does"`
	RecommendedAction string          `json:"recommendedAction"`
}

// unknownError describes the codes that the catalogue does not have.
type unknownError struct {
	Status string          `json:"status"`
	Class  operation.Class `json:"class"`
	Does   string          `json:"does"`
}

func newErrorGuide() errorGuide {
	g := errorGuide{Unknown: unknownErrors(), Own: ownCodes()}
	for _, c := range []errorClass{
		{Class: operation.Throttled, Meaning: "Azure's rate limit is reached"},
		{Class: operation.Transient, Meaning: "the error passes without a change"},
		{Class: operation.NotYet, Meaning: "a new object is not visible yet"},
		{Class: operation.Conflict, Meaning: "another operation changes the item"},
		{Class: operation.UserAction, Meaning: "a user must change something; the change may take effect slowly"},
		{Class: operation.Fatal, Meaning: "a retry cannot succeed"},
	} {
		policy, _ := c.Class.RetryPolicy()
		c.Does, c.MaxRestarts = handling(c.Class, 0), policy.MaxSetbacks
		g.Classes = append(g.Classes, c)
		for _, e := range azerr.Catalogue() {
			if e.Class == c.Class {
				g.Errors = append(g.Errors, errorEntry{
					Codes: e.Codes, MessageContains: e.MessageContains, Class: e.Class, Does: handling(e.Class, e.RetryAfter), RecommendedAction: recommendedAction(e),
				})
			}
		}
	}
	return g
}

// only returns the guide for one code: its entry, or the handling of unknown
// codes. The tables of Azure and of azbackupflow share no code.
func (g errorGuide) only(code string) errorGuide {
	for _, own := range g.Own {
		for _, known := range own.Codes {
			if strings.EqualFold(known, code) {
				return errorGuide{Classes: []errorClass{}, Errors: []errorEntry{}, Unknown: []unknownError{}, Own: []ownCode{own}}
			}
		}
	}
	for _, e := range g.Errors {
		for _, known := range e.Codes {
			if !strings.EqualFold(known, code) {
				continue
			}
			one := errorGuide{Errors: []errorEntry{e}, Unknown: []unknownError{}, Own: []ownCode{}}
			for _, c := range g.Classes {
				if c.Class == e.Class {
					one.Classes = append(one.Classes, c)
				}
			}
			return one
		}
	}
	return errorGuide{Classes: g.Classes, Errors: []errorEntry{}, Unknown: g.Unknown, Own: []ownCode{}}
}

// handling describes what azbackupflow does about an error. minWait is the
// shortest wait that the catalogue sets; zero if it sets none.
func handling(class operation.Class, minWait time.Duration) string {
	p, retried := class.RetryPolicy()
	if !retried {
		return "fails at once"
	}
	text := fmt.Sprintf("retries after %s to %s", render.Duration(p.InitialWait), render.Duration(p.MaxWait))
	switch {
	case minWait > 0:
		text = fmt.Sprintf("retries after %s, or later if Azure requires it", render.Duration(minWait))
	case class == operation.Throttled:
		text = fmt.Sprintf("retries after Retry-After (else %s to %s)", render.Duration(p.InitialWait), render.Duration(p.MaxWait))
	}
	if class == operation.Throttled {
		return text + ", until the deadline"
	}
	return fmt.Sprintf("%s, %d times, then fails", text, p.MaxAttempts)
}

// recommendedAction returns what a user can do about an entry.
func recommendedAction(e azerr.Entry) string {
	if e.RecommendedAction != "" {
		return e.RecommendedAction
	}
	switch e.Class {
	case operation.Throttled, operation.Transient, operation.NotYet, operation.Conflict:
		return "Nothing, unless the error persists; then check the status of Azure."
	case operation.UserAction, operation.Fatal:
	}
	return "Check the resource that the message names: it does not exist, or the app may not read it."
}

// unknownErrors returns the handling of codes that the catalogue does not have,
// by calling the classifier.
func unknownErrors() []unknownError {
	classOf := func(status int) operation.Class {
		return azerr.Classify(azerr.Response{Request: azerr.Request{Method: http.MethodGet}, Status: status}).Class
	}
	other := classOf(http.StatusBadRequest)
	var all []unknownError
	index := map[operation.Class]int{}
	add := func(status string, class operation.Class) {
		all = append(all, unknownError{Status: status, Class: class, Does: handling(class, 0)})
	}
	for status := 400; status < 500; status++ {
		class := classOf(status)
		i, listed := index[class]
		switch {
		case class == other:
		case listed:
			all[i].Status += ", " + strconv.Itoa(status)
		default:
			index[class] = len(all)
			add(strconv.Itoa(status), class)
		}
	}
	add("other 4xx", other)
	add("5xx", classOf(http.StatusInternalServerError))
	add("no status", azerr.Failure("NotInTheCatalogue", "", nil).Class)
	return all
}
