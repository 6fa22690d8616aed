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

// recording is a recording with its interactions sorted by kind.
type recording struct {
	all []interaction // indexed as in the file
	// from and to limit the replayed range. Reads may use interactions before
	// from.
	from, to   int
	writes     []int
	operations map[string]*operation // by lower-case ID
	jobs       map[string]*sequence
	jobOrder   []string
	// startedBy maps the lower-case ID of an operation to the write whose answer
	// names it.
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
	operation, job string // IDs, lower case
	wantsStatus    bool   // the poll is of a status URL, not of a result URL
}

// kind is the role of an interaction in a replay.
type kind int

const (
	other kind = iota // not Resource Manager
	write
	poll
	jobRead
	read
)

// document is the part of the YAML of vcr.py that a replay uses.
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

// load reads a recording and sorts its interactions.
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
		return nil, fmt.Errorf("%s has interactions 0 to %d, not %d to %d; correct From and To", file, len(d.Interactions)-1, from, to)
	}
	r := &recording{
		from: from, to: to, operations: map[string]*operation{}, jobs: map[string]*sequence{}, startedBy: map[string]int{},
	}
	rename := renamer(names)
	for n, i := range d.Interactions[:to+1] {
		x := interaction{method: i.Request.Method, status: i.Response.Status.Code, header: http.Header{}}
		if i.Request.Body != nil {
			x.requestBody = rename.Replace(evaluated(*i.Request.Body))
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

// evaluated returns the text of a body that the recorder wrote as a literal of
// bytes in Python, several times over: b'b\'{…}\”.
func evaluated(body string) string {
	for strings.HasPrefix(body, "b'") && strings.HasSuffix(body, "'") {
		body = strings.NewReplacer(`\\`, `\`, `\'`, `'`).Replace(body[2 : len(body)-1])
	}
	return body
}

// renamer replaces recorded names, longest first, because a name may be the
// prefix of another.
func renamer(names map[string]string) *strings.Replacer {
	var pairs []string
	for _, from := range slices.SortedFunc(maps.Keys(names), func(a, b string) int { return len(b) - len(a) }) {
		pairs = append(pairs, from, names[from])
	}
	return strings.NewReplacer(pairs...)
}

// isBackup reports whether the request is one to Azure Backup. The recorded client
// also deleted restored disks and asked the Resource Graph.
func (x *interaction) isBackup() bool {
	path := strings.ToLower(x.path)
	return strings.Contains(path, "/providers/microsoft.dataprotection/") || strings.Contains(path, "/providers/microsoft.recoveryservices/")
}

// classify sets the kind of the interaction.
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
		if x.isBackup() {
			r.writes = append(r.writes, n)
		}
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

// reach returns the position after interaction n. The plain reads that follow n
// belong to it.
func (r *recording) reach(n int) int {
	for n+1 < len(r.all) && (r.all[n+1].kind == read || r.all[n+1].kind == other) {
		n++
	}
	return n
}

// operationOf returns the operation ID in a path, and whether the path is that
// of a status.
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

// jobOf returns the job ID in a path.
func jobOf(path string) string {
	parts := strings.Split(strings.ToLower(path), "/")
	if len(parts) >= 2 && parts[len(parts)-2] == "backupjobs" {
		return parts[len(parts)-1]
	}
	return ""
}

// parseFilter parses a $filter into its conditions, in lower case.
func parseFilter(text string) map[string]string {
	f := map[string]string{}
	for part := range strings.SplitSeq(strings.ToLower(text), " and ") {
		if name, value, ok := strings.Cut(part, " eq "); ok {
			f[strings.TrimSpace(name)] = strings.Trim(strings.TrimSpace(value), "'")
		}
	}
	return f
}

// compatible reports whether two filters do not contradict each other.
func compatible(a, b map[string]string) bool {
	for name, value := range a {
		if other, there := b[name]; there && other != value {
			return false
		}
	}
	return true
}

// writesBetween reports whether the recording has a write after one position
// and up to another.
func (r *recording) writesBetween(after, upTo int) bool {
	return slices.ContainsFunc(r.writes, func(n int) bool { return n > after && n <= upTo })
}
