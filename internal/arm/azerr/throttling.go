package azerr

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Throttling holds what the text of a 429 says about a rate limit, such as
// "Number of requests for action '…' exceeded the limit of '150' for time
// interval '01:00:00'. Please try again after '324' seconds." (recorded).
type Throttling struct {
	// Limit is how many requests are allowed in each Interval. Both are zero
	// if the text does not name them.
	Limit    float64
	Interval time.Duration
	// Wait is the wait that the text names; zero if it names none.
	Wait time.Duration
	// PerAction reports that the limit is a provider's quota for one action,
	// not Resource Manager's limit for a subscription.
	PerAction bool
}

// The parts of a throttling text.
var (
	limitText    = regexp.MustCompile(`(?i)limit of '?(\d{1,9})'?`)
	intervalText = regexp.MustCompile(`(?i)interval '?(?:(\d{1,3})\.)?(\d{1,2}):(\d{2}):(\d{2})`)
	waitText     = regexp.MustCompile(`(?i)after\s+'?(\d{1,9})'?\s+(second|minute|hour)`)
)

// ThrottlingIn parses the error code and message of a throttled call.
func ThrottlingIn(code, message string) Throttling {
	t := Throttling{PerAction: strings.EqualFold(code, "ResourceRequestsThrottled") || strings.Contains(message, "for action")}
	if m := limitText.FindStringSubmatch(message); m != nil {
		t.Limit, _ = strconv.ParseFloat(m[1], 64)
	}
	if m := intervalText.FindStringSubmatch(message); m != nil {
		for i, unit := range []time.Duration{24 * time.Hour, time.Hour, time.Minute, time.Second} {
			n, _ := strconv.Atoi(m[i+1])
			t.Interval += time.Duration(n) * unit
		}
	}
	if m := waitText.FindStringSubmatch(message); m != nil {
		n, _ := strconv.ParseFloat(m[1], 64)
		switch strings.ToLower(m[2]) {
		case "minute":
			n *= 60
		case "hour":
			n *= 3600
		}
		t.Wait = retryAfterSeconds(n)
	}
	return t
}
