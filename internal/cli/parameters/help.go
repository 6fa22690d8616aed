package parameters

import (
	"regexp"
	"slices"
	"strings"
)

// beforeMeaning matches what a meaning says about a value of a request file, which
// the flag does not need.
var beforeMeaning = regexp.MustCompile(`^(true: |an object(, which may be empty)?: )`)

// word matches the names of parameters in the need of another one.
var word = regexp.MustCompile(`[a-z][A-Za-z0-9]+`)

// Help returns what a flag means and whether it must be set, in sentences.
func (f Flow) Help(flag Flag) string {
	text := beforeMeaning.ReplaceAllString(Meaning(flag.Parameter), "")
	if rest, ok := strings.CutPrefix(text, "resource ID of "); ok && flag.hasName() {
		text = "name or resource ID of " + rest
	}
	if !slices.ContainsFunc(flag.Values, func(v string) bool { return strings.HasPrefix(text, v) }) { // a value keeps its casing
		text = capital(text)
	}
	sentences := []string{stopped(text), stopped(capital(f.need(flag)))}
	return strings.Join(slices.DeleteFunc(sentences, func(s string) bool { return s == "" }), " ")
}

// hasName reports whether the value can be the name of a resource that users know.
func (f Flag) hasName() bool {
	return len(f.ResourceTypes) > 0 && !slices.ContainsFunc(f.ResourceTypes, func(t string) bool { return strings.Contains(t, "/"+fabricType) })
}

// Need is the function Need for a flag. The names of an item can take the place of its
// ID.
func (f Flag) Need() string {
	if f.Required && len(f.Items) > 0 {
		return "this or --" + itemMachineFlag
	}
	return Need(f.Parameter)
}

// need returns whether a flag must be set, with the names of flags.
func (f Flow) need(flag Flag) string {
	if flag.Required && parent(flag.Path) != "" {
		return f.neededWith(flag)
	}
	need := flag.Need()
	if strings.HasPrefix(need, "this") {
		need = "set " + need
	}
	return word.ReplaceAllStringFunc(need, f.flagOf)
}

// neededWith returns the need of a field that its object requires.
func (f Flow) neededWith(flag Flag) string {
	var others []string
	for _, other := range f.Flags {
		if other.Required && other.Path != flag.Path && parent(other.Path) == parent(flag.Path) {
			others = append(others, "--"+other.Name)
		}
	}
	if len(others) == 0 {
		return Need(flag.Parameter)
	}
	last := len(others) - 1
	if last == 0 {
		return "required with " + others[0]
	}
	return "required with " + strings.Join(others[:last], ", ") + " and " + others[last]
}

// flagOf returns the flag of a parameter in the top level of the request. An object
// without a flag has that of the field with its name, else of its last required field.
// Other words stay as they are.
func (f Flow) flagOf(name string) string {
	found := ""
	for _, flag := range f.Flags {
		switch {
		case flag.Path == name && !flag.NamesItem:
			return "--" + flag.Name
		case parent(flag.Path) == name && flag.Name == FlagName(name):
			return "--" + flag.Name
		case parent(flag.Path) == name && flag.Required:
			found = "--" + flag.Name
		}
	}
	if found != "" {
		return found
	}
	return name
}

// capital begins a text with a capital letter.
func capital(text string) string {
	if text != "" && text[0] >= 'a' && text[0] <= 'z' {
		return strings.ToUpper(text[:1]) + text[1:]
	}
	return text
}

// stopped ends a text with a full stop.
func stopped(text string) string {
	if text == "" {
		return ""
	}
	return strings.TrimSuffix(text, ".") + "."
}
