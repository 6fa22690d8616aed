package simulate

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"sort"
	"strings"
	"time"
)

// azure answers the calls of backup-now in memory, within the recorded quotas:
// 150 reads an hour of each read action of a vault, and per subscription 250
// reads at 25/s and 200 writes at 10/s.
type azure struct {
	config  Config
	now     func() time.Time
	rand    *rand.Rand
	windows map[string]*window
	buckets map[string]*bucket
	// jobs by GUID, and vaults with their jobs in order of their start.
	jobs   map[string]*job
	vaults map[string][]*job
	calls  map[string]*Calls
}

type window struct {
	began time.Time
	count int
}

type bucket struct {
	tokens float64
	at     time.Time
}

type job struct {
	name, item, activity string
	began, ends          time.Time
	failed               bool
}

func newAzure(c Config, now func() time.Time, r *rand.Rand) *azure {
	return &azure{
		config: c, now: now, rand: r, windows: map[string]*window{}, buckets: map[string]*bucket{},
		jobs: map[string]*job{}, vaults: map[string][]*job{}, calls: map[string]*Calls{},
	}
}

const (
	quotaPerHour = 150
	pageSize     = 200
)

// Do answers one request. It implements policy.Transporter.
func (a *azure) Do(r *http.Request) (*http.Response, error) {
	c, err := parseCall(r)
	if err != nil {
		return nil, err
	}
	header, throttled := a.throttle(c)
	if throttled != nil {
		return a.answer(r, http.StatusTooManyRequests, header, throttled)
	}
	if a.rand.Float64() < a.config.FaultRate {
		return a.answer(r, http.StatusInternalServerError, header, errorBody("InternalServerError", "try again"))
	}
	return a.serve(r, c, header)
}

// call is a parsed request.
type call struct {
	subscription, vault string
	// kind is the resource type that a quota of the vault counts, or "backup".
	kind string
	// name is the last part of the path, item the part before it.
	name, item string
	write      bool
}

func parseCall(r *http.Request) (call, error) {
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	if len(parts) < 9 {
		return call{}, fmt.Errorf("unexpected call of %s", r.URL.Path)
	}
	c := call{
		subscription: parts[1], vault: "/" + strings.Join(parts[:8], "/"), kind: parts[8],
		name: parts[len(parts)-1], item: parts[len(parts)-2], write: r.Method != http.MethodGet,
	}
	if c.kind == "backupFabrics" {
		c.kind = "protectedItems"
	}
	if c.name == "backup" {
		c.kind = c.name
	}
	return c, nil
}

// throttle counts the call against its quotas. It returns the headers with the
// remaining counts, and the error of a throttled call.
func (a *azure) throttle(c call) (http.Header, map[string]any) {
	verb, size, rate := "reads", 250.0, 25.0
	if c.write {
		verb, size, rate = "writes", 200, 10
	}
	counted := a.count("subscription "+verb, size)
	left, wait := a.take("subscription "+c.subscription+" "+verb, size, rate)
	if wait > 0 {
		counted.Throttled++
		return http.Header{"Retry-After": {fmt.Sprint(wait)}}, errorBody("SubscriptionRequestsThrottled",
			fmt.Sprintf("Number of '%s' requests for subscription '%s' exceeded the limit of '%d'. Please try again after '%d' seconds after additional tokens are available.", verb, c.subscription, int(size), wait))
	}
	counted.Peak = max(counted.Peak, 1-left/size)
	header := http.Header{}
	if c.write {
		header.Set("x-ms-ratelimit-remaining-subscription-writes", fmt.Sprint(int(left)))
		return header, nil
	}
	counted = a.count(c.kind+" of a vault", quotaPerHour)
	remaining, wait := a.takeHourly(c.vault + " " + c.kind)
	if wait > 0 {
		counted.Throttled++
		return nil, errorBody("ResourceRequestsThrottled",
			fmt.Sprintf("Number of requests for action 'Microsoft.RecoveryServices/vaults/%s/read' exceeded the limit of '%d' for time interval '01:00:00'. Please try again after '%d' seconds.", c.kind, quotaPerHour, wait))
	}
	counted.Peak = max(counted.Peak, 1-float64(remaining)/quotaPerHour)
	header.Set("x-ms-ratelimit-remaining-subscription-resource-requests", fmt.Sprint(remaining))
	return header, nil
}

// serve answers a call that no quota throttles.
func (a *azure) serve(r *http.Request, c call, header http.Header) (*http.Response, error) {
	switch {
	case c.kind == "protectedItems":
		return a.answer(r, http.StatusOK, header, map[string]any{"id": r.URL.Path, "name": c.name, "properties": map[string]any{
			"protectedItemType": "Microsoft.Compute/virtualMachines", "friendlyName": friendly(c.name), "protectionState": "Protected",
		}})
	case c.kind == "backup":
		j := a.begin(c.vault, c.item, r.Header.Get("x-ms-client-request-id"))
		to := "https://" + r.URL.Host + c.vault
		header.Set("Azure-AsyncOperation", to+"/backupOperations/"+j.name+"?api-version=1")
		header.Set("Location", to+"/backupOperations/"+j.name+"?api-version=1")
		return a.answer(r, http.StatusAccepted, header, nil)
	case c.kind == "backupOperations":
		status := map[string]any{"status": "InProgress"}
		if j := a.jobs[c.name]; j != nil && !a.now().Before(j.began.Add(5*time.Second)) {
			status = map[string]any{"status": "Succeeded", "properties": map[string]any{"jobId": j.name}}
		}
		return a.answer(r, http.StatusOK, header, status)
	case c.name == "backupJobs":
		return a.answer(r, http.StatusOK, header, a.list(r, c.vault))
	case c.kind == "backupJobs":
		j := a.jobs[c.name]
		if j == nil {
			return a.answer(r, http.StatusNotFound, header, errorBody("ResourceNotFound", "no such job"))
		}
		return a.answer(r, http.StatusOK, header, j.view(a.now(), true))
	}
	return nil, fmt.Errorf("unexpected call of %s", r.URL.Path)
}

