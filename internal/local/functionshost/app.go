package functionshost

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

// functionName matches the names that the host accepts for a function, which is
// the name of its folder.
var functionName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,127}$`)

// App is a function app in a folder.
type App struct {
	// Root is the absolute path of the folder with host.json.
	Root string
	// Host is the content of host.json.
	Host HostFile
	// Functions are the folders with a function.json, sorted by name.
	Functions []Function
}

// Function is the content of one function.json.
type Function struct {
	// Name is the folder's name.
	Name string
	// Trigger is the binding that starts the function.
	Trigger Binding
	// Outputs are the output bindings.
	Outputs []Binding
	// Disabled reports whether the function's trigger is off.
	Disabled bool
	// Config is the file itself.
	Config json.RawMessage
}

// Load reads the app in root as the host does. Its error lists every problem. Load
// does not resolve settings: bindings keep %name%.
func Load(root string) (App, error) {
	absolute, err := filepath.Abs(root)
	if err != nil {
		return App{}, fmt.Errorf("load the function app: %w", err)
	}
	app := App{Root: absolute}
	var problems []error
	if app.Host, err = loadHostFile(absolute); err != nil {
		problems = append(problems, err)
	}
	entries, err := os.ReadDir(absolute)
	if err != nil {
		return App{}, fmt.Errorf("load the function app: %w", err)
	}
	seen := map[string]string{}
	for _, entry := range entries {
		path := filepath.Join(absolute, entry.Name(), "function.json")
		if _, err := os.Stat(path); err != nil {
			continue
		}
		function, err := loadFunction(entry.Name(), path)
		if err != nil {
			problems = append(problems, fmt.Errorf("function %s: %w", entry.Name(), err))
			continue
		}
		lower := strings.ToLower(function.Name)
		if other, ok := seen[lower]; ok {
			problems = append(problems, fmt.Errorf("functions %s and %s differ only in case; rename one", other, function.Name))
		}
		seen[lower] = function.Name
		app.Functions = append(app.Functions, function)
	}
	if err := errors.Join(problems...); err != nil {
		return App{}, fmt.Errorf("load the function app: %w", err)
	}
	return app, nil
}

// Layout returns an error if the folder must not be deployed: the problems that Load
// finds, and those that the host ignores without an error.
func Layout(root string) error {
	app, err := Load(root)
	if err != nil {
		return err
	}
	var problems []error
	if len(app.Functions) == 0 {
		problems = append(problems, errors.New("no function found one level below host.json"))
	}
	for _, function := range app.Functions {
		if function.Trigger.needsBundle() && !app.Host.HasBundle {
			problems = append(problems, fmt.Errorf("function %s: %s needs an extension bundle; set extensionBundle in host.json", function.Name, function.Trigger.Type))
		}
	}
	err = filepath.WalkDir(app.Root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(app.Root, path)
		if err != nil {
			return err
		}
		if entry.Name() == "function.json" && strings.Count(filepath.ToSlash(relative), "/") != 1 {
			problems = append(problems, fmt.Errorf("%s is not found by the host; move its folder to one level below host.json", filepath.ToSlash(relative)))
		}
		return nil
	})
	if err := errors.Join(append(problems, err)...); err != nil {
		return fmt.Errorf("layout of the function app: %w", err)
	}
	return nil
}

// loadFunction reads and checks one function.json.
func loadFunction(name, path string) (Function, error) {
	function := Function{Name: name}
	if !functionName.MatchString(name) || strings.EqualFold(name, "host") {
		return function, errors.New("the folder's name is not a function name; begin with a letter, use letters, digits, - and _")
	}
	if err := readJSON(path, &function.Config); err != nil {
		return function, err
	}
	var file struct {
		Bindings []Binding
		Disabled bool
	}
	if err := json.Unmarshal(function.Config, &file); err != nil {
		return function, fmt.Errorf("parse function.json: %w", err)
	}
	function.Disabled = file.Disabled
	triggers, names := 0, map[string]bool{}
	var problems []error
	for _, binding := range file.Bindings {
		if err := binding.check(); err != nil {
			problems = append(problems, fmt.Errorf("binding %q: %w", binding.Name, err))
		}
		lower := strings.ToLower(binding.Name)
		if names[lower] {
			problems = append(problems, fmt.Errorf("binding %q is declared twice; rename one", binding.Name))
		}
		names[lower] = true
		if binding.isTrigger() {
			triggers++
			function.Trigger = binding
		} else {
			function.Outputs = append(function.Outputs, binding)
		}
	}
	if triggers != 1 {
		problems = append(problems, fmt.Errorf("function.json has %d triggers; keep one", triggers))
	}
	return function, errors.Join(problems...)
}

// receivesOriginalRequest reports whether the host may pass HTTP requests to the
// function unchanged: it has one HTTP trigger, one HTTP output and nothing else.
func (f Function) receivesOriginalRequest() bool {
	return f.Trigger.is(typeHTTPTrigger) && len(f.Outputs) == 1 && f.Outputs[0].is(typeHTTP)
}
