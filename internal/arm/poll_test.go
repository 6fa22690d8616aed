package arm

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"azbackupflow/internal/arm/azerr"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

func TestPoll_SendsTheURLByteForByte(t *testing.T) {
	t.Parallel()
	arm := newAzure(t, answers(200, `{}`))
	client := arm.client(t)
	for _, target := range []string{
		"/subscriptions/s/resourceGroups/g/x?api-version=2019-05-13-preview&t=638536987469908083&c=MII-_a&s=b~c.d&h=e",
		"/a;b;c/StorageContainer;Storage;g;acc/operationsStatus/1?z=1&a=2&z=3",
		"/a%3Bb%3bc?x=%2f%2F+%20&y=a+b",
		"/a%2fb/c%2Fd?q",
		"/a?",
		"/a?x=1;y=2&&&=",
		"/a?skiptoken=%3c%3fxml+version%3d%221.0%22%3f%3e1!28!NzI5--%3c%2f",
		"/a(b)'c'!$*,:@=&+d?e'(f)*!~",
		`/a[b]{c}|d^e"f<g>\h?bad=%zz&i[j]{k}|l^m"n<o>\p` + "`",
		"/grüße/ß?ü=é",
		"/a/../b/./c//d/?x=/../",
		"/" + strings.Repeat("p/", 300) + "?c=" + strings.Repeat("MIIHpTCCBo2gAwIBAgITOgMLgtc7Cc87", 100),
	} {
		_, err := client.Poll(t.Context(), arm.URL+target)
		require.NoError(t, err, target)
		got := arm.requests()
		require.Equal(t, target, got[len(got)-1].Target)
		require.Equal(t, "Bearer "+jwt, got[len(got)-1].Auth)
	}
}

func TestPoll_SendsRecordedURLsByteForByte(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("AZBACKUPFLOW_SHARED")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared")
	}
	files, err := filepath.Glob(filepath.Join(dir, "recordings", "*.yaml"))
	require.NoError(t, err)
	if len(files) == 0 {
		t.Skip("no recordings of Azure traffic found; set AZBACKUPFLOW_SHARED")
	}
	arm := newAzure(t, answers(200, `{}`))
	client := arm.client(t)
	checked := 0
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		var cassette struct {
			Interactions []struct {
				Response struct {
					Headers map[string][]string
				}
			}
		}
		require.NoError(t, yaml.Unmarshal(raw, &cassette))
		for _, i := range cassette.Interactions {
			for _, name := range []string{"azure-asyncoperation", "location"} {
				for _, u := range i.Response.Headers[name] {
					target, ok := strings.CutPrefix(u, "https://management.azure.com")
					if !ok {
						continue
					}
					_, err := client.Poll(t.Context(), arm.URL+target)
					require.NoError(t, err)
					got := arm.requests()
					require.Equal(t, target, got[len(got)-1].Target)
					checked++
				}
			}
		}
	}
	require.Greater(t, checked, 50)
}

func TestPoll_RejectsAnotherHostBeforeRequestingAToken(t *testing.T) {
	t.Parallel()
	asked := tokens{err: errors.New("a token was requested")}
	client := newClient(t, func(c *Config) { c.Credential = asked })
	for _, u := range []string{
		"https://evil.example/x?s=signature", "http://management.azure.com/x?s=signature",
		"https://management.azure.com@evil.example/x?s=signature",
	} {
		_, err := client.Poll(t.Context(), u)
		var untrusted *UntrustedHost
		require.ErrorAs(t, err, &untrusted)
		e := asError(t, err)
		require.Equal(t, azerr.CodeUntrustedPollHost, e.Code)
		require.Equal(t, operation.Fatal, e.Class)
		require.Contains(t, err.Error(), untrusted.Host)
		require.NotContains(t, err.Error(), "signature")
	}
}

