package dashboard

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"azbackupflow/internal/api"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/schema"
)

// Flow is a flow that the start page offers.
type Flow struct {
	Name, Summary string
	Parameters    []schema.Parameter
	// Example are the parameters of an example request, as JSON.
	Example []byte
}

// Flows returns the newest version of each flow for the start page.
func Flows(definitions []flow.Definition) ([]Flow, error) {
	var all []Flow
	for _, d := range flow.Newest(definitions) {
		f := Flow{Name: d.Name, Summary: d.Summary, Parameters: d.Parameters().List()}
		if len(d.Examples) > 0 {
			var err error
			if f.Example, err = json.Marshal(d.Examples[0].Parameters); err != nil {
				return nil, fmt.Errorf("write example %s: %w", d.Examples[0].File, err)
			}
		}
		all = append(all, f)
	}
	return all, nil
}

// startData is the content of the pages of a start.
type startData struct {
	Groups []flowGroup
	Flow   Flow
	Rows   []formRow
	// Key, Deadline, Labels and Reason are the fields of every request.
	Key, Deadline, Labels, Reason string
	// Once identifies the form, so that sending it twice starts one operation.
	Once       string
	Problems   []string
	Validation *api.Validation
	Request    string
}

// flowGroup holds the flows that do the same to different types of items.
type flowGroup struct {
	Name  string
	Flows []Flow
}

// groupFlows returns the flows by what they do, and by name within a group.
func groupFlows(flows []Flow) (groups []flowGroup) {
	byGroup := map[string][]Flow{}
	for _, f := range flows {
		name := groupOf(f.Name)
		byGroup[name] = append(byGroup[name], f)
	}
	for _, name := range []string{"Protect", "Back up", "Restore", "Change and end protection"} {
		if found := byGroup[name]; len(found) > 0 {
			slices.SortFunc(found, func(a, b Flow) int { return strings.Compare(a.Name, b.Name) })
			groups = append(groups, flowGroup{Name: name, Flows: found})
		}
	}
	return groups
}

// groupOf returns the group of a flow. The first word of its name is what it does.
func groupOf(flow string) string {
	switch verb, _, _ := strings.Cut(flow, "-"); verb {
	case "protect":
		return "Protect"
	case "backup":
		return "Back up"
	case "restore", "drill":
		return "Restore"
	}
	return "Change and end protection"
}

// formRow is one field of a form.
type formRow struct {
	schema.Parameter
	// Name is the name of the form's field, Value what the person wrote.
	Name, Value, Example string
	// Input is text, number, choice, check, lines, json, option for an object that
	// may be empty, or group for another object.
	Input string
	// Depth is the number of objects around the field.
	Depth int
	// Label is the field's own name, Parent that of the object around it.
	Label, Parent string
}

// fieldPrefix precedes the paths of parameters in the names of form fields.
const fieldPrefix = "p."

// start is the page that lists the flows.
func (d *Dashboard) start(*http.Request) (content, error) {
	return content{Title: "Start", Section: "start", Data: startData{Groups: groupFlows(d.cfg.Flows)}}, nil
}

func (d *Dashboard) findFlow(name string) (Flow, error) {
	i := slices.IndexFunc(d.cfg.Flows, func(f Flow) bool { return f.Name == name })
	if i < 0 {
		return Flow{}, &pageError{http.StatusNotFound, "Flow not found", "There is no flow of this name. The page Start lists all flows."}
	}
	return d.cfg.Flows[i], nil
}

// startFlow is the form of one flow.
func (d *Dashboard) startFlow(r *http.Request) (content, error) {
	f, err := d.findFlow(r.PathValue("flow"))
	if err != nil {
		return content{}, err
	}
	return formPage(f, url.Values{}, startData{Once: d.cfg.NewID()}), nil
}

// formPage shows the form with the values of the person.
func formPage(f Flow, values url.Values, data startData) content {
	data.Flow = f
	data.Key, data.Deadline, data.Labels, data.Reason = values.Get("key"), values.Get("deadline"), values.Get("labels"), values.Get("reason")
	var example map[string]any
	_ = json.Unmarshal(f.Example, &example) // an example of the repository; without one, the form has no examples
	for _, p := range f.Parameters {
		row := formRow{
			Parameter: p, Name: fieldPrefix + p.Path, Value: values.Get(fieldPrefix + p.Path), Input: input(p, f.Parameters),
			Depth: strings.Count(p.Path, "."), Label: p.Path[strings.LastIndex(p.Path, ".")+1:],
		}
		if row.Depth > 0 {
			around := strings.Split(p.Path, ".")
			row.Parent = around[len(around)-2]
		}
		if v, ok := at(example, p.Path); ok && row.Input != "group" {
			row.Example = exampleText(v, row.Input)
		}
		data.Rows = append(data.Rows, row)
	}
	return content{Title: "Start " + f.Name, page: "start-flow", Section: "start", Data: data}
}

// input returns the kind of form field of a parameter.
func input(p schema.Parameter, all []schema.Parameter) string {
	switch {
	case len(p.Values) > 0:
		return "choice"
	case p.Kind == schema.Boolean:
		return "check"
	case p.Kind == schema.Integer || p.Kind == schema.Number:
		return "number"
	case p.Kind == schema.TextList || p.Kind == schema.Map:
		return "lines"
	case p.Kind == schema.Other:
		return "json"
	case p.Kind == schema.ObjectKind:
		if p.Required || slices.ContainsFunc(all, func(o schema.Parameter) bool { return strings.HasPrefix(o.Path, p.Path+".") && o.Required }) {
			return "group"
		}
		return "option"
	}
	return "text"
}

