package filter

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// properties is a message: names with "sys." are system properties.
type properties map[string]any

func (p properties) System(name string) any { return p["sys."+name] }

func (p properties) User(name string) any {
	for key, value := range p {
		if strings.EqualFold(key, name) {
			return value
		}
	}
	return nil
}

func sample() properties {
	return properties{
		"sys.subject": "ended", "sys.label": "ended", "sys.messageid": "m-1", "sys.correlationid": nil,
		"color": "red", "Size": int64(7), "price": 2.5, "urgent": true, "property with space": "x",
		"hr-id": int64(3), "rate": "50%", "none": nil,
	}
}

func TestSQL_EvaluatesEveryDocumentedForm(t *testing.T) {
	t.Parallel()
	for expression, want := range map[string]bool{
		"1=1": true, "1=0": false, "TRUE": true, "false": false, "urgent": true, "NOT urgent": false,
		"color = 'red'": true, "COLOR = 'red'": true, "color = 'Red'": false, "color <> 'blue'": true, "color != 'red'": false,
		"size > 6 AND size >= 7 and Size < 8 AND size <= 7": true, "size > 7 OR size < 7": false,
		"size = 7.0": true, "price * 2 = 5": true, "price = 0.25E1": true, "size + 1 = 8": true, "-size = -7": true, "+size = 7": true,
		"size - 1 - 1 = 5": true, "1 + 2 * 3 = 7": true, "(1 + 2) * 3 = 9": true, "size / 2 = 3": true, "size % 4 = 3": true,
		"(size) > 3": true, "((size > 3))": true, "(size > 3 OR color = 'x') AND urgent = TRUE": true,
		"NOT (size > 3) OR NOT NOT color = 'red'":       true,
		"sys.Subject = 'ended' AND sys.label = 'ended'": true, "sys.MessageId LIKE 'm-%'": true, "user.color = 'red'": true,
		"[property with space] = 'x'": true, "\"property with space\" = 'x'": true, "[hr-id] = 3": true, "user.[hr-id] = 3": true,
		"property('hr-' + 'id') = 3": true, "p('hr-id') = 3": true, "newid() <> newid()": true,
		"color IN ('blue', 'red')": true, "color NOT IN ('blue', 'red')": false, "size IN (1, 7)": true, "size IN ('7')": false,
		"color LIKE 'r_d'": true, "color LIKE '%e%'": true, "color NOT LIKE 'b%'": true, "color LIKE 'r'": false, "color LIKE '%%d'": true,
		"rate LIKE '50\\%' ESCAPE '\\'": true, "color LIKE 're\\%' ESCAPE '\\'": false, "color LIKE 'r%x'": false,
		"EXISTS(color)": true, "EXISTS ( absent )": false, "NOT EXISTS(absent)": true, "exists(sys.correlationid)": false,
		"absent IS NULL": true, "absent IS NOT NULL": false, "color IS NOT NULL": true, "none IS NULL": true,
		"'it''s' = 'it''s'": true, "color = NULL": false,
		// A predicate on an absent property is unknown: neither it nor its negation is true.
		"absent = 1": false, "NOT absent = 1": false, "absent <> 1": false, "absent IN (1)": false, "absent NOT IN (1)": false,
		"absent LIKE '%'": false, "absent NOT LIKE '%'": false, "absent + 1 = 1": false, "absent = 1 OR urgent": true,
		"absent = 1 AND urgent": false, "NOT (absent = 1 AND FALSE)": true, "NOT (absent = 1 OR FALSE)": false,
		// So is a comparison of different types, and a division by zero.
		"color = 7": false, "NOT color = 7": false, "size < 'a'": false, "urgent > FALSE": false, "urgent <> FALSE": true,
		"size / 0 = 1": false, "size % 0 = 1": false, "color - 1 = 1": false, "color LIKE 7": false, "price % 2 = 0.5": true, "price / 2 = 1.25": true,
		"price - 0.5 = 2": true, "price + 0.5 = 3": true,
	} {
		f, err := Parse(expression, nil)
		require.NoError(t, err, expression)
		require.Equal(t, want, f.Match(sample()), expression)
		require.Equal(t, expression, f.String())
	}
}

func TestParse_RejectsInvalidExpressions(t *testing.T) {
	t.Parallel()
	for expression, problem := range map[string]string{
		"":                            "unexpected end",
		"color =":                     "unexpected end",
		"color = 'red":                "missing closing '",
		"color = red blue":            `unexpected "blue"`,
		"color = @param":              "parameter @param at character 8 has no value",
		"color = @":                   "unexpected '@'",
		"color = 1;":                  `unexpected ";"`,
		"color NOT 1":                 `unexpected "1"`,
		"color IS 1":                  "expected NULL",
		"color IN 1":                  "expected (",
		"color IN (1":                 "expected )",
		"EXISTS 1":                    "expected (",
		"EXISTS(1)":                   `unexpected "1"`,
		"sys.Colour = 1":              `unknown system property "Colour"`,
		"other.color = 1":             `unknown scope "other"`,
		"sys.":                        "expected a property name",
		"f(1) = 1":                    `unknown function "f"`,
		"99999999999999999999 = 1":    "out of range",
		"1e999 = 1":                   "out of range",
		"and = 1":                     `unexpected "and"`,
		"[x = 1":                      "missing closing ]",
		strings.Repeat("a", 1025):     "more than 1024 characters",
		strings.Repeat("(", 40) + "1": "nested deeper than",
		strings.Repeat("-", 40) + "1": "nested deeper than",
		strings.Repeat("NOT ", 40):    "nested deeper than",
	} {
		_, err := Parse(expression, nil)
		require.ErrorContains(t, err, problem, expression)
	}
}

func TestCorrelation_MatchesWhenAllValuesAreEqual(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		filter Correlation
		want   bool
	}{
		"empty":          {Correlation{}, true},
		"subject":        {Correlation{Subject: "ended"}, true},
		"other subject":  {Correlation{Subject: "Ended"}, false},
		"two of two":     {Correlation{Subject: "ended", MessageID: "m-1"}, true},
		"one of two":     {Correlation{Subject: "ended", MessageID: "m-2"}, false},
		"absent":         {Correlation{CorrelationID: "c"}, false},
		"property":       {Correlation{Properties: map[string]any{"color": "red", "size": int64(7), "price": 2.5, "urgent": true}}, true},
		"other property": {Correlation{Properties: map[string]any{"color": "blue"}}, false},
		"other type":     {Correlation{Properties: map[string]any{"size": "7"}}, false},
	} {
		require.Equal(t, c.want, c.filter.Match(sample()), name)
	}
}

// Parsing must neither panic nor take long, whatever a client sends.
func FuzzParse(f *testing.F) {
	f.Add("a = 1 AND (b LIKE 'x%' ESCAPE '!' OR NOT EXISTS(c))")
	f.Add("((((((((((((((((((((((((((((1 + 2))))))))))))))))))))))))))) > 3")
	f.Fuzz(func(_ *testing.T, expression string) {
		if filter, err := Parse(expression, nil); err == nil {
			filter.Match(sample())
		}
	})
}
