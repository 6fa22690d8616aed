package azerr

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRedact_RemovesSecrets(t *testing.T) {
	t.Parallel()
	const header, claims = "eyJhbGciOiJSUzI1NiJ9", "eyJzdWIiOiIxIn0"
	for in, want := range map[string]string{
		"Authorization: Bearer abc.def":     "Authorization: Bearer ***",
		"authorization: bearer abc.def":     "authorization: Bearer ***",
		"BEARER  abc-1_2~3+4/5=":            "Bearer ***",
		"bearer\tabc":                       "Bearer ***",
		"the forbearer abc":                 "the forbearer abc",
		"t " + header + "." + claims + ".c": "t ***",
		"t " + header + "." + claims + ".":  "t ***",
		"t " + header + "." + claims:        "t ***",
		"x=" + header + "." + claims + ";y": "x=***;y",
		"https://h/a?sig=s&t=1 end":         "https://h/a end",
		"http://h/a?sig=s":                  "http://h/a",
		"HTTPS://h/a?sig=s":                 "HTTPS://h/a",
		"Https://h/a?sig=s":                 "Https://h/a",
		"('https://h/a?sig=s')":             "('https://h/a')",
		"https://h?x=1,https://k?y=2":       "https://h",
		"https://h/a https://k/b?y=2":       "https://h/a https://k/b",
		"why? because":                      "why? because",

		"a.blob.core.windows.net/c?sv=1&sig=a%2Bb%3D&se=2":            "a.blob.core.windows.net/c?sv=1&sig=***&se=2",
		"the token sv=1&SIG=abc is invalid":                           "the token sv=1&SIG=*** is invalid",
		"sig=abc":                                                     "sig=***",
		"SharedAccessSignature sr=h&sig=abc&se=1":                     "SharedAccessSignature sr=h&sig=***&se=1",
		"design=abc":                                                  "design=abc",
		"to https%3A%2F%2Fh%2Fa%3Fsv%3D1%26sig%3Dabc now":             "to https%3A%2F%2Fh%2Fa now",
		"to https%253A%252F%252Fh%252Fa%253Fsig%253Dabc":              "to https%253A%252F%252Fh%252Fa",
		"h%2Fa%3Fsv%3D1%26sig%3Dabc now":                              "h%2Fa%3Fsv%3D1%26sig%3D*** now",
		"https://h/a%3Fsig%3Dabc now":                                 "https://h/a now",
		"AccountName=a;AccountKey=abc+/d==;Endpoint=b":                "AccountName=a;AccountKey=***;Endpoint=b",
		"Endpoint=sb://h/;SharedAccessKeyName=n;SharedAccessKey=abc=": "Endpoint=sb://h/;SharedAccessKeyName=n;SharedAccessKey=***",
		`{"accountKey": "abc=="}`:                                     `{"accountKey": "***"}`,
		`{\"accountKey\":\"abc==\"}`:                                  `{\"accountKey\":\"***\"}`,
		"AccountKey%3Dabc%3D%3D":                                      "AccountKey%3D***",
		"Server=h;Password=p;x=1":                                     "Server=h;Password=***;x=1",
		"the password is wrong":                                       "the password is wrong",
		"two\nlines\x00":                                              "two lines\x00",
	} {
		require.Equal(t, want, Redact(in), in)
	}
}
