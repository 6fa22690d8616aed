package ratelimit

import (
	"net/http"
	"strings"
)

// target identifies the bucket and the quota that a call counts against. Resource Manager counts by
// subscription, identity, region and verb (see "Understand how Azure Resource
// Manager throttles requests"), and by provider: recorded answers report
// different numbers for one subscription.
type target struct {
	subscription, provider string
	// scope is the resource ID of the vault, account or location. action is
	// Azure's name of the call, such as
	// Microsoft.RecoveryServices/vaults/backupJobs/read. Both are empty if the
	// path names no provider's resource.
	scope, action string
	// verb is reads, writes or deletes.
	verb string
}

// targetOf returns the target of a call. The path may be that of a poll URL.
func targetOf(method, path string) (t target, ok bool) {
	path, _, _ = strings.Cut(path, "?")
	if strings.HasPrefix(path, "//") {
		_, rest, _ := strings.Cut(path[2:], "/")
		path = rest
	}
	parts := strings.Split(strings.Trim(strings.ToLower(path), "/"), "/")
	if len(parts) < 2 || parts[0] != "subscriptions" {
		return target{}, false
	}
	t.subscription = parts[1]
	verb := "action"
	switch method {
	case http.MethodGet, http.MethodHead:
		t.verb, verb = "reads", "read"
	case http.MethodDelete:
		t.verb, verb = "deletes", "delete"
	case http.MethodPut, http.MethodPatch:
		t.verb, verb = "writes", "write"
	default:
		t.verb = "writes"
	}
	for i, part := range parts {
		if part != "providers" || i+3 >= len(parts) {
			continue
		}
		t.provider = parts[i+1]
		t.scope = "/" + strings.Join(parts[:i+4], "/")
		types := []string{t.provider}
		for n := i + 2; n < len(parts); n += 2 {
			types = append(types, parts[n])
		}
		t.action = strings.Join(append(types, verb), "/")
		break
	}
	return t, true
}

// quotaPrefix begins the keys of quotas.
const quotaPrefix = "quota "

// bucketKey returns the key of the call's bucket.
func (t target) bucketKey(identity, region string) string {
	return strings.Join([]string{"bucket", t.subscription, identity, region, t.provider, t.verb}, " ")
}

// quotaKey returns the key of the provider's quota; empty if there is none.
func (t target) quotaKey() string {
	if t.scope == "" {
		return ""
	}
	return quotaPrefix + t.scope + " " + t.action
}

// bucketName returns the display name of the call's bucket.
func (t target) bucketName() string { return strings.TrimSuffix(t.verb, "s") + " limit" }

// quotaName returns the display name of the provider's quota.
func (t target) quotaName() string {
	parts := strings.Split(t.action, "/")
	if len(parts) < 2 {
		return ""
	}
	return parts[len(parts)-2] + " " + parts[len(parts)-1] + " quota"
}

// remainingHeader returns which x-ms-ratelimit-remaining-* header, without that
// prefix, reports the call's bucket or quota.
func (t target) remainingHeader(quota bool) string {
	if quota {
		return "subscription-resource-requests"
	}
	return "subscription-" + t.verb
}
