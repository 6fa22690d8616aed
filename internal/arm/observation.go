package arm

import (
	"errors"
	"net/url"
	"strings"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/ratelimit"
)

// heard is what an answer, or its absence, says of budgets.
func heard(a *Answer, err error) ratelimit.Heard {
	var h ratelimit.Heard
	if !errors.As(err, &h.Err) && err != nil {
		h.Err = &operation.Error{Code: azerr.CodeNoAnswer, Class: operation.Transient}
	}
	if a != nil {
		h.Remaining = a.Remaining
		// Such as WESTEUROPE:20240611T103242Z:<guid>.
		h.Region, _, _ = strings.Cut(strings.ToLower(a.Header.Get("x-ms-routing-request-id")), ":")
	}
	return h
}

// pathOf is the path of a call's URL, as it is sent where that differs.
func pathOf(target *url.URL) string {
	if target.Opaque != "" {
		return target.Opaque
	}
	return target.Path
}
