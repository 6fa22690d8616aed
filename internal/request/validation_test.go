package request_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/request"
	"azbackupflow/internal/step"
)

func TestReadAnswer_NamesEveryWrongField(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		`{"result":"Successful","text":"ok","target":"x"}`:               "",
		`{"operation":"op1","result":"Failed"}`:                          "",
		`{"result":"SUCCESSFUL"}`:                                        "result: \"SUCCESSFUL\" is not a result; want Successful or Failed",
		`{}`:                                                             "result: \"\" is not a result",
		`{"operation":"op2","result":"Failed"}`:                          "operation: is \"op2\", not the operation of the path; want op1",
		`{"result":"Failed","text":"a\nb"}`:                              "text: is too long or holds control characters",
		`{"result":"Failed","note":"x"}`:                                 "note: is an unknown field",
		`{"result":"Failed","text":"` + strings.Repeat("x", 2001) + `"}`: "text: is too long",
	} {
		_, err := request.ReadAnswer([]byte(raw), "op1")
		if want == "" {
			require.NoError(t, err, raw)
			continue
		}
		require.ErrorContains(t, err, want)
		require.NotEmpty(t, step.FieldsOf(err))
	}
}

func TestReadAnswerMessage_NamesItsOperation(t *testing.T) {
	t.Parallel()
	raw := []byte(`{"validation":{"operation":"op1","result":"Failed","text":"no tables"}}`)
	require.True(t, request.IsAnswer(raw))
	require.False(t, request.IsAnswer([]byte(`{"flow":"backup-now"}`)))
	require.False(t, request.IsAnswer([]byte(`[]`)))
	a, err := request.ReadAnswerMessage(raw)
	require.NoError(t, err)
	require.Equal(t, request.Answer{Operation: "op1", Result: "Failed", Text: "no tables"}, a)
	_, err = request.ReadAnswerMessage([]byte(`{"validation":{"result":"Failed"}}`))
	require.ErrorContains(t, err, "validation.operation: is missing")
}
