package localstack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"azbackupflow/internal/cli"
	"azbackupflow/internal/duration"
	"azbackupflow/internal/local/armsim"
)

// The values of resources that do not name them.
const (
	defaultLocation = "westeurope"
	defaultGroup    = "rg"
)

// ParseWorld parses a file that describes a simulated Azure, as YAML or JSON. The
// error is a *cli.UsageError.
func ParseWorld(file string, raw []byte) (*armsim.World, error) {
	invalid := func(problem, want string) error {
		return &cli.UsageError{Text: file + ": " + problem, Remedy: want}
	}
	var decoded any
	if err := yaml.Unmarshal(raw, &decoded); err != nil {
		return nil, invalid("is not YAML"+lineOf(err), "see examples/local/world.yaml")
	}
	top, ok := decoded.(map[string]any)
	if !ok {
		return nil, invalid("is not an object", "write lists such as vaults and storageAccounts; see examples/local/world.yaml")
	}
	if err := completeWorld(top); err != nil {
		return nil, invalid(err.Error(), "use a duration "+duration.Forms)
	}
	text, err := json.Marshal(top)
	if err != nil {
		return nil, invalid("is not an object with text as names", "see examples/local/world.yaml")
	}
	var world armsim.World
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&world); err != nil {
		return nil, invalid(decodeProblem(err), "see examples/local/world.yaml for the fields")
	}
	return &world, nil
}

// completeWorld adds the subscription, the resource group and the location of
// resources that name none, and reads the ages of recovery points.
func completeWorld(top map[string]any) error {
	for _, list := range top {
		resources, _ := list.([]any)
		for i, one := range resources {
			resource, ok := one.(map[string]any)
			if !ok {
				continue
			}
			if _, isDatasource := resource["datasource"]; !isDatasource {
				setDefault(resource, "subscription", armsim.DemoSubscription)
				setDefault(resource, "resourceGroup", defaultGroup)
				if _, isDatabase := resource["instance"]; !isDatabase {
					setDefault(resource, "location", defaultLocation)
				}
			}
			points, _ := resource["recoveryPoints"].([]any)
			for _, p := range points {
				if err := completePoint(p, i); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func setDefault(fields map[string]any, name, value string) {
	if _, set := fields[name]; !set {
		fields[name] = value
	}
}

// completePoint replaces the age of a recovery point by nanoseconds.
func completePoint(point any, index int) error {
	fields, ok := point.(map[string]any)
	if !ok {
		return nil
	}
	text, ok := fields["age"].(string)
	if !ok {
		return nil
	}
	age, ok := duration.Parse(text)
	if !ok {
		return fmt.Errorf("protectedDatasources[%d].recoveryPoints: age %q is not a duration", index, text)
	}
	fields["age"] = age.Nanoseconds()
	return nil
}

// lineOf returns the line that a YAML error names.
func lineOf(err error) string {
	_, rest, found := strings.Cut(err.Error(), "line ")
	line, _, ended := strings.Cut(rest, ":")
	if !found || !ended {
		return ""
	}
	return " at line " + line
}

// decodeProblem describes a field that does not fit.
func decodeProblem(err error) string {
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) {
		return fmt.Sprintf("field %s is a %s, which it must not be", wrong.Field, wrong.Value)
	}
	if _, field, ok := strings.Cut(err.Error(), "unknown field "); ok {
		return "field " + field + " is unknown"
	}
	return "has fields that do not fit"
}
