package functionshost

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// defaultConnection is the connection of a Service Bus trigger without one.
const defaultConnection = "ServiceBus"

var settingReference = regexp.MustCompile(`%[^%]+%`)

// settings are an app's settings, which are also its handler's environment.
type settings map[string]string

// loadSettings merges local.settings.json in root, the process's environment and the
// configured settings. Later ones override earlier ones.
func loadSettings(root string, environ []string, configured map[string]string) (settings, error) {
	merged := settings{}
	for _, pair := range environ {
		if name, value, ok := strings.Cut(pair, "="); ok && name != "" {
			merged[name] = value
		}
	}
	var local struct {
		IsEncrypted bool
		Values      map[string]string
	}
	err := readJSON(filepath.Join(root, "local.settings.json"), &local)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if local.IsEncrypted {
		return nil, errors.New("local.settings.json is encrypted; decrypt it with func settings decrypt")
	}
	for name, value := range local.Values {
		if _, ok := merged[name]; !ok {
			merged[name] = value
		}
	}
	maps.Copy(merged, configured)
	return merged, nil
}

// environment returns the settings as NAME=value.
func (s settings) environment() []string {
	pairs := make([]string, 0, len(s))
	for _, name := range slices.Sorted(maps.Keys(s)) {
		pairs = append(pairs, name+"="+s[name])
	}
	return pairs
}

// get returns a setting by its exact name, or else by its name in another case.
func (s settings) get(name string) (string, bool) {
	if value, ok := s[name]; ok {
		return value, true
	}
	for _, other := range slices.Sorted(maps.Keys(s)) {
		if strings.EqualFold(other, name) {
			return s[other], true
		}
	}
	return "", false
}

// resolve replaces each %name% with the setting of that name. It returns an error if
// a setting is missing.
func (s settings) resolve(text string) (string, error) {
	var missing []error
	resolved := settingReference.ReplaceAllStringFunc(text, func(reference string) string {
		name := strings.Trim(reference, "%")
		value, ok := s.get(name)
		if !ok {
			missing = append(missing, fmt.Errorf("%s: setting %q not found", reference, name))
		}
		return value
	})
	return resolved, errors.Join(missing...)
}

// connection returns the connection string of a Service Bus connection.
func (s settings) connection(name string) (string, error) {
	if name == "" {
		name = defaultConnection
	}
	for _, candidate := range []string{"AzureWebJobs" + name, name} {
		if value, ok := s.get(candidate); ok && value != "" {
			return value, nil
		}
	}
	if _, ok := s.get(name + "__fullyQualifiedNamespace"); ok {
		return "", fmt.Errorf("connection %s uses an identity; the stand-in needs a connection string", name)
	}
	return "", fmt.Errorf("setting %q not found; set a Service Bus connection string", name)
}

// disabled reports whether a setting turns the function off.
func (s settings) disabled(function string) bool {
	for _, name := range []string{"AzureWebJobs." + function + ".Disabled", "AzureWebJobs_" + function + "_Disabled"} {
		if value, ok := s.get(name); ok && (strings.EqualFold(value, "true") || value == "1") {
			return true
		}
	}
	return false
}
