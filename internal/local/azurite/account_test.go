package azurite

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAccount_FollowsAzuresRulesAndIsKeptInTheFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "folder")
	first, err := openAccount(dir)
	require.NoError(t, err)
	require.Regexp(t, `^[a-z0-9]{3,24}$`, first.Name)
	key, err := base64.StdEncoding.DecodeString(first.Key)
	require.NoError(t, err)
	require.Len(t, key, 64)

	again, err := openAccount(dir)
	require.NoError(t, err)
	require.Equal(t, first, again)

	other, err := openAccount("")
	require.NoError(t, err)
	require.NotEqual(t, first, other)
}

func TestAccount_CorruptFileIsNotReplaced(t *testing.T) {
	t.Parallel()
	for _, broken := range []string{"", "{", "{}", `{"name":"a"}`} {
		dir := t.TempDir()
		path := filepath.Join(dir, accountFile)
		require.NoError(t, os.WriteFile(path, []byte(broken), 0o600))
		_, err := openAccount(dir)
		require.ErrorContains(t, err, accountFile, broken)
		left, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, broken, string(left))
	}
}

func TestOutput_IsSplitIntoWholeLines(t *testing.T) {
	t.Parallel()
	var got []string
	l := &lines{each: func(s string) { got = append(got, s) }}
	for _, part := range []string{"one\ntw", "o\r\n", "", "\nfour"} {
		n, err := l.Write([]byte(part))
		require.NoError(t, err)
		require.Equal(t, len(part), n)
	}
	require.Equal(t, []string{"one", "two", ""}, got)
}
