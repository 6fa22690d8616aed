package stack

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// SettingsFile is the file from which Azure Functions Core Tools read the app
// settings.
const SettingsFile = "local.settings.json"

// localSettings is the format of SettingsFile.
type localSettings struct {
	IsEncrypted bool
	Values      map[string]string
}

// writeSettings writes the app settings for the real host into the folder of the
// app. The file holds the keys of the stand-ins, so only the user may read it.
func (s *Stack) writeSettings() error {
	raw, err := json.MarshalIndent(localSettings{Values: s.settings()}, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the app settings: %w", err)
	}
	path := s.SettingsPath()
	// A file of an earlier run keeps its permissions.
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return fmt.Errorf("replace %s: %w", path, err)
	}
	if err := os.WriteFile(path, append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

// SettingsPath returns the path of the file with the app settings, which exists
// with Config.NoHost.
func (s *Stack) SettingsPath() string { return filepath.Join(s.config.Dist, SettingsFile) }
