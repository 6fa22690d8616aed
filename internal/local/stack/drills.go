package stack

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/service"

	"azbackupflow/internal/drill/archive"
	"azbackupflow/internal/drill/archive/blobs"
	"azbackupflow/internal/local/storageproxy"
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
// of drills. storage is the connection to Azurite itself: the handler reaches tables
// and blobs through proxies.
func (s *Stack) prepareDrills(ctx context.Context, storage string) error {
	proxy, err := storageproxy.New(ctx, storageproxy.Config{Target: storage, Blobs: true, Fault: s.config.Fault})
	if err != nil {
		return fmt.Errorf("blob service: %w", err)
	}
	s.services.add(proxy.Close)
	s.evidence = storage
	dir := s.config.Dir
	if dir == "" {
		temporary, err := os.MkdirTemp("", "azbackupflow-drills-")
		if err != nil {
			return fmt.Errorf("key of the evidence: %w", err)
		}
		s.services.add(func() error { return os.RemoveAll(temporary) })
		dir = temporary
	}
	dir, err = filepath.Abs(dir)
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
		settings.TablesConnection:   withBlobs(s.Tables.ConnectionString(), proxy.ConnectionString()),
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
func (s *Stack) DrillStorage() string { return s.evidence }

// SaveEvidence copies the documents of all drills, and the public key that verifies
// them, to a folder: the storage of a stack ends with it. It returns the files.
func (s *Stack) SaveEvidence(ctx context.Context, folder string) (documents []string, key string, err error) {
	store, err := blobs.New(blobs.Config{Container: archive.Container, Service: func() (*service.Client, error) {
		return service.NewClientFromConnectionString(s.DrillStorage(), blobs.ClientOptions())
	}})
	if err != nil {
		return nil, "", fmt.Errorf("read the evidence: %w", err)
	}
	for object, err := range store.List(ctx, "") {
		if err != nil {
			return nil, "", fmt.Errorf("list the evidence: %w", err)
		}
		read, err := store.Read(ctx, object.Name)
		if err != nil {
			return nil, "", fmt.Errorf("read the evidence: %w", err)
		}
		file := filepath.Join(folder, path.Base(object.Name))
		if err := os.WriteFile(file, read.Content, 0o600); err != nil {
			return nil, "", fmt.Errorf("save the evidence: %w", err)
		}
		documents = append(documents, file)
	}
	public, err := os.ReadFile(s.DrillKey())
	if err != nil {
		return nil, "", fmt.Errorf("read the key of the evidence: %w", err)
	}
	key = filepath.Join(folder, drillPublicKeyFile)
	if err := os.WriteFile(key, public, 0o600); err != nil {
		return nil, "", fmt.Errorf("save the key of the evidence: %w", err)
	}
	return documents, key, nil
}
