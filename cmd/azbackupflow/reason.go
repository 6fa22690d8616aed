package main

import (
	"strings"

	"azbackupflow/internal/api"
)

// longestListed is how much of a reason a list shows, in characters.
const longestListed = 60

// reason says why an operation does not go on: what a person must look at, or
// which other operation it waits for; empty for others.
func reason(v api.Operation) string {
	switch {
	case v.Status == api.Parked && v.Error != nil:
		return listed(v.Error.Code + ": " + v.Error.Message)
	case !v.Status.Terminal() && strings.HasPrefix(v.WaitingFor, "operation "):
		return listed("waits for " + v.WaitingFor)
	}
	return ""
}

// listed is the first line of a text, as long as a list shows.
func listed(text string) string {
	first, _, _ := strings.Cut(text, "\n")
	runes := []rune(plain(first))
	if len(runes) > longestListed {
		return string(runes[:longestListed-1]) + "…"
	}
	return string(runes)
}
