package main

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/operation"
)

// errorGuide is all that is known of Azure's errors, for people. It says only
// what the tables say that the program works by.
type errorGuide struct {
	Classes []errorClass   `json:"classes"`
	Errors  []errorEntry   `json:"errors"`
	Unknown []unknownError `json:"unknown"`
}

// errorClass is what azbackupflow does about a class of errors.
type errorClass struct {
	Class   operation.Class `json:"class"`
	Meaning string          `json:"meaning"`
	Does    string          `json:"does"`
	// Anew is how often what Azure accepted is asked for anew after it failed
	// with such an error. Throttling is not counted.
	Anew int `json:"anew"`
}

// errorEntry is one line of the catalogue.
type errorEntry struct {
	Codes  []string        `json:"codes"`
	Text   string          `json:"text,omitempty"`
	Class  operation.Class `json:"class"`
	Does   string          `json:"does"`
	Advice string          `json:"advice"`
}

// unknownError is what becomes of a code that the catalogue does not have.
type unknownError struct {
	Status string          `json:"status"`
	Class  operation.Class `json:"class"`
	Does   string          `json:"does"`
}

func newErrorGuide() errorGuide {
	g := errorGuide{Unknown: unknownErrors()}
	for _, c := range []errorClass{
		{Class: operation.Throttled, Meaning: "Azure asks for patience"},
		{Class: operation.Transient, Meaning: "passes by itself"},
		{Class: operation.NotYet, Meaning: "not visible yet"},
		{Class: operation.Conflict, Meaning: "something else is at work on the item"},
		{Class: operation.UserAction, Meaning: "a person must do something; such changes spread slowly"},
		{Class: operation.Fatal, Meaning: "asking again cannot mend it"},
	} {
		patience, _ := c.Class.RetryPolicy()
		c.Does, c.Anew = doesAbout(c.Class, 0), patience.MaxSetbacks
		g.Classes = append(g.Classes, c)
		for _, e := range azerr.Catalogue() {
			if e.Class == c.Class {
				g.Errors = append(g.Errors, errorEntry{
					Codes: e.Codes, Text: e.MessageContains, Class: e.Class, Does: doesAbout(e.Class, e.RetryAfter), Advice: adviceOf(e),
				})
			}
		}
	}
	return g
}

// only keeps what concerns one code: its entry, or what becomes of a code that
// is not known.
func (g errorGuide) only(code string) errorGuide {
	for _, e := range g.Errors {
		for _, known := range e.Codes {
			if !strings.EqualFold(known, code) {
				continue
			}
			one := errorGuide{Errors: []errorEntry{e}, Unknown: []unknownError{}}
			for _, c := range g.Classes {
				if c.Class == e.Class {
					one.Classes = append(one.Classes, c)
				}
			}
			return one
		}
	}
	return errorGuide{Classes: g.Classes, Errors: []errorEntry{}, Unknown: g.Unknown}
}

// doesAbout says what azbackupflow does about an error, given how long it waits
// at least where the catalogue says so.
func doesAbout(class operation.Class, atLeast time.Duration) string {
	p, again := class.RetryPolicy()
	if !again {
		return "fails at once"
	}
	waits := fmt.Sprintf("asks again after %s to %s", span(p.InitialWait), span(p.MaxWait))
	switch {
	case atLeast > 0:
		waits = fmt.Sprintf("asks again after %s, or later if Azure says so", span(atLeast))
	case class == operation.Throttled:
		waits = fmt.Sprintf("asks again when Azure says (else %s to %s)", span(p.InitialWait), span(p.MaxWait))
	}
	if class == operation.Throttled {
		return waits + ", until the deadline"
	}
	return fmt.Sprintf("%s, %d times, then fails", waits, p.MaxAttempts)
}

// adviceOf is what a person should do about an entry.
func adviceOf(e azerr.Entry) string {
	if e.RecommendedAction != "" {
		return e.RecommendedAction
	}
	switch e.Class {
	case operation.Throttled, operation.Transient, operation.NotYet, operation.Conflict:
		return "Nothing, unless it lasts; then look at Azure's status."
	case operation.UserAction, operation.Fatal:
	}
	return "See what the message names: it does not exist, or may not be read."
}

// unknownErrors tells by the classifier itself what becomes of codes that are
// not in the catalogue.
func unknownErrors() []unknownError {
	of := func(status int) operation.Class {
		return azerr.Classify(azerr.Response{Request: azerr.Request{Method: http.MethodGet}, Status: status}).Class
	}
	otherwise := of(http.StatusBadRequest)
	var all []unknownError
	at := map[operation.Class]int{}
	add := func(status string, class operation.Class) {
		all = append(all, unknownError{Status: status, Class: class, Does: doesAbout(class, 0)})
	}
	for status := 400; status < 500; status++ {
		class := of(status)
		i, listed := at[class]
		switch {
		case class == otherwise:
		case listed:
			all[i].Status += ", " + strconv.Itoa(status)
		default:
			at[class] = len(all)
			add(strconv.Itoa(status), class)
		}
	}
	add("other 4xx", otherwise)
	add("5xx", of(http.StatusInternalServerError))
	add("no status", azerr.Failure("NotInTheCatalogue", "", nil).Class)
	return all
}
