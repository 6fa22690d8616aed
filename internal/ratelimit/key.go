package ratelimit

import (
	"net/http"
	"strings"
)

// Buckets are told apart by what Resource Manager counts by, see "Understand
// how Azure Resource Manager throttles requests", and by provider: their
// answers name different numbers for one subscription (recorded).

// target is what a call counts against.
type target struct {
	subscription, provider string
	// scope is the vault's, account's or location's resource id, action what
	// Azure calls the call, such as
	// Microsoft.RecoveryServices/vaults/backupJobs/read. Both are empty where
	// the path names no resource of a provider.
	scope, action string
	// verb is reads, writes or deletes.
	verb string
}

// targetOf reads a call's path, which may be that of a poll URL as it came.
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

// bucket is the key of the call's bucket.
func (t target) bucket(identity, region string) string {
	return strings.Join([]string{"bucket", t.subscription, identity, region, t.provider, t.verb}, " ")
}

// quota is the key of the provider's count; empty where there is none.
func (t target) quota() string {
	if t.scope == "" {
		return ""
	}
	return "quota " + t.scope + " " + t.action
}

// names are what people call the two accounts.
func (t target) names() (bucket, quota string) {
	bucket = strings.TrimSuffix(t.verb, "s") + " budget"
	parts := strings.Split(t.action, "/")
	if len(parts) < 2 {
		return bucket, ""
	}
	return bucket, parts[len(parts)-2] + " " + parts[len(parts)-1] + " budget"
}
