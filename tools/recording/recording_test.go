package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const pictures = "../../docs/pictures/*.cast"

func TestPictures_MatchTheirRecordings(t *testing.T) {
	t.Parallel()
	recordings, err := filepath.Glob(pictures)
	require.NoError(t, err)
	require.NotEmpty(t, recordings)
	for _, recording := range recordings {
		want, err := draw(recording)
		require.NoError(t, err)
		got, err := os.ReadFile(strings.TrimSuffix(recording, ".cast") + ".svg")
		require.NoError(t, err)
		require.Equal(t, want, string(got), "the picture of %s is outdated; run make pictures", recording)
	}
}

func TestPictures_AreWellFormed(t *testing.T) {
	t.Parallel()
	recordings, err := filepath.Glob(pictures)
	require.NoError(t, err)
	for _, recording := range recordings {
		picture, err := draw(recording)
		require.NoError(t, err)
		for decoder := xml.NewDecoder(strings.NewReader(picture)); ; {
			_, err := decoder.Token()
			if errors.Is(err, io.EOF) {
				break
			}
			require.NoError(t, err)
		}
		require.NotContains(t, picture, "\x1b")
	}
}

func TestRecord_KeepsLinesAndColorsOfATerminal(t *testing.T) {
	t.Parallel()
	c, err := record(t.Context(), []string{"sh", "-c", `test -t 1 && printf '\033[32mok\033[0m <&>\n'; stty size <&1`}, time.Now)
	require.NoError(t, err)
	require.Len(t, c.outputs, 2)
	require.Equal(t, "28 100\r\n", c.outputs[1].text)
	require.Equal(t, "\x1b[32mok\x1b[0m <&>\r\n", c.outputs[0].text)
	path := filepath.Join(t.TempDir(), "a.cast")
	require.NoError(t, c.write(path))
	again, err := readCast(path)
	require.NoError(t, err)
	require.Equal(t, c.header, again.header)
	require.Equal(t, c.outputs[0].text, again.outputs[0].text)
	picture, err := draw(path)
	require.NoError(t, err)
	require.Contains(t, picture, `<tspan class="g">ok</tspan> &lt;&amp;&gt;</text>`)
}

func TestRecord_ReportsAProgramThatFails(t *testing.T) {
	t.Parallel()
	_, err := record(t.Context(), []string{"sh", "-c", "echo reason >&2; exit 3"}, time.Now)
	require.ErrorContains(t, err, "reason")
}

func TestReadCast_NamesTheLineOfAnError(t *testing.T) {
	t.Parallel()
	for content, want := range map[string]string{
		"{}":                           "line 1 is not the header",
		"{\"version\":2}\n[1]":         "line 2 is not an event",
		"{\"version\":2}\n[1,\"o\",2]": "line 2 is not an event",
	} {
		path := filepath.Join(t.TempDir(), "a.cast")
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		_, err := readCast(path)
		require.ErrorContains(t, err, want)
	}
}

func TestOutputs_ShortenPauses(t *testing.T) {
	t.Parallel()
	outputs, err := readOutputs(strings.NewReader("a\nb\n"), func() time.Duration { return time.Hour })
	require.NoError(t, err)
	require.Equal(t, []output{{maxPause, "a\n"}, {maxPause, "b\n"}}, outputs)
}

func TestStyled_ShowsWhatATerminalShows(t *testing.T) {
	t.Parallel()
	require.Equal(t, "last", styled("first\rlast"))
	require.Equal(t, `a<tspan class="r">b</tspan>c`, styled("a\x1b[31mb\x1b[0mc\x1b[K"))
	require.Equal(t, "vault", styled("\x1b]8;;https://example.com\x1b\\vault\x1b]8;;\x1b\\"))
}
