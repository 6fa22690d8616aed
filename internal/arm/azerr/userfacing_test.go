package azerr

import (
	"testing"

	"github.com/stretchr/testify/require"

	"azbackupflow/internal/operation"
)

// userFacing returns an error as Data Protection sends it: the recommended
// action is in additionalInfo only, the explanation deeper still.
func userFacing(code, message, action, detail string) string {
	return `{"additionalInfo":[{"type":"UserFacingError","info":{"message":"` + message + `","recommendedAction":["` + action + `"],
		"details":null,"code":"` + code + `","target":"","innerError":{"code":"InnerErrorCodeUnavailable","additionalInfo":
		{"DetailedNonLocalisedMessage":"` + detail + `"}},"isRetryable":false,"isUserError":false,"properties":{"ActivityId":"a"}}}],
		"code":"` + code + `","message":"` + message + `","target":null,"details":null}`
}

func TestClassify_AlreadyProtectedNamesTheVault(t *testing.T) {
	t.Parallel()
	const where = "Datasource is already protected under the Backup vault /subscriptions/s/v."
	e := rejected(400, `{"error":`+userFacing(CodeAlreadyProtected, where, "Delete the backup instance i.", where)+`}`)
	require.Equal(t, CodeAlreadyProtected, e.Code)
	require.Equal(t, operation.Fatal, e.Class)
	require.Equal(t, where, e.Message, "a detail that repeats the message is dropped")
	require.Equal(t, []string{"Delete the backup instance i."}, e.RecommendedAction)
}

func TestFailureIn_ReadsAnErrorOrNone(t *testing.T) {
	t.Parallel()
	e := FailureIn([]byte(userFacing("UserErrorRestoreToLowerVersion", "m", "a", "from 10 to 9.5")))
	require.Equal(t, "UserErrorRestoreToLowerVersion", e.Code)
	require.Equal(t, "m (from 10 to 9.5)", e.Message)
	require.Equal(t, operation.Fatal, e.Class)
	require.Equal(t, []string{"a"}, e.RecommendedAction)
	for _, none := range []string{``, `null`, `{}`, `[]`, `"x"`, `{"code":null,"message":""}`, `{"isRetryable":true}`} {
		require.Nil(t, FailureIn([]byte(none)), none)
	}
}

func FuzzFailureIn(f *testing.F) {
	f.Add(userFacing("A", "m", "a", "d"))
	f.Add(`{"innerError":{"additionalInfo":{"DetailedNonLocalisedMessage":5},"embeddedInnerError":{"code":[]}}}`)
	f.Fuzz(func(t *testing.T, body string) {
		if e := FailureIn([]byte(body)); e != nil {
			require.NotEmpty(t, e.Code)
			require.NotEmpty(t, e.Message)
			require.NotEmpty(t, e.Class)
		}
	})
}
