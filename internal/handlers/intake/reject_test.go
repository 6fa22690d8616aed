package intake_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/handlers/intake"
	"azbackupflow/internal/rejected"
	"azbackupflow/internal/step"
)

// rejections collects what a Rejecter records, copies and logs.
type rejections struct {
	records []rejected.Request
	copies  [][]byte
	log     strings.Builder
}

func (c *rejections) rejecter(t *testing.T) *intake.Rejecter {
	t.Helper()
	r, err := intake.NewRejecter(intake.RejecterConfig{
		Record: func(_ context.Context, r rejected.Request) error { c.records = append(c.records, r); return nil },
		Publish: func(_ context.Context, _, id string, body []byte, _ map[string]any) error {
			require.LessOrEqual(t, len(id), intake.MaxMessageID)
			c.copies = append(c.copies, body)
			return nil
		},
		Now: func() time.Time { return time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC) }, Log: slog.New(slog.NewTextHandler(&c.log, nil)),
	})
	require.NoError(t, err)
	return r
}

// Each field of a rejection may be as long as a message. The record stays small,
// and the copy fits a message.
func TestReject_BoundsEveryField(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"x", "\x00", "\xff", "\u2028", "<"} {
		long := strings.Repeat(text, 250_000)
		var fields []step.FieldError
		for range 1000 {
			fields = append(fields, step.FieldError{Field: long[:1000], Problem: long[:2000], Want: long[:2000]})
		}
		named, err := json.Marshal(map[string]string{"flow": long, "key": long})
		require.NoError(t, err)
		for name, rejection := range map[string]intake.Rejection{
			"message id":       {MessageID: long, Err: errors.New("x")},
			"index":            {MessageID: "id#" + long, Err: errors.New("x")},
			"body":             {Body: []byte(long), Err: errors.New("x")},
			"flow and key":     {Body: named, Err: errors.New("x")},
			"type of the body": {BodyType: long, Err: errors.New("x")},
			"reason":           {Err: errors.New(long)},
			"fields":           {Err: &step.Invalid{Fields: fields}},
			"reply queue":      {ReplyTo: long, Err: errors.New("x")},
			"all of them":      {MessageID: long, Body: []byte(long), BodyType: long, ReplyTo: long, Err: &step.Invalid{Fields: fields}},
		} {
			var c rejections
			require.NoError(t, c.rejecter(t).Reject(t.Context(), rejection), name)
			require.LessOrEqual(t, len(c.copies[0]), 192<<10, "%s of %q: the copy fits a message", name, text)
			require.LessOrEqual(t, len(c.records[0].MessageID), 128+10, name)
			without := c.records[0]
			without.Body = ""
			rest, err := json.Marshal(without)
			require.NoError(t, err)
			require.LessOrEqual(t, len(rest), 180<<10, "%s of %q: the record without its body", name, text)
		}
	}
}