// exampleText returns an example as it is written in a kind of form field.
func exampleText(v any, input string) string {
	if text, ok := v.(string); ok {
		return text
	}
	if input == "lines" {
		return strings.Join(exampleLines(v), "\n")
	}
	raw, err := json.Marshal(v)
	if err != nil || string(raw) == "{}" {
		return ""
	}
	return string(raw)
}

// exampleLines returns the lines of a list, or of a map as readPairs reads it.
func exampleLines(v any) (all []string) {
	switch v := v.(type) {
	case []any:
		for _, entry := range v {
			all = append(all, fmt.Sprint(entry))
		}
	case map[string]any:
		for _, name := range slices.Sorted(maps.Keys(v)) {
			all = append(all, fmt.Sprint(name, "=", v[name]))
		}
	}
	return all
}

// at returns the value at a path of an object.
func at(object map[string]any, path string) (any, bool) {
	name, rest, nested := strings.Cut(path, ".")
	v, ok := object[name]
	if !nested || !ok {
		return v, ok
	}
	inner, ok := v.(map[string]any)
	if !ok {
		return nil, false
	}
	return at(inner, rest)
}

// put sets the value at a path of an object.
func put(object map[string]any, path string, v any) {
	name, rest, nested := strings.Cut(path, ".")
	if !nested {
		object[name] = v
		return
	}
	inner, ok := object[name].(map[string]any)
	if !ok {
		inner = map[string]any{}
		object[name] = inner
	}
	put(inner, rest, v)
}

// readRequest returns the request of a form, and what is wrong with it.
func readRequest(f Flow, form url.Values) (api.Request, []string) {
	var problems []string
	parameters := map[string]any{}
	for _, p := range f.Parameters {
		text := strings.TrimSpace(form.Get(fieldPrefix + p.Path))
		if text == "" {
			continue
		}
		v, problem := readValue(p, text, f.Parameters)
		if problem != "" {
			problems = append(problems, p.Path+": "+problem)
			continue
		}
		if _, there := at(parameters, p.Path); v != nil && !there {
			put(parameters, p.Path, v)
		}
	}
	r := api.Request{Flow: f.Name, Key: strings.TrimSpace(form.Get("key")), Deadline: strings.TrimSpace(form.Get("deadline")), Reason: strings.TrimSpace(form.Get("reason"))}
	if text := strings.TrimSpace(form.Get("labels")); text != "" {
		labels, problem := readPairs(text)
		if problem != "" {
			problems = append(problems, "labels: "+problem)
		}
		r.Labels = labels
	}
	raw, err := json.Marshal(parameters)
	if err != nil {
		problems = append(problems, "parameters: they cannot be written as JSON")
	}
	r.Parameters = raw
	return r, problems
}

// readValue reads the text of a form's field. A group has no value of
// its own, so its value is nil.
func readValue(p schema.Parameter, text string, all []schema.Parameter) (v any, problem string) {
	switch input(p, all) {
	case "check":
		return text == "true", ""
	case "number":
		n, err := strconv.ParseFloat(text, 64)
		if err != nil {
			return nil, "it is not a number; write one such as 5"
		}
		return n, ""
	case "lines":
		if p.Kind == schema.Map {
			pairs, problem := readPairs(text)
			return pairs, problem
		}
		return lines(text), ""
	case "json":
		if !json.Valid([]byte(text)) {
			return nil, "it is not valid JSON; write it as in the example"
		}
		return json.RawMessage(text), ""
	case "option":
		return map[string]any{}, ""
	case "group":
		return nil, ""
	}
	return text, ""
}

// lines returns the lines of a text without empty ones.
func lines(text string) (all []string) {
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSpace(line); line != "" {
			all = append(all, line)
		}
	}
	return all
}

// readPairs reads lines of the form name=value.
func readPairs(text string) (map[string]string, string) {
	pairs := map[string]string{}
	for _, line := range lines(text) {
		name, value, ok := strings.Cut(line, "=")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return nil, "write one name=value on each line, such as team=files"
		}
		pairs[name] = strings.TrimSpace(value)
	}
	return pairs, ""
}

// submit checks or starts a request.
func (d *Dashboard) submit(w http.ResponseWriter, r *http.Request) error {
	f, err := d.findFlow(r.PathValue("flow"))
	if err != nil {
		return err
	}
	backend, data := d.cfg.API(r), startData{Once: cmp.Or(r.PostForm.Get("once"), d.cfg.NewID())}
	request, problems := readRequest(f, r.PostForm)
	data.Problems, data.Request = problems, indent(request)
	status := http.StatusOK
	switch {
	case len(problems) > 0:
		status = http.StatusBadRequest
	case r.PostForm.Get("do") == "start":
		request.Key = cmp.Or(request.Key, onceKey(r.PostForm.Get("once"), request))
		started, err := backend.Start(r.Context(), request)
		if err == nil {
			done := "existing"
			if started.Created {
				done = "started"
			}
			seeOther(w, "../operations/"+url.PathEscape(started.ID)+"?done="+done)
			return nil
		}
		status, data.Problems = d.formProblem(r, err)
	default:
		validation, err := backend.Validate(r.Context(), request)
		if err == nil {
			data.Validation = &validation
			break
		}
		status, data.Problems = d.formProblem(r, err)
	}
	d.render(w, r, status, formPage(f, r.PostForm, data))
	return nil
}

// onceKey returns the key of a request without one: the form's own, with a digest of
// the request. So the same form with other values starts another operation.
func onceKey(once string, r api.Request) string {
	if once == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(indent(r)))
	return once + "-" + hex.EncodeToString(sum[:8])
}
