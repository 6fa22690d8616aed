package keyvault

import (
	"context"
	"slices"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/security/keyvault/azkeys"
)

// Check reads the key, and returns an error if it cannot sign now. It signs nothing, so
// a missing permission to sign is not found: a key that the app may read, and not sign
// with, passes.
func (s *Signer) Check(ctx context.Context, now time.Time) error {
	client, err := s.client()
	if err != nil {
		return err
	}
	answer, err := client.GetKey(ctx, s.key.Name, s.key.Version, nil)
	if err != nil {
		return failed("read key "+s.key.Name, err)
	}
	if _, _, err := check(answer, s.key); err != nil {
		return err
	}
	signs := func(o *azkeys.KeyOperation) bool { return o != nil && *o == azkeys.KeyOperationSign }
	if ops := answer.Key.KeyOps; len(ops) > 0 && !slices.ContainsFunc(ops, signs) {
		return unexpected(s.key, "its permitted operations do not include sign")
	}
	switch a := answer.Attributes; {
	case a == nil:
		return nil
	case a.Enabled != nil && !*a.Enabled:
		return unexpected(s.key, "it is disabled")
	case a.Expires != nil && !now.Before(*a.Expires):
		return unexpected(s.key, "it expired at "+a.Expires.UTC().Format(time.RFC3339))
	case a.NotBefore != nil && now.Before(*a.NotBefore):
		return unexpected(s.key, "it is not active before "+a.NotBefore.UTC().Format(time.RFC3339))
	}
	return nil
}