// begin starts a job.
func (a *azure) begin(vault, item, activity string) *job {
	// The durations are log-normal: a median of a quarter of an hour, up to hours.
	takes := time.Duration(float64(15*time.Minute) * math.Exp(a.rand.NormFloat64()*0.8))
	j := &job{
		name: fmt.Sprintf("%08x-0000-4000-8000-%012x", a.rand.Uint32(), len(a.jobs)), item: friendly(item), activity: activity,
		began: a.now(), ends: a.now().Add(min(max(takes, 2*time.Minute), 6*time.Hour)), failed: a.rand.Float64() < a.config.FailureRate,
	}
	a.jobs[j.name] = j
	a.vaults[vault] = append(a.vaults[vault], j)
	return j
}

// list returns one page of the jobs of a vault, newest first, from the start
// time of the filter.
func (a *azure) list(r *http.Request, vault string) map[string]any {
	query := r.URL.Query()
	since := time.Time{}
	if _, rest, ok := strings.Cut(query.Get("$filter"), "startTime eq '"); ok {
		text, _, _ := strings.Cut(rest, "'")
		since, _ = time.Parse("2006-01-02 03:04:05 PM", text)
	}
	jobs := a.vaults[vault]
	first := sort.Search(len(jobs), func(i int) bool { return !jobs[i].began.Truncate(time.Second).Before(since) })
	jobs = jobs[first:]
	var from int
	_, _ = fmt.Sscan(query.Get("$skipToken"), &from)
	var page []any
	for i := len(jobs) - 1 - from; i >= 0 && len(page) < pageSize; i-- {
		page = append(page, jobs[i].view(a.now(), false))
	}
	body := map[string]any{"value": page}
	if page == nil {
		body["value"] = []any{}
	}
	if from+len(page) < len(jobs) {
		query.Set("$skipToken", fmt.Sprint(from+len(page)))
		next := url.URL{Scheme: "https", Host: r.URL.Host, Path: r.URL.Path, RawQuery: strings.ReplaceAll(query.Encode(), "+", "%20")}
		body["nextLink"] = next.String()
	}
	return body
}

func (j *job) view(now time.Time, detailed bool) map[string]any {
	status := "InProgress"
	p := map[string]any{"operation": "Backup", "entityFriendlyName": j.item, "startTime": j.began.Format(time.RFC3339Nano), "activityId": j.activity}
	if !now.Before(j.ends) {
		status = "Completed"
		if j.failed {
			status = "Failed"
			if detailed {
				p["errorDetails"] = []any{map[string]any{"errorCode": 400001, "errorString": "the snapshot failed"}}
			}
		}
	}
	p["status"] = status
	return map[string]any{"name": j.name, "properties": p}
}

// take takes a token of a bucket, or returns the number of seconds to wait.
func (a *azure) take(key string, size, rate float64) (left float64, wait int) {
	now := a.now()
	l := a.buckets[key]
	if l == nil {
		l = &bucket{tokens: size, at: now}
		a.buckets[key] = l
	}
	l.tokens = min(size, l.tokens+now.Sub(l.at).Seconds()*rate)
	l.at = now
	if l.tokens < 1 {
		return 0, int(math.Ceil((1 - l.tokens) / rate))
	}
	l.tokens--
	return l.tokens, 0
}

// takeHourly counts against a quota that restarts each hour.
func (a *azure) takeHourly(key string) (left, wait int) {
	now := a.now()
	w := a.windows[key]
	if w == nil || now.Sub(w.began) >= time.Hour {
		w = &window{began: now}
		a.windows[key] = w
	}
	if w.count >= quotaPerHour {
		return 0, max(1, int(math.Ceil(w.began.Add(time.Hour).Sub(now).Seconds())))
	}
	w.count++
	return quotaPerHour - w.count, 0
}

func (a *azure) count(name string, limit float64) *Calls {
	c := a.calls[name]
	if c == nil {
		c = &Calls{Name: name, Limit: int(limit)}
		a.calls[name] = c
	}
	c.Made++
	return c
}

func (a *azure) answer(r *http.Request, status int, header http.Header, body any) (*http.Response, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	if body == nil {
		text = nil
	}
	if header == nil {
		header = http.Header{}
	}
	for name, values := range header {
		delete(header, name)
		header[http.CanonicalHeaderKey(name)] = values
	}
	header.Set("Date", a.now().UTC().Format(http.TimeFormat))
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Header: header,
		Request: r, Body: io.NopCloser(bytes.NewReader(text)), ContentLength: int64(len(text)),
	}, nil
}

func errorBody(code, message string) map[string]any {
	return map[string]any{"error": map[string]any{"code": code, "message": message}}
}

func friendly(item string) string { return item[strings.LastIndexByte(item, ';')+1:] }
