package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// A panic in a goroutine that nothing recovers ends the program with all its
// invocations. Package parallel recovers, so all other packages of the program
// start goroutines through it. customhandler recovers the goroutine of each
// invocation itself.
func TestProgram_StartsGoroutinesThroughPackageParallel(t *testing.T) {
	t.Parallel()
	list := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", `{{if not .Standard}}{{.ImportPath}} {{.Dir}}{{range .GoFiles}} {{.}}{{end}}{{end}}`, ".")
	out, err := list.Output()
	require.NoError(t, err)
	checked := 0
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		if len(fields) < 3 || !strings.HasPrefix(fields[0], "azbackupflow/") ||
			fields[0] == "azbackupflow/internal/parallel" || fields[0] == "azbackupflow/internal/customhandler" {
			continue
		}
		for _, name := range fields[2:] {
			file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(fields[1], name), nil, 0)
			require.NoError(t, err)
			checked++
			for _, i := range file.Imports {
				require.NotEqual(t, `"golang.org/x/sync/errgroup"`, i.Path.Value, fields[0]+"/"+name)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				_, started := n.(*ast.GoStmt)
				require.False(t, started, fields[0]+"/"+name+" starts a goroutine")
				return true
			})
		}
	}
	require.Greater(t, checked, 100, "files of the program")
}
