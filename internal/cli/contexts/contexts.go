// Package contexts stores how to reach deployed apps: a file of named contexts in
// the user's configuration directory. It holds no secrets.
package contexts

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"azbackupflow/internal/cli"
)

// Context is how to reach one deployed app, and the defaults for its commands.
type Context struct {
	URL    string `yaml:"url" json:"url"`
	SignIn SignIn `yaml:"signIn,omitempty" json:"signIn,omitzero"`
	// Subscription, ResourceGroup and Vault are where names of resources belong.
	Subscription  string `yaml:"subscription,omitempty" json:"subscription,omitempty"`
	ResourceGroup string `yaml:"resourceGroup,omitempty" json:"resourceGroup,omitempty"`
	Vault         string `yaml:"vault,omitempty" json:"vault,omitempty"`
	Output        string `yaml:"output,omitempty" json:"output,omitempty"`
}

// SignIn is how to sign in to an app.
type SignIn struct {
	// Method is one of the methods of package signin; empty sends the function key
	// of the environment, if there is one.
	Method string `yaml:"method,omitempty" json:"method,omitempty"`
	// Audience is the application ID URI of the app's registration.
	Audience string `yaml:"audience,omitempty" json:"audience,omitempty"`
	// TenantID and ClientID are those of the identity that signs in.
	TenantID string `yaml:"tenantId,omitempty" json:"tenantId,omitempty"`
	ClientID string `yaml:"clientId,omitempty" json:"clientId,omitempty"`
}

// Contexts are all contexts of a user.
type Contexts struct {
	// Current is the name of the context that commands use; empty if there is none.
	Current  string             `yaml:"current,omitempty" json:"current,omitempty"`
	Contexts map[string]Context `yaml:"contexts" json:"contexts"`
}

// File is the file of the contexts.
type File struct{ path string }

// NewFile returns the file in a configuration directory.
func NewFile(configDir string) File {
	return File{path: filepath.Join(configDir, "azbackupflow", "contexts.yaml")}
}

// Path returns the path of the file.
func (f File) Path() string { return f.path }

// Load reads the contexts. Without a file there are none.
func (f File) Load() (Contexts, error) {
	raw, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return Contexts{Contexts: map[string]Context{}}, nil
	}
	if err != nil {
		return Contexts{}, f.invalid("cannot be read", "make the file readable, or delete it")
	}
	var all Contexts
	d := yaml.NewDecoder(bytes.NewReader(raw))
	d.KnownFields(true)
	if err := d.Decode(&all); err != nil && !errors.Is(err, io.EOF) {
		return Contexts{}, f.invalid("is not a file of contexts"+atLine(err), "correct it, or delete it and add the contexts again with azbackupflow context add")
	}
	if all.Contexts == nil {
		all.Contexts = map[string]Context{}
	}
	return all, nil
}

var yamlLine = regexp.MustCompile(`line (\d+)`)

func atLine(err error) string {
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		return " (line " + m[1] + ")"
	}
	return ""
}

func (f File) invalid(problem, remedy string) error {
	return &cli.UsageError{Text: f.path + " " + problem, Remedy: remedy}
}

// Save replaces the file. A reader sees the old contexts or the new ones.
func (f File) Save(all Contexts) error {
	raw, err := yaml.Marshal(all)
	if err != nil {
		return fmt.Errorf("encode the contexts: %w", err)
	}
	folder := filepath.Dir(f.path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return f.invalid("cannot be written", "make its folder writable, or set AZBACKUPFLOW_CONFIG_DIR to another folder")
	}
	temporary, err := os.CreateTemp(folder, "contexts-*.yaml") // only the user can read it
	if err != nil {
		return f.invalid("cannot be written", "make its folder writable, or set AZBACKUPFLOW_CONFIG_DIR to another folder")
	}
	_, err = temporary.Write(raw)
	err = errors.Join(err, temporary.Sync(), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), f.path)
	}
	if err != nil {
		_ = os.Remove(temporary.Name()) // the error of the write counts
		return f.invalid("cannot be written", "make its folder writable, or set AZBACKUPFLOW_CONFIG_DIR to another folder")
	}
	return nil
}

// Get returns a context by its name.
func (c Contexts) Get(name string) (Context, error) {
	found, ok := c.Contexts[name]
	if !ok {
		return Context{}, &cli.UsageError{Text: fmt.Sprintf("context %q does not exist", name), Remedy: c.remedy()}
	}
	return found, nil
}

func (c Contexts) remedy() string {
	if len(c.Contexts) == 0 {
		return "add it with azbackupflow context add NAME --url URL"
	}
	return "use one of " + strings.Join(c.Names(), ", ") + ", or add it with azbackupflow context add"
}

// Names returns the names of the contexts, sorted.
func (c Contexts) Names() []string { return slices.Sorted(maps.Keys(c.Contexts)) }

var contextName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

// Add adds or replaces a context. The first one becomes the current one.
func (c *Contexts) Add(name string, added Context, replace bool) error {
	if !contextName.MatchString(name) {
		return &cli.UsageError{Text: fmt.Sprintf("%q is not a name of a context", name), Remedy: "use 1 to 64 letters, digits, '.', '_' or '-'"}
	}
	if _, exists := c.Contexts[name]; exists && !replace {
		return &cli.UsageError{Text: fmt.Sprintf("context %q exists already", name), Remedy: "add --replace to change it"}
	}
	if err := added.check(); err != nil {
		return err
	}
	c.Contexts[name] = added
	if c.Current == "" {
		c.Current = name
	}
	return nil
}

// check rejects values that are wrong or that hold a secret.
func (c Context) check() error {
	u, err := url.Parse(c.URL)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return &cli.UsageError{Text: fmt.Sprintf("--url %q is not the address of a Functions app", c.URL), Remedy: "use one such as https://name.azurewebsites.net"}
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return &cli.UsageError{
			Text:   "--url holds more than an address, such as a key",
			Remedy: "use " + u.Scheme + "://" + u.Host + ", and set a function key in AZBACKUPFLOW_FUNCTION_KEY: contexts hold no secrets",
		}
	}
	if c.Subscription != "" && !subscriptionID.MatchString(c.Subscription) {
		return &cli.UsageError{Text: fmt.Sprintf("--subscription %q is not a subscription ID", c.Subscription), Remedy: "use the ID, which az account show --query id prints"}
	}
	return nil
}

var subscriptionID = regexp.MustCompile(`^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$`)

// Use makes a context the current one.
func (c *Contexts) Use(name string) error {
	if _, err := c.Get(name); err != nil {
		return err
	}
	c.Current = name
	return nil
}

// Remove removes a context.
func (c *Contexts) Remove(name string) error {
	if _, err := c.Get(name); err != nil {
		return err
	}
	delete(c.Contexts, name)
	if c.Current == name {
		c.Current = ""
	}
	return nil
}
