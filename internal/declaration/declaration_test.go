package declaration_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/declaration"
)

const schema = `{
  "$id": "urn:test", "type": "object", "additionalProperties": false, "required": ["list"],
  "properties": {
    "list": {"description": "A list of things.", "type": "array", "items": {"$ref": "#/$defs/thing"}},
    "text": {"description": "Some text.", "type": "string", "maxLength": 3}
  },
  "$defs": {"thing": {"description": "ISO things.", "type": "object", "additionalProperties": false, "properties": {
    "name": {"description": "A name of small letters.", "type": "string", "pattern": "^[a-z]+$"},
    "size": {"enum": ["small", "large"]}
  }}}
}`

func TestValidate_ReportsLinePathProblemAndWant(t *testing.T) {
	t.Parallel()
	compiled, err := declaration.Compile([]byte(schema))
	require.NoError(t, err)
	document, err := declaration.Parse("x.yaml", []byte(`text: too long
list:
  - name: Big
    size: huge
    colour: red
  - thing
  - &a {name: fine, size: small}
  - *a
  - 2026-11-21
`))
	require.NoError(t, err)
	var got []string
	for _, violation := range compiled.Validate(document) {
		got = append(got, violation.String())
	}
	require.ElementsMatch(t, []string{
		"line 1: text: has 8 characters, more than 3; want some text",
		`line 3: list[0].name: "Big" does not have the required form; want a name of small letters`,
		`line 4: list[0].size: is "huge"; want one of small, large`,
		"line 5: list[0].colour: is not a known field; want one of name, size",
		"line 6: list[1]: is of type string; want ISO things",
		"line 9: list[4]: is of type string; want ISO things",
	}, got)
}

func TestDecode_ReturnsTheValueAtAPath(t *testing.T) {
	t.Parallel()
	document, err := declaration.Parse("x.yaml", []byte("a:\n- b: [1, 2026-11-21]\n"))
	require.NoError(t, err)
	var got []any
	require.NoError(t, document.Decode(&got, "a", "0", "b"))
	require.Equal(t, []any{1.0, "2026-11-21T00:00:00Z"}, got)
	require.EqualError(t, document.Decode(&got, "a", "1"), "x.yaml: a[1] does not exist")
	require.EqualError(t, document.Decode(&got, "a", "0", "b", "0", "c"), "x.yaml: a[0].b[0].c does not exist")
}

func TestParse_AcceptsAByteOrderMark(t *testing.T) {
	t.Parallel()
	document, err := declaration.Parse("schedules.yaml", []byte("\xef\xbb\xbfversion: 1\n"))
	require.NoError(t, err)
	var got struct{ Version int }
	require.NoError(t, document.Decode(&got))
	require.Equal(t, 1, got.Version)
}

func TestParse_RejectsValuesWithoutJSON(t *testing.T) {
	t.Parallel()
	for yaml, want := range map[string]string{
		"a: .nan":      "a: NaN has no JSON representation",
		"a: {1: x}":    "a: has a field name that is not a text; want the name in quotes",
		"a: 1\na: 2":   `line 2: has the field a twice, first in line 1; want each field once`,
		"a: *nowhere":  "is not YAML: the anchor nowhere is used and not defined",
		"a: &b [*b]":   "the anchor b contains itself",
		"a: b: c":      "is not YAML",
		"# nothing":    "is empty",
		"a: !!int \"x": "is not YAML",
	} {
		_, err := declaration.Parse("x.yaml", []byte(yaml))
		require.ErrorContains(t, err, want, yaml)
	}
}

func TestParse_ExplainsWhatIsNotYAMLWithoutTheParsersWords(t *testing.T) {
	t.Parallel()
	for yaml, want := range map[string]string{
		"a: [":                   "line 1: is not YAML: a bracket is not closed, or a value is missing; want each bracket closed",
		"a: {b: 1":               "is not YAML: a bracket is not closed",
		"a: 'x":                  "is not YAML: a text in quotes does not end; want a closing quote",
		"a:\n\t- b":              "line 2: is not YAML: a value or its indentation begins with a character that is not allowed there, such as a tab",
		"a: b\n\tc: d":           "line 2: is not YAML: a value or its indentation begins with a character",
		"a: @x":                  "quotes around such a value",
		"a: b: c":                "is not YAML: a colon is at a place where no field can be; want quotes around a text that contains a colon",
		"- a\nb: c":              "is not YAML: a list and fields are mixed",
		"a:\n  - b\n c: d":       "line 2: is not YAML: a line is indented differently",
		"a: &a [*a]":             "is not YAML: the anchor a contains itself",
		"1: a":                   "has a field name that is not a text; want the name in quotes",
		"? [a]\n: b":             "has a field name that is not a text",
		"{{.x}}":                 "quotes around a text that begins with {",
		"a: !!int x":             "has the value x with the tag !!int, which does not fit; want the value without the tag",
		"a: \x01":                "is not YAML: it contains a control character",
		"a: \xff\xfe\xfd":        "is not YAML: it is not encoded in UTF-8",
		"<<: 3":                  "is not YAML: something is wrong; want YAML, indented with spaces",
		"%x":                     "is not YAML: something is wrong",
		"a: !!binary 3":          "is not YAML: something is wrong",
		"x: 1\na: 1\na: 2\nx: 2": "line 3: has the field a twice, first in line 2; want each field once\nx.yml: line 4: has the field x twice, first in line 1",
	} {
		_, err := declaration.Parse("x.yml", []byte(yaml))
		require.ErrorContains(t, err, want, yaml)
		for _, phrase := range []string{"yaml:", "token", "node", "stream", "mapping", "interface", "did not find", "!!str", "decode", "context", "directive", "base64", ": :"} {
			require.NotContains(t, err.Error(), phrase, yaml)
		}
	}
}

func TestMatch_SupportsStarAndQuestionMark(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, text string
		matches       bool
	}{
		{"*", "", true}, {"*", "a/b", true}, {"?", "é", true}, {"?", "", false}, {"a*c", "abbc", true}, {"a*c", "ab", false},
		{"*a*b*", "xaxbx", true}, {"*a*b*", "xbxax", false}, {"a", "A", false}, {"[a]", "a", false}, {"[a]", "[a]", true}, {"", "", true}, {"", "a", false},
	} {
		require.Equal(t, c.matches, declaration.Match(c.pattern, c.text), "%q and %q", c.pattern, c.text)
	}
	require.True(t, declaration.MatchFold("Orders-*", "ORDERS-eu"))
}
