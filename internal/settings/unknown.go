package settings

import (
	"maps"
	"slices"
	"strings"

	"azbackupflow/internal/similar"
)

// prefix is the prefix of the app's own settings.
const prefix = "AZBACKUPFLOW_"

// Unknown is a setting with the app's prefix that does not exist.
type Unknown struct {
	// Name is the setting's name, Nearest the most similar name of a setting.
	Name, Nearest string
}

// FindUnknown returns the settings in an environment that have the app's prefix
// and do not exist, by name. They have no effect. Names of settings are case
// sensitive.
func FindUnknown(environment map[string]string) []Unknown {
	known := ownNames()
	var unknown []Unknown
	for _, name := range slices.Sorted(maps.Keys(environment)) {
		if strings.HasPrefix(strings.ToUpper(name), prefix) && !slices.Contains(known, name) && !slices.Contains(otherPrograms(), name) {
			unknown = append(unknown, Unknown{Name: name, Nearest: nearest(strings.ToUpper(name), known)})
		}
	}
	return unknown
}

// ownNames returns the names of the app's settings that have its prefix.
func ownNames() []string {
	var names []string
	for _, row := range Table() {
		if strings.HasPrefix(row.Name, prefix) {
			names = append(names, row.Name)
		}
	}
	return names
}

// otherPrograms returns variables of the command line and of this repository's
// tests. The app inherits them on a laptop.
func otherPrograms() []string {
	return []string{"AZBACKUPFLOW_URL", "AZBACKUPFLOW_FUNCTION_KEY", "AZBACKUPFLOW_SHARED", "AZBACKUPFLOW_DEEP", "AZBACKUPFLOW_AZURITE"}
}

// nearest returns the name that is most similar to the given one.
func nearest(name string, names []string) string {
	return slices.MinFunc(names, func(a, b string) int { return distance(name, a) - distance(name, b) })
}

// distance returns how different two names are. A name that continues the other one
// is near.
func distance(a, b string) int {
	if strings.HasPrefix(a, b) || strings.HasPrefix(b, a) {
		return min(1, max(len(a), len(b))-min(len(a), len(b)))
	}
	return similar.Differences(a, b)
}