// No secret of a sender is recorded, copied or logged, in whatever field it comes.
func TestReject_KeepsNoSecret(t *testing.T) {
	t.Parallel()
	const secret = "S3cr3tSignature"
	for name, text := range map[string]string{
		"a signed URL":                 "https://acct.blob.core.windows.net/c/b?sv=2024&sig=" + secret,
		"in capitals":                  "HTTPS://ACCT.BLOB.CORE.WINDOWS.NET/c?SIG=" + secret,
		"without TLS":                  "http://acct.blob.core.windows.net/c?sig=" + secret,
		"with escaped slashes":         `https:\/\/acct.blob.core.windows.net\/c?sv=1\u0026sig=` + secret,
		"with an escaped mark":         `https://acct.blob.core.windows.net/c\u003fsv=1\u0026sig=` + secret,
		"percent-encoded":              "https://acct.blob.core.windows.net/c%3Fsv%3D1%26sig%3D" + secret,
		"without its scheme":           "acct.blob.core.windows.net/c?sv=1&sig=" + secret,
		"only the query":               "sv=1&sig=" + secret,
		"a function key":               "https://app.azurewebsites.net/api/x?code=" + secret,
		"a user in a URL":              "https://user:" + secret + "@host.example/x",
		"a bearer token":               "Authorization: bearer " + secret,
		"a token":                      "eyJhbGciOi." + secret + ".sig",
		"a token without a signature":  "eyJhbGciOi." + secret,
		"a connection string":          "Endpoint=sb://x/;SharedAccessKeyName=a;SharedAccessKey=" + secret + ";EntityPath=q",
		"a storage connection string":  "DefaultEndpointsProtocol=https;AccountKey=" + secret,
		"a database connection string": "Server=x;Password=" + secret + ";",
		"an escaped signature":         `acct.blob.core.windows.net/c?sv=1\u0026sig\u003dab\u002B` + secret,
		"an escaped query":             `https://acct.blob.core.windows.net/c?sig=ab\u002B` + secret,
		"an escaped account key":       `AccountKey=ab\u002B` + secret + `\u003d\u003d;`,
		"an escaped bearer token":      `bearer ab\u002Bcd\/` + secret,
		"a quoted connection string":   `say "Password=a\` + secret + `" now`,
		"a member password":            `{"password":"` + secret + `"}`,
		"a member with quotes":         `{"adminPassword" : "a\"b\\` + secret + `\\"}`,
		"a member accountKey":          `{"x":1,"accountKey":"` + secret + `==","y":2}`,
		"a member sharedAccessKey":     `{"sharedAccessKey":"` + secret + `"}`,
		"a member client_secret":       `{"client_secret":"` + secret + `"}`,
		"a member sasToken":            `{"SASTOKEN":"sv=1&se=` + secret + `"}`,
		"a member sig":                 `{"sig":"` + secret + `"}`,
		"a member in a string":         `{"x":"{\"password\": \"a\\\"b\\n` + secret + `\"}"}`,
		"a member without an end":      `{"password":"a` + secret + `\`,
	} {
		body, err := json.Marshal(map[string]any{"flow": text, "key": text, "parameters": map[string]any{text: []string{text}}})
		require.NoError(t, err)
		for place, rejection := range map[string]intake.Rejection{
			"message id":  {MessageID: text, Err: errors.New("x")},
			"reason":      {Err: errors.New("field " + text + " is wrong")},
			"fields":      {Err: &step.Invalid{Fields: []step.FieldError{{Field: text, Problem: text, Want: text}}}},
			"body":        {Body: body, Err: errors.New("x")},
			"raw body":    {Body: []byte(text), Err: errors.New("x")},
			"binary body": {Body: []byte("\xff\x00 " + text), Err: errors.New("x")},
			"reply queue": {ReplyTo: text, Err: errors.New("x")},
		} {
			var c rejections
			require.NoError(t, c.rejecter(t).Reject(t.Context(), rejection))
			record, err := json.Marshal(c.records[0])
			require.NoError(t, err)
			require.NotContains(t, string(record), secret, "%s in the %s", name, place)
			require.NotContains(t, string(c.copies[0]), secret, "%s in the %s", name, place)
			require.NotContains(t, c.log.String(), secret, "%s in the %s", name, place)
		}
		require.True(t, json.Valid([]byte(intake.Redact(string(body)))), "%s: the body is still JSON: %s", name, intake.Redact(string(body)))
	}
}

// A request that lost a secret is marked, because it cannot be replayed as it is
// recorded.
func TestReject_MarksARedactedRequest(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		rejection intake.Rejection
		redacted  bool
	}{
		{intake.Rejection{MessageID: "m", Body: []byte(`{"url":"https://a/b"}`)}, false},
		{intake.Rejection{MessageID: "m", Body: []byte("\xff")}, false},
		{intake.Rejection{MessageID: "m", Body: []byte(`{"url":"https://a/b?sig=x"}`)}, true},
		{intake.Rejection{MessageID: "m", Body: []byte("\xff https://a/b?sig=x")}, true},
		{intake.Rejection{MessageID: "https://a/b?sig=x#3", Body: []byte(`{}`)}, true},
	} {
		var r rejections
		c.rejection.Err = errors.New("x")
		require.NoError(t, r.rejecter(t).Reject(t.Context(), c.rejection))
		require.Equal(t, c.redacted, r.records[0].Redacted, c.rejection)
	}
}

// Redacted JSON stays valid JSON, also where JSON is inside a JSON string, and
// keeps the other members.
func TestRedact_KeepsJSONValid(t *testing.T) {
	t.Parallel()
	for before, after := range map[string]string{
		`{"password":"x","a":1}`:                               `{"password":"***","a":1}`,
		`{"password":12345,"a":null}`:                          `{"password":"***","a":null}`,
		`{"password":{"a":"b"},"secrets":["x"]}`:               `{"password":{"a":"b"},"secrets":["x"]}`,
		`{"note":"say \"Password=x\"","a":1}`:                  `{"note":"say \"Password=***\"","a":1}`,
		`{"note":"say \"sig=x\"","a":1}`:                       `{"note":"say \"sig=***\"","a":1}`,
		`{"note":"Password=x\\","a":1}`:                        `{"note":"Password=***","a":1}`,
		`{"note":"Password=","a":1}`:                           `{"note":"Password=","a":1}`,
		`{"note":"c?sv=1\u0026sig=a\u002Bb%2Fc","a":1}`:        `{"note":"c?sv=1\u0026sig=***","a":1}`,
		`{"inner":"{\"sasToken\":\"a\\\"b\",\"c\":1}","a":1}`:  `{"inner":"{\"sasToken\":\"***\",\"c\":1}","a":1}`,
		`{"inner":"{\"accountKey\":\"a\\\\\",\"c\":1}","a":1}`: `{"inner":"{\"accountKey\":\"***\",\"c\":1}","a":1}`,
		`{"inner":"{\n  \"password\":\n \"x\"}","a":1}`:        `{"inner":"{\n  \"password\":\n \"***\"}","a":1}`,
	} {
		require.True(t, json.Valid([]byte(before)), before)
		require.JSONEq(t, after, intake.Redact(before))
	}
}

func TestRedact_KeepsEverythingElse(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"https://acct.blob.core.windows.net/container/blob", `{"a":"why? because","b":"x?y=z"}`, "design=1", "the bearer of news", "code=7",
	} {
		if text == "the bearer of news" {
			require.Equal(t, "the Bearer *** news", intake.Redact(text), "a word after bearer is treated as a token")
			continue
		}
		require.Equal(t, text, intake.Redact(text))
	}
	require.JSONEq(t, `{"u":"https://a/b","n":"say \"hi\""}`, intake.Redact(`{"u":"https://a/b?x=1","n":"say \"hi\""}`))
	require.JSONEq(t, `{"u":"see \"https://a/b\" now"}`, intake.Redact(`{"u":"see \"https://a/b?x=1\" now"}`))
}

// A body that is not text is recorded as base64, with or without a zero byte.
func TestReject_EncodesABodyThatIsNoText(t *testing.T) {
	t.Parallel()
	for body, encoding := range map[string]string{"text": "", "\xff\xfe": rejected.Base64, "a\x00b": rejected.Base64, "\xff\x00": rejected.Base64} {
		var c rejections
		require.NoError(t, c.rejecter(t).Reject(t.Context(), intake.Rejection{Body: []byte(body), Err: errors.New("x")}))
		record := c.records[0]
		require.Equal(t, encoding, record.BodyEncoding, "%q", body)
		whole := []byte(record.Body)
		if encoding != "" {
			var err error
			whole, err = base64.StdEncoding.DecodeString(record.Body)
			require.NoError(t, err)
		}
		require.Equal(t, body, string(whole))
	}
}

// Escapes make this body six times as large. Its copy holds the beginning that fits.
func TestReject_CopiesTheBeginningOfABodyThatGrows(t *testing.T) {
	t.Parallel()
	var c rejections
	require.NoError(t, c.rejecter(t).Reject(t.Context(), intake.Rejection{Body: []byte(strings.Repeat("<", 64<<10)), Err: errors.New("x")}))
	var copied rejected.Request
	require.NoError(t, json.Unmarshal(c.copies[0], &copied))
	require.Contains(t, copied.Body, strings.Repeat("<", 16<<10))
}
