package armsim

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Recorded remaining counts, for answers without a configured quota.
const (
	recordedVaultReads   = 149
	recordedJobReads     = 449
	recordedWrites       = 199
	recordedGlobalReads  = 3749
	recordedGlobalWrites = 2999

	recordedBackupVaultWrites = 1199

	jobReadAction = "Microsoft.RecoveryServices/vaults/backupJobs/read"
	headerPrefix  = "X-Ms-Ratelimit-Remaining-Subscription-"
)

// limits counts requests against the quotas.
type limits struct {
	quotas  Quotas
	speed   float64
	windows map[string]*window
	buckets map[string]*bucketLevel
}

// window counts one action of one vault.
type window struct {
	started time.Time
	count   int
}

// bucketLevel is the fill level of one token bucket.
type bucketLevel struct {
	tokens float64
	at     time.Time
}

func newLimits(q Quotas, speed float64) *limits {
	if q.Window == 0 {
		q.Window = time.Hour
	}
	return &limits{quotas: q, speed: speed, windows: map[string]*window{}, buckets: map[string]*bucketLevel{}}
}

// take counts a request. It returns the headers with the remaining counts, or
// the throttling error.
func (l *limits) take(c *call) (http.Header, *armError) {
	h := http.Header{}
	kind, b := "Reads", l.quotas.Reads
	switch c.r.Method {
	case http.MethodGet, http.MethodHead:
	case http.MethodDelete:
		kind, b = "Deletes", l.quotas.Deletes
	default:
		kind, b = "Writes", l.quotas.Writes
	}
	left, err := l.takeToken(kind, b, c)
	if err != nil {
		return nil, err
	}
	if c.path.provider == dataProtection {
		return l.takeOfBackupVault(c)
	}
	if kind != "Reads" {
		h.Set(headerPrefix+"Global-"+kind, strconv.Itoa(recordedGlobalWrites))
		h.Set(headerPrefix+kind, strconv.Itoa(left))
		return h, nil
	}
	if len(c.path.types) < 2 { // the vault or the storage account itself
		h.Set(headerPrefix+"Global-Reads", strconv.Itoa(recordedGlobalReads))
		return h, nil
	}
	action, limit, unlimited := c.path.action("read"), l.quotas.VaultReads, recordedVaultReads
	if strings.EqualFold(action, jobReadAction) {
		limit, unlimited = l.quotas.JobReads, recordedJobReads
	}
	left, err = l.takeFromWindow(c, action, limit, unlimited)
	if err != nil {
		return nil, err
	}
	h.Set(headerPrefix+"Resource-Requests", strconv.Itoa(left))
	return h, nil
}

func (l *limits) takeToken(kind string, b Bucket, c *call) (int, *armError) {
	if b.Size == 0 {
		return recordedWrites, nil
	}
	key := kind + " " + strings.ToLower(c.path.subscription)
	level := l.buckets[key]
	if level == nil {
		level = &bucketLevel{tokens: float64(b.Size), at: c.now}
		l.buckets[key] = level
	}
	rate := b.PerSecond * l.speed
	level.tokens = min(float64(b.Size), level.tokens+c.now.Sub(level.at).Seconds()*rate)
	level.at = c.now
	if level.tokens < 1 {
		wait := 1
		if rate > 0 {
			wait = max(1, int(math.Ceil((1-level.tokens)/rate)))
		}
		return 0, &armError{
			status: http.StatusTooManyRequests, code: "SubscriptionRequestsThrottled",
			message: fmt.Sprintf("Number of '%s' requests for subscription '%s' exceeded the limit of '%d'. Please try again after '%d' seconds after additional tokens are available.",
				strings.ToLower(kind), c.path.subscription, b.Size, wait),
			header: http.Header{"Retry-After": {strconv.Itoa(wait)}, "X-Ms-Failure-Cause": {"gateway"}},
		}
	}
	level.tokens--
	return int(level.tokens), nil
}

// takeOfBackupVault counts a request to Microsoft.DataProtection. Recorded: a
// POST answers with the remaining writes of the subscription, everything else
// with the remaining count of the provider.
func (l *limits) takeOfBackupVault(c *call) (http.Header, *armError) {
	h := http.Header{}
	verb := "read"
	switch c.r.Method {
	case http.MethodPost:
		h.Set(headerPrefix+"Writes", strconv.Itoa(recordedBackupVaultWrites))
		return h, nil
	case http.MethodPut:
		verb = "write"
	case http.MethodDelete:
		verb = "delete"
	}
	counted := backupVaultLimit(verb, c.path.last())
	limit := 0
	if l.quotas.BackupVaults {
		limit = counted
	}
	left, err := l.takeFromWindow(c, c.path.action(verb), limit, counted-1)
	if err != nil {
		return nil, err
	}
	h.Set(headerPrefix+"Resource-Requests", strconv.Itoa(left))
	return h, nil
}

// backupVaultLimit returns the recorded limit of a kind of request; 200 for
// kinds that were not recorded.
func backupVaultLimit(verb, last string) int {
	if verb != "read" {
		return 200
	}
	switch last {
	case "backupInstances":
		return 2000
	case "operationStatus":
		return 1000
	case "recoveryPoints":
		return 100
	}
	return 200
}

// takeFromWindow counts a request against a limit per window. Without a limit
// it returns the recorded remaining count.
func (l *limits) takeFromWindow(c *call, action string, limit, unlimited int) (int, *armError) {
	if limit == 0 {
		return unlimited, nil
	}
	length := time.Duration(float64(l.quotas.Window) / l.speed)
	key := strings.ToLower(c.path.parentID() + " " + action)
	w := l.windows[key]
	if w == nil || c.now.Sub(w.started) >= length {
		w = &window{started: c.now}
		l.windows[key] = w
	}
	if w.count >= limit {
		wait := max(1, int(math.Ceil(w.started.Add(length).Sub(c.now).Seconds())))
		h := http.Header{"X-Ms-Failure-Cause": {"gateway"}}
		if l.quotas.RetryAfter {
			h.Set("Retry-After", strconv.Itoa(wait))
		}
		return 0, &armError{
			status: http.StatusTooManyRequests, code: "ResourceRequestsThrottled", header: h,
			message: fmt.Sprintf("Number of requests for action '%s' exceeded the limit of '%d' for time interval '%s'. Please try again after '%d' seconds.",
				action, limit, interval(l.quotas.Window), wait),
		}
	}
	w.count++
	return limit - w.count, nil
}

// interval formats a duration as in the throttling text: 01:00:00.
func interval(d time.Duration) string {
	s := int(d.Seconds())
	return fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
}
