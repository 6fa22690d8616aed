package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// The module that contains Azure's resource types, and its go.sum hash.
const (
	typesModule  = "github.com/Azure/terraform-provider-azapi"
	typesVersion = "v1.15.0"
	typesSum     = "h1:A963Vm8nOaOTu9uUKvI6fr3Q69TFOdqwSqSp8Y0/p7M="
)

// typesFolder returns the folder with the resource types in Go's module cache. It
// downloads the module if the cache does not have it.
func typesFolder(ctx context.Context) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", typesModule+"@"+typesVersion)
	cmd.Dir = os.TempDir()
	// The hash is compared below, so the checksum database is not needed.
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off", "GONOSUMDB="+typesModule)
	out, err := cmd.Output()
	var got struct{ Dir, Sum, Error string }
	if jsonErr := json.Unmarshal(out, &got); jsonErr != nil || got.Error != "" {
		return "", fmt.Errorf("download %s %s: %s %w", typesModule, typesVersion, got.Error, err)
	}
	if got.Sum != typesSum {
		return "", fmt.Errorf("%s %s has the hash %s, want %s", typesModule, typesVersion, got.Sum, typesSum)
	}
	return filepath.Join(got.Dir, "internal", "azure", "generated"), nil
}

// catalog holds the types of resources. It reads their files on demand.
type catalog struct {
	folder string
	index  map[string]reference
	mu     sync.Mutex
	files  map[string][]*schema
}

// reference refers to a type in a file.
type reference struct {
	Ref string `json:"$ref"`
}

// schema is a type of any kind. The fields in use depend on Type.
type schema struct {
	Type                 string            `json:"$type"`
	Name                 string            `json:"name"`
	Value                json.RawMessage   `json:"value"`
	Properties           map[string]member `json:"properties"`
	BaseProperties       map[string]member `json:"baseProperties"`
	AdditionalProperties *reference        `json:"additionalProperties"`
	Elements             json.RawMessage   `json:"elements"`
	ItemType             *reference        `json:"itemType"`
	Discriminator        string            `json:"discriminator"`
	Body                 reference         `json:"body"`
	ScopeType            int               `json:"scopeType"`
	MinValue             *int              `json:"minValue"`
	MaxValue             *int              `json:"maxValue"`
	MinLength            *int              `json:"minLength"`
	MaxLength            *int              `json:"maxLength"`
	Pattern              string            `json:"pattern"`
	file                 string
}

// member is a property of a type.
type member struct {
	Type  reference `json:"type"`
	Flags int       `json:"flags"`
}

func (m member) required() bool { return m.Flags&1 != 0 }
func (m member) readOnly() bool { return m.Flags&2 != 0 && m.Flags&1 == 0 }

func openCatalog(folder string) (*catalog, error) {
	raw, err := os.ReadFile(filepath.Join(folder, "index.json"))
	if err != nil {
		return nil, err
	}
	var index struct{ Resources map[string]reference }
	if err := json.Unmarshal(raw, &index); err != nil {
		return nil, fmt.Errorf("decode the index of resource types: %w", err)
	}
	c := &catalog{folder: folder, index: map[string]reference{}, files: map[string][]*schema{}}
	for name, ref := range index.Resources {
		c.index[strings.ToLower(name)] = ref
	}
	return c, nil
}

// resource returns the type of a resource ID Type@version.
func (c *catalog) resource(id string) (*schema, bool, error) {
	ref, ok := c.index[strings.ToLower(id)]
	if !ok {
		return nil, false, nil
	}
	s, err := c.at("", ref)
	return s, err == nil, err
}

// versions returns the API versions of a type.
func (c *catalog) versions(kind string) []string {
	var all []string
	for id := range c.index {
		if name, version, _ := strings.Cut(id, "@"); name == strings.ToLower(kind) {
			all = append(all, version)
		}
	}
	return all
}

// at returns the type that a reference in a file refers to.
func (c *catalog) at(file string, ref reference) (*schema, error) {
	name, position, ok := strings.Cut(ref.Ref, "#/")
	i, err := strconv.Atoi(position)
	if !ok || err != nil {
		return nil, fmt.Errorf("the reference %q is invalid; want file#/index of a type", ref.Ref)
	}
	if name == "" {
		name = file
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	all, ok := c.files[name]
	if !ok {
		raw, err := os.ReadFile(filepath.Join(c.folder, filepath.FromSlash(name)))
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(raw, &all); err != nil {
			return nil, fmt.Errorf("decode the types in %s: %w", name, err)
		}
		for _, s := range all {
			s.file = name
		}
		c.files[name] = all
	}
	if i < 0 || i >= len(all) {
		return nil, fmt.Errorf("the reference %q is invalid; want file#/index of a type", ref.Ref)
	}
	return all[i], nil
}
