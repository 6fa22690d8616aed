package main

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// The Functions host starts one function for each folder with a function.json,
// and calls it by the folder's name.
func TestFunctions_AreTheFoldersWithAFunctionJSON(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*/function.json")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var folders []string
	for _, file := range files {
		folders = append(folders, filepath.Dir(file))
	}
	registered := append(slices.Collect(maps.Keys(functions(&parts{}))), apiFunction, dashboardFunction)
	require.ElementsMatch(t, folders, registered)
}
