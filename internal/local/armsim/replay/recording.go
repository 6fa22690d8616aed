package replay

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"

	"gopkg.in/yaml.v3"
)

const recordedHost = "management.azure.com"

// recording is a recording, sorted by what its interactions are.
type recording struct {
	all []interaction // with index as in the file
	// from and to limit what is replayed; reads may look before from.
	from, to   int
	writes     []int
	operations map[string]*operation // by lower-case id
	jobs       map[string]*sequence
	jobOrder   []string
	// startedBy are the writes whose answers name an operation, by its
	// lower-case id.
	startedBy map[string]int
	shortened bool
}

// interaction is one recorded request with its answer.
type interaction struct {
	kind           kind
	method         string
	path           string // decoded, as recorded
	filter         map[string]string
	requestBody    string
	status         int
	header         http.Header
	body           string
	operation, job string // ids, lower case
	wantsStatus    bool   // of a poll: a status URL rather than a result URL
}

// kind is what an interaction is to a replay.
type kind int

const (
	other kind = iota // not Resource Manager
	write
	poll
	jobRead
	read
)

// document is the part of vcr.py's YAML that matters here.
type document struct {
	Interactions []struct {
		Request struct {
			Method string  `yaml:"method"`
			URI    string  `yaml:"uri"`
			Body   *string `yaml:"body"`
		} `yaml:"request"`
		Response struct {
			Body *struct {
				String string `yaml:"string"`
			} `yaml:"body"`
			Headers map[string][]string `yaml:"headers"`
			Status  struct {
				Code int `yaml:"code"`
			} `yaml:"status"`
		} `yaml:"response"`
	} `yaml:"interactions"`
}

// load reads and sorts a recording.
func load(file string, from, to int, shorten bool, names map[string]string) (*recording, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the recording: %w", err)
	}
	var d document
	if err := yaml.Unmarshal(text, &d); err != nil {
		return nil, fmt.Errorf("read the recording %s: %w", file, err)
	}
	if to == 0 {
		to = len(d.Interactions) - 1
	}
	if from < 0 || to >= len(d.Interactions) || from > to {
		return nil, fmt.Errorf("%s has interactions 0 to %d, not %d to %d", file, len(d.Interactions)-1, from, to)
	}
	r := &recording{
		from: from, to: to, operations: map[string]*operation{}, jobs: map[string]*sequence{}, startedBy: map[string]int{},
	}
	rename := renamer(names)
	for n, i := range d.Interactions[:to+1] {
		x := interaction{method: i.Request.Method, status: i.Response.Status.Code, header: http.Header{}}
		if i.Request.Body != nil {
			x.requestBody = rename.Replace(*i.Request.Body)
		}
		if i.Response.Body != nil {
			x.body = rename.Replace(i.Response.Body.String)
		}
		for name, values := range i.Response.Headers {
			for _, v := range values {
				x.header.Add(name, rename.Replace(v))
			}
		}
		if err := x.classify(rename.Replace(i.Request.URI)); err != nil {
			return nil, fmt.Errorf("%s, interaction %d: %w", file, n, err)
		}
		r.all = append(r.all, x)
		if n >= from {
			r.add(n, x)
		}
	}
	if shorten {
		r.shorten()
	}
	return r, nil
}

// renamer replaces recorded names, the longest first: one may begin another.
func renamer(names map[string]string) *strings.Replacer {
	var pairs []string
	for _, from := range slices.SortedFunc(maps.Keys(names), func(a, b string) int { return len(b) - len(a) }) {
		pairs = append(pairs, from, names[from])
	}
	return strings.NewReplacer(pairs...)
}

// classify finds out what the interaction is.
func (x *interaction) classify(uri string) error {
	u, err := url.Parse(uri)
	if err != nil {
		return fmt.Errorf("read its URI: %w", err)
	}
	if u.Host != recordedHost {
		return nil
	}
	x.path = u.Path
	x.filter = parseFilter(u.Query().Get("$filter"))
	x.operation, x.wantsStatus = operationOf(u.Path)
	x.job = jobOf(u.Path)
	switch {
	case x.method != http.MethodGet:
		x.kind = write
	case x.operation != "":
		x.kind = poll
	case x.job != "":
		x.kind = jobRead
	default:
		x.kind = read
	}
	return nil
}

func (r *recording) add(n int, x interaction) {
	switch x.kind {
	case write:
		r.writes = append(r.writes, n)
		for _, name := range []string{"Azure-Asyncoperation", "Location"} {
			if u, err := url.Parse(x.header.Get(name)); err == nil {
				if id, _ := operationOf(u.Path); id != "" {
					r.startedBy[id] = n
				}
			}
		}
	case poll:
		o := r.operations[x.operation]
		if o == nil {
			o = &operation{}
			r.operations[x.operation] = o
		}
		if x.wantsStatus {
			o.status = o.status.with(n)
		} else {
			o.result = o.result.with(n)
		}
	case jobRead:
		if r.jobs[x.job] == nil {
			r.jobOrder = append(r.jobOrder, x.job)
		}
		r.jobs[x.job] = r.jobs[x.job].with(n)
	case read, other:
	}
}

// reach is the position after interaction n: the plain reads that follow it
// belong to it.
func (r *recording) reach(n int) int {
	for n+1 < len(r.all) && (r.all[n+1].kind == read || r.all[n+1].kind == other) {
		n++
	}
	return n
}

// operationOf finds an operation's id in a path, and whether it is a status
// that is asked for.
func operationOf(path string) (id string, status bool) {
	parts := strings.Split(strings.ToLower(path), "/")
	if len(parts) < 2 {
		return "", false
	}
	switch parts[len(parts)-2] {
	case "operationsstatus", "operationstatus", "backupoperations":
		return parts[len(parts)-1], true
	case "operationresults", "backupoperationresults":
		return parts[len(parts)-1], false
	}
	return "", false
}

// jobOf finds a job's id in a path.
func jobOf(path string) string {
	parts := strings.Split(strings.ToLower(path), "/")
	if len(parts) >= 2 && parts[len(parts)-2] == "backupjobs" {
		return parts[len(parts)-1]
	}
	return ""
}

// parseFilter reads a $filter into its conditions, lower case.
func parseFilter(text string) map[string]string {
	f := map[string]string{}
	for part := range strings.SplitSeq(strings.ToLower(text), " and ") {
		if name, value, ok := strings.Cut(part, " eq "); ok {
			f[strings.TrimSpace(name)] = strings.Trim(strings.TrimSpace(value), "'")
		}
	}
	return f
}

// compatible tells whether two filters do not contradict each other.
func compatible(a, b map[string]string) bool {
	for name, value := range a {
		if other, there := b[name]; there && other != value {
			return false
		}
	}
	return true
}

// writesBetween tells whether the recording has a write after one position and
// up to another.
func (r *recording) writesBetween(after, upTo int) bool {
	return slices.ContainsFunc(r.writes, func(n int) bool { return n > after && n <= upTo })
}
