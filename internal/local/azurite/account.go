package azurite

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// accountFile stores the account next to the data. Azurite stores rows under
// the name of the account, so a new name would not find them.
const accountFile = "account.json"

// account is a random storage account of this machine. A random account ensures
// that nothing works against the emulator with a well-known key and then fails
// in Azure, and that two stacks never use each other's tables.
type account struct {
	Name string `json:"name"`
	Key  string `json:"key"` // base64
}

// openAccount reads the account of dir, or creates it. An empty dir means a new
// account each time.
func openAccount(dir string) (account, error) {
	if dir == "" {
		return newAccount(), nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return account{}, fmt.Errorf("make azurite's folder: %w", err)
	}
	path := filepath.Join(dir, accountFile)
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		acc := newAccount()
		data, err = json.Marshal(acc)
		if err != nil {
			return account{}, fmt.Errorf("write azurite's account: %w", err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			return account{}, fmt.Errorf("write azurite's account: %w", err)
		}
		return acc, nil
	}
	if err != nil {
		return account{}, fmt.Errorf("read azurite's account: %w", err)
	}
	var acc account
	if err := json.Unmarshal(data, &acc); err != nil {
		return account{}, fmt.Errorf("read azurite's account from %s: %w", path, err)
	}
	if acc.Name == "" || acc.Key == "" {
		return account{}, fmt.Errorf("read azurite's account from %s: name or key is missing", path)
	}
	return acc, nil
}

// newAccount generates a name within Azure's rules (3 to 24 lower-case letters
// and digits) and a key of Azure's length. crypto/rand.Read never fails: it
// ends the program if the system has no randomness.
func newAccount() account {
	name := make([]byte, 8)
	key := make([]byte, 64)
	_, _ = rand.Read(name)
	_, _ = rand.Read(key)
	return account{Name: "local" + hex.EncodeToString(name), Key: base64.StdEncoding.EncodeToString(key)}
}
