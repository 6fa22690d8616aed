package packaging

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

const (
	hostFile     = "host.json"
	functionFile = "function.json"
)

// functionName matches the names that the host allows. It reserves "host".
var functionName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,127}$`)

// programName matches a plain file name. The tools that set the executable bit
// compare the path literally, so "./handler" would be deployed without the bit
// (azure-functions-core-tools issue 2510).
var programName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]*$`)

// layout is the content of host.json and of the function folders.
type layout struct {
	program   string
	functions []string // sorted
	// declared are the operator's files that exist.
	declared []string
}

// readLayout reads the layout. It returns an error for everything that would make
// the host reject the deployed app, or load it without one of its functions.
func readLayout(root string) (layout, error) {
	var host struct {
		Version       string
		CustomHandler struct {
			Description struct{ DefaultExecutablePath string }
		}
	}
	if err := readJSON(filepath.Join(root, hostFile), &host); err != nil {
		return layout{}, err
	}
	app := layout{program: host.CustomHandler.Description.DefaultExecutablePath}
	var problems []error
	if host.Version != "2.0" {
		problems = append(problems, fmt.Errorf("%s: version is %q; set \"2.0\"", hostFile, host.Version))
	}
	if !programName.MatchString(app.program) {
		problems = append(problems, fmt.Errorf("%s: defaultExecutablePath %q is not a plain file name; use letters, digits, - and _", hostFile, app.program))
	}

	entries, err := os.ReadDir(filepath.Join(root, functionsFolder))
	if err != nil {
		return layout{}, fmt.Errorf("list the function folders: %w", err)
	}
	for _, entry := range entries {
		if !entry.IsDir() {
			continue
		}
		path := filepath.Join(root, functionsFolder, entry.Name(), functionFile)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			continue // a folder of Go code or test data
		}
		if err := checkFunction(entry.Name(), app.program, path); err != nil {
			problems = append(problems, err)
		}
		app.functions = append(app.functions, entry.Name())
	}
	if app.declared, err = checkDeclarations(root); err != nil {
		problems = append(problems, err)
	}
	if len(app.functions) == 0 {
		problems = append(problems, fmt.Errorf("%s holds no folder with a %s; add a function", functionsFolder, functionFile))
	}
	return app, errors.Join(problems...)
}

// checkFunction returns the first problem of one function.json.
func checkFunction(name, program, path string) error {
	if !functionName.MatchString(name) || strings.EqualFold(name, "host") {
		return fmt.Errorf("function %q: the host does not allow the name; begin with a letter, use letters, digits, - and _", name)
	}
	if strings.EqualFold(name, program) {
		return fmt.Errorf("function %q: the program has the same name; rename one of them", name)
	}
	var function struct {
		Bindings []struct{ Type, Direction, Name string }
	}
	if err := readJSON(path, &function); err != nil {
		return fmt.Errorf("function %q: %w", name, err)
	}
	triggers := 0
	for _, binding := range function.Bindings {
		if binding.Name == "" {
			return fmt.Errorf("function %q: a binding of type %q has no name; set name", name, binding.Type)
		}
		if strings.HasSuffix(strings.ToLower(binding.Type), "trigger") {
			triggers++
			if !strings.EqualFold(binding.Direction, "in") {
				return fmt.Errorf("function %q: the direction of its trigger is %q; set \"in\"", name, binding.Direction)
			}
		}
	}
	if triggers != 1 {
		return fmt.Errorf("function %q: it has %d triggers; keep one", name, triggers)
	}
	return nil
}

func readJSON(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read %s: %w", filepath.Base(path), err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		return fmt.Errorf("read %s: %w", filepath.Base(path), err)
	}
	return nil
}
