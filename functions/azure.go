package main

import (
	"context"
	"fmt"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/arm/dataprotection"
	"azbackupflow/internal/arm/recoveryservices"
	"azbackupflow/internal/autoprotect/decision"
	"azbackupflow/internal/drill/archive"
	"azbackupflow/internal/flow"
	"azbackupflow/internal/jobcache"
	"azbackupflow/internal/ratelimit"
	"azbackupflow/internal/state"
)

// azure is everything that calls Azure Resource Manager.
type azure struct {
	client           *arm.Client
	recoveryServices *recoveryservices.Client
	dataProtection   *dataprotection.Client
	flows            *flow.Registry
	// kept is the archive of the evidence of drills.
	kept *archive.Archive
	// limits returns what is known of Azure's limits.
	limits func(context.Context) ([]ratelimit.Known, error)
}

// rateLimits is the kind of the shared rows that hold allowances.
const rateLimits = "ratelimit"

func newAzure(b *base, store *state.Store) (*azure, error) {
	limiter, err := ratelimit.New(ratelimit.Config{
		Now: b.now, Identity: b.settings.ClientID, Assumptions: b.timing.rateLimits, Store: state.SharedRows{Store: store, Kind: rateLimits}, Log: b.log,
	})
	if err != nil {
		return nil, err
	}
	client, err := newARM(b, limiter)
	if err != nil {
		return nil, err
	}
	jobs, err := jobcache.New(jobcache.Config{
		Store: state.SharedRows{Store: store, Kind: "jobs"}, Now: b.now, NewID: b.newID, Waits: b.timing.waits, SpeedFactor: b.timing.speedFactor,
		MinGap: flow.JobPace(limiter), Log: b.log,
	})
	if err != nil {
		return nil, err
	}
	az := &azure{client: client, recoveryServices: recoveryservices.New(client), dataProtection: dataprotection.New(client)}
	az.limits = func(ctx context.Context) ([]ratelimit.Known, error) {
		shared := map[string][]byte{}
		for row, err := range store.ListShared(ctx, rateLimits) {
			if err != nil {
				return nil, err
			}
			shared[row.Key] = row.Value
		}
		return limiter.Known(shared), nil
	}
	if az.kept, err = newArchive(b); err != nil {
		return nil, err
	}
	az.flows, err = flow.New(flow.Config{
		Evidence: evidenceWriter(b, az.kept),
		ARM:      client, Now: b.now, ClockSkew: b.timing.scale(flow.DefaultClockSkew),
		Guardrails: flow.Guardrails{Delete: b.settings.AllowDelete, RestoreTargets: b.settings.RestoreTargets, DrillTargets: b.settings.DrillTargets, GuardedFlows: b.settings.GuardedFlows},
		Jobs:       jobs,
		Exclude: func(ctx context.Context, x flow.Exclusion) error {
			return store.SaveExclusion(ctx, decision.Exclusion(x))
		},
		Excluded: func(ctx context.Context, resourceID string) (flow.Exclusion, bool, error) {
			x, found, err := store.LoadExclusion(ctx, resourceID)
			return flow.Exclusion(x), found, err
		},
		Include: store.DeleteExclusion,
	})
	return az, err
}

// newARM returns the client of Azure Resource Manager. It authenticates as the
// app's managed identity; the app has no secret.
func newARM(b *base, limiter *ratelimit.Limiter) (*arm.Client, error) {
	credential, err := newCredential(b)
	if err != nil {
		return nil, err
	}
	return arm.New(arm.Config{
		Cloud: b.settings.Cloud, Endpoint: b.settings.ARMEndpoint, Audience: b.settings.ARMAudience, TrustedHosts: b.settings.ARMTrustedHosts,
		Credential: credential, Now: b.now, Observe: b.telemetry.StartARMCall, Limiter: limiter,
	})
}

// newCredential returns the app's managed identity.
func newCredential(b *base) (azcore.TokenCredential, error) {
	options := &azidentity.ManagedIdentityCredentialOptions{}
	if b.settings.ClientID != "" {
		options.ID = azidentity.ClientID(b.settings.ClientID)
	}
	credential, err := azidentity.NewManagedIdentityCredential(options)
	if err != nil {
		return nil, fmt.Errorf("managed identity: %w", err)
	}
	return credential, nil
}