func TestPoll_RejectsMalformedURLsWithoutShowingThem(t *testing.T) {
	t.Parallel()
	client := newClient(t)
	for _, u := range []string{
		"", "x", "/x?s=signature", "https://", "https:///x?s=signature", "https://management.azure.com?s=signature",
		"https://management.azure.com/x y?s=signature", "https://management.azure.com/x\r\nHost: evil?s=signature",
		"https://management.azure.com//x[%zz?s=signature", "https://[::1/x?s=signature", "mailto:a@b",
	} {
		_, err := client.Poll(t.Context(), u)
		e := asError(t, err)
		require.Equal(t, azerr.CodeMalformedPollURL, e.Code, u)
		require.NotContains(t, err.Error(), "signature")
	}
}

func TestErrors_ShowNoSignatureOrToken(t *testing.T) {
	t.Parallel()
	const signed = "/subscriptions/s/operationsStatus/1?api-version=1&t=1&c=CERTIFICATE&s=SIGNATURE&h=HASH"
	reset := func(w http.ResponseWriter, _ *http.Request) { hangUp(w) }
	quoted := `{"error":{"code":"Bad","message":"cannot read https://management.azure.com` + signed +
		` with Bearer ` + jwt + ` or ` + jwt + `","recommendedAction":["open https://a.example` + signed + `"]}}`
	for name, handler := range map[string]http.HandlerFunc{
		"reset": reset, "bad request": answers(400, quoted), "server error": answers(500, quoted),
		"failed": answers(200, `{"status":"Failed",`+quoted[1:]), "page": answers(200, `<html>`+signed),
		"not found": answers(404, quoted), "redirect": answers(307, ``, "Location", "https://evil.example"+signed),
	} {
		arm := newAzure(t, handler)
		recorder := &step.Recorder{}
		answer, err := arm.client(t).With(CallOptions{Record: recorder.Record}).Poll(t.Context(), arm.URL+signed)
		shown := []string{}
		if err != nil {
			shown = append(shown, err.Error())
			shown = append(shown, asError(t, err).RecommendedAction...)
		}
		if answer != nil {
			failed := azerr.FailureIn(answer.Body)
			require.NotNil(t, failed, name)
			shown = append(shown, failed.Error())
			shown = append(shown, failed.RecommendedAction...)
		}
		require.Len(t, recorder.Exchanges(), 1)
		for _, x := range recorder.Exchanges() {
			require.Equal(t, "/subscriptions/s/operationsStatus/1", x.Path)
			shown = append(shown, x.Path, x.Failure)
		}
		for _, s := range shown {
			for _, secret := range []string{"SIGNATURE", "CERTIFICATE", "HASH", jwt, "c2lnbmF0dXJl"} {
				require.NotContains(t, s, secret, name)
			}
		}
	}
	client := newClient(t, func(c *Config) { c.Endpoint = "http://127.0.0.1:1" })
	_, err := client.Poll(t.Context(), "http://127.0.0.1:1"+signed)
	require.NotContains(t, err.Error(), "SIGNATURE")
	require.NotContains(t, err.Error(), "?")
}

func TestWith_RecordsTheExchangesOfTheBoundClientOnly(t *testing.T) {
	t.Parallel()
	arm := newAzure(t, answers(404, `{"error":{"code":"ResourceNotFound"}}`,
		"x-ms-correlation-request-id", "c1", "x-ms-request-id", "r1"))
	recorder := &step.Recorder{}
	client := arm.client(t)
	_, err := client.With(CallOptions{Record: recorder.Record}).Do(t.Context(), Request{Method: http.MethodGet, Path: "/a;b"})
	require.Error(t, err)
	_, err = client.Do(t.Context(), Request{Method: http.MethodGet, Path: "/not-recorded"})
	require.Error(t, err)
	require.Equal(t, []operation.Exchange{{Method: "GET", Path: "/a;b", Status: 404, CorrelationID: "c1", RequestID: "r1"}}, recorder.Exchanges())
}
