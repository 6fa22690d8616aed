package arm

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/ratelimit"
)

// observation returns what an answer, or a missing answer, says about rate
// limits.
func observation(a *Answer, err error) ratelimit.Observation {
	o := ratelimit.Observation{Failed: err != nil}
	var failed *operation.Error
	if errors.As(err, &failed) && failed.HTTPStatus == http.StatusTooManyRequests {
		t := azerr.ThrottlingIn(failed.Code, failed.Message)
		o.Throttled = &ratelimit.Throttling{PerAction: t.PerAction, Limit: t.Limit, Window: t.Interval, Wait: failed.RetryAfter}
	}
	if a != nil {
		o.Remaining = a.Remaining
		// The header is such as WESTEUROPE:20240611T103242Z:<guid>.
		o.Region, _, _ = strings.Cut(strings.ToLower(a.Header.Get("x-ms-routing-request-id")), ":")
	}
	return o
}

// sentPath returns the path of a URL as it is sent.
func sentPath(target *url.URL) string {
	if target.Opaque != "" {
		return target.Opaque
	}
	return target.Path
}
