package stack

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"azbackupflow/internal/settings"
)

// Names of the key files in the folder of the stack, or in a temporary folder.
const (
	drillKeyFile       = "drill-private.pem"
	drillPublicKeyFile = "drill-key.pem"
)

// DrillKey returns the file with the public key of the evidence of drills; empty
// without Config.Drills.
func (s *Stack) DrillKey() string {
	if s.drills == nil {
		return ""
	}
	return filepath.Join(filepath.Dir(s.drills["AZBACKUPFLOW_EVIDENCE_KEY"]), drillPublicKeyFile)
}

// prepareDrills makes a key, unless the folder of the stack has one, and the settings
// of drills. storage is the connection to Azurite itself: tables stay behind the
// proxy.
func (s *Stack) prepareDrills(storage string) error {
	dir := s.config.Dir
	if dir == "" {
		temporary, err := os.MkdirTemp("", "azbackupflow-drills-")
		if err != nil {
			return fmt.Errorf("key of the evidence: %w", err)
		}
		s.services.add(func() error { return os.RemoveAll(temporary) })
		dir = temporary
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return fmt.Errorf("key of the evidence: %w", err)
	}
	private := filepath.Join(dir, drillKeyFile)
	if _, err := os.Stat(private); err != nil {
		if err := writeKeyPair(private, filepath.Join(dir, drillPublicKeyFile)); err != nil {
			return fmt.Errorf("key of the evidence: %w", err)
		}
	}
	s.drills = map[string]string{
		"AZBACKUPFLOW_EVIDENCE_KEY": private,
		settings.TablesConnection:   withBlobs(s.Tables.ConnectionString(), storage),
	}
	return nil
}

// withBlobs returns a connection to tables with the blob service of another one.
func withBlobs(tables, storage string) string {
	for part := range strings.SplitSeq(storage, ";") {
		if strings.HasPrefix(part, "BlobEndpoint=") {
			return strings.TrimSuffix(tables, ";") + ";" + part + ";"
		}
	}
	return tables
}

func writeKeyPair(private, public string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	open, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return err
	}
	if err := os.WriteFile(public, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: open}), 0o600); err != nil {
		return err
	}
	return os.WriteFile(private, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600)
}

// DrillStorage returns the connection to the storage that keeps the evidence of
// drills; empty without Config.Drills.
func (s *Stack) DrillStorage() string { return s.drills[settings.TablesConnection] }
