package flow

import (
	"context"

	"azbackupflow/internal/arm/resourceid"
	"azbackupflow/internal/operation"
	"azbackupflow/internal/step"
)

// inRecoveryVault is implemented by the parameters of flows that work in a Recovery
// Services vault. recoveryVault returns the vault's resource ID.
type inRecoveryVault interface{ recoveryVault() string }

// forVault passes a step the parameters that it works on, and their vault.
func forVault[P inRecoveryVault](f func(context.Context, step.Call, P, resourceid.VaultID) (operation.Outcome, error)) run {
	return with(func(ctx context.Context, c step.Call, p P) (operation.Outcome, error) {
		vault, err := parseRecoveryVault(p)
		if err != nil {
			return operation.Outcome{}, err
		}
		return f(ctx, c, p, vault)
	})
}

// requestedVault returns the vault of the operation's parameters.
func requestedVault[P inRecoveryVault](c step.Call) (resourceid.VaultID, error) {
	p, err := parametersOf[P](c)
	if err != nil {
		return resourceid.VaultID{}, err
	}
	return parseRecoveryVault(p)
}

func parseRecoveryVault(p inRecoveryVault) (resourceid.VaultID, error) {
	vault, err := resourceid.ParseVaultID(p.recoveryVault(), resourceid.RecoveryServicesVault)
	if err != nil {
		return vault, unreadable(err)
	}
	return vault, nil
}
