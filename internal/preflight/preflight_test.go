package preflight_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/stretchr/testify/require"

	"azbackupflow/internal/arm"
	"azbackupflow/internal/local/armsim"
	"azbackupflow/internal/preflight"
	"azbackupflow/internal/roles"
	"azbackupflow/internal/settings"
)

// site is a simulated Azure with one of everything that the preflight looks at.
type site struct {
	*armsim.Simulator
	cfg preflight.Config
}

func newSite(t *testing.T) *site {
	t.Helper()
	world := armsim.DemoWorld()
	vault, backups := world.Vaults[0].ID(), world.BackupVaults[0].ID()
	account := &world.StorageAccounts[0]
	account.RegisteredWith, account.Shares[0].Policy = vault, "schedule1"
	sim, err := armsim.New(armsim.Config{World: &world})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, sim.Close()) })
	s := &site{Simulator: sim}
	client, err := arm.New(arm.Config{Endpoint: sim.Endpoint(), Credential: s, Now: time.Now})
	require.NoError(t, err)
	s.cfg = preflight.Config{
		ARM: client, Vaults: []string{vault, backups}, ServiceBusID: armsim.DemoServiceBus, AllowDelete: true,
		RestoreTargets: []string{world.FlexibleServers[0].ID(), "https://testossstorageaccount.blob.core.windows.net/testcontainerrestore"},
		Queues:         []string{"requests", "steps", "rejected"},
		Tables:         func(context.Context) error { return nil },
		Bus:            func(context.Context, string) error { return nil },
		Settings:       func() error { return nil },
		Protectable:    func(context.Context) (preflight.Protectable, error) { return preflight.Protectable{}, nil },
	}
	return s
}

// GetToken returns a token that the simulator accepts.
func (s *site) GetToken(context.Context, policy.TokenRequestOptions) (azcore.AccessToken, error) {
	return azcore.AccessToken{Token: s.Token(), ExpiresOn: time.Date(2999, 1, 1, 0, 0, 0, 0, time.UTC)}, nil
}

func (s *site) check(t *testing.T) preflight.Report {
	t.Helper()
	p, err := preflight.New(s.cfg)
	require.NoError(t, err)
	return p.Check(t.Context())
}

// wrong returns the failed findings.
func wrong(r preflight.Report) (all []preflight.Finding) {
	for _, f := range r.Findings {
		if !f.OK {
			all = append(all, f)
		}
	}
	return all
}

// missing returns what the findings miss, without duplicates.
func missing(findings []preflight.Finding) (all []string) {
	for _, f := range findings {
		all = append(all, f.Missing...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func TestCheck_CompleteSetupPasses(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	report := s.check(t)
	require.True(t, report.OK, "%+v", wrong(report))
	require.Empty(t, wrong(report))
	subjects := map[string]int{}
	for _, f := range report.Findings {
		subjects[f.Check]++
	}
	require.Equal(t, map[string]int{"tables": 1, "bus": 3, "queue": 3, "permissions": 5, "vault identity": 3}, subjects)
}

// The finding for each denied action names the action, the role that grants it
// and the scope, and there is no other finding.
func TestCheck_NamesEachMissingPermissionAndNoOther(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, p := range roles.Table() {
		restore := s.DenyAction(p.Action)
		report := s.check(t)
		found := wrong(report)
		restore()
		if p.Role == roles.VirtualMachines || p.Role == roles.Datasources || p.On == roles.DrillTarget || p.On == roles.TaggedSubscription {
			require.Empty(t, found, "%s is off by default", p.Action)
			continue
		}
		require.NotEmpty(t, found, p.Action)
		require.Equal(t, []string{p.Action}, missing(found), p.Action)
		for _, passed := range report.Findings {
			denied := passed.Check == found[0].Check && passed.Subject == found[0].Subject
			require.False(t, denied && passed.OK, "%s passes without %s", passed.Subject, p.Action)
		}
		for _, f := range found {
			require.NotEmpty(t, f.Do, p.Action)
			require.Contains(t, f.Do, p.Action)
			require.Contains(t, f.Do, f.Subject)
		}
	}
}

func TestCheck_DisabledFeaturesNeedNoPermission(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.cfg.AllowDelete, s.cfg.RestoreTargets = false, nil
	for _, p := range roles.Delete.Permissions() {
		s.DenyAction(p.Action)
	}
	require.True(t, s.check(t).OK)
	s.cfg.AllowDelete = true
	require.Equal(t, []string{
		"Microsoft.DataProtection/backupVaults/backupInstances/delete",
		"Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/delete",
		"Microsoft.RecoveryServices/Vaults/backupFabrics/protectionContainers/protectedItems/delete",
	}, missing(wrong(s.check(t))))
}

func TestCheck_NamesEachMissingRoleOfTheVaultIdentity(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for id, name := range map[string]string{
		"acdd72a7-3385-48ef-bd42-f606fba81ae7": "Reader",
		"c088a766-074b-43ba-90d4-1fb21feae531": "PostgreSQL Flexible Server Long Term Retention Backup Role",
		"ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
	} {
		restore := s.RemoveRole(id)
		found := wrong(s.check(t))
		restore()
		require.Len(t, found, 1, name)
		require.Equal(t, []string{name}, found[0].Missing)
		require.Contains(t, found[0].Do, `"`+name+`" on `+found[0].Subject)
		require.Contains(t, found[0].Do, "TestBkpVault")
	}
}

func TestCheck_NamesEachWrongQueueProperty(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for property, value := range map[string]any{
		"lockDuration": "PT1M", "maxDeliveryCount": 1, "requiresDuplicateDetection": false, "requiresSession": true,
		"deadLetteringOnMessageExpiration": false, "enablePartitioning": true, "status": "Disabled",
	} {
		restore := s.SetQueueProperty("steps", property, value)
		found := wrong(s.check(t))
		restore()
		require.Len(t, found, 1, property)
		require.Equal(t, []string{property}, found[0].Missing)
		require.Equal(t, armsim.DemoServiceBus+"/queues/steps", found[0].Subject)
	}
	s.DenyAction("Microsoft.ServiceBus/namespaces/queues/read")
	require.Equal(t, []string{"Microsoft.ServiceBus/namespaces/queues/read"}, missing(wrong(s.check(t))))
}

func TestCheck_NamesEachMissingSettingOrService(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change         func(*preflight.Config)
		check, subject string
		problem        string
	}{
		"no vaults":    {func(c *preflight.Config) { c.Vaults = nil }, "setting", "AZBACKUPFLOW_VAULTS", "is empty"},
		"no vault":     {func(c *preflight.Config) { c.Vaults = append(c.Vaults, "/subscriptions/s") }, "setting", "AZBACKUPFLOW_VAULTS", "contains /subscriptions/s"},
		"no namespace": {func(c *preflight.Config) { c.ServiceBusID = "" }, "setting", "AZBACKUPFLOW_SERVICE_BUS_ID", "is empty"},
		"a setting":    {func(c *preflight.Config) { c.Settings = func() error { return errors.New("OTEL_X is bad") } }, "setting", "OTEL_X", "OTEL_X is bad"},
		"an unknown setting": {func(c *preflight.Config) {
			c.Unknown = []settings.Unknown{{Name: "AZBACKUPFLOW_X", Nearest: "AZBACKUPFLOW_Y"}}
		}, "setting", "AZBACKUPFLOW_X", "does not exist"},
		"a sign-in that nothing checks": {func(c *preflight.Config) {
			c.Roles, c.SignIn = true, errors.New("AZBACKUPFLOW_API_ROLES is true, but App Service authentication is off")
		}, "setting", "AZBACKUPFLOW_API_ROLES", "App Service authentication is off"},
		"tables unavailable":   {func(c *preflight.Config) { c.Tables = func(context.Context) error { return errors.New("timeout") } }, "tables", "AzureWebJobsStorage", "timeout"},
		"a queue unavailable":  {func(c *preflight.Config) { c.Bus = unavailable("steps") }, "bus", "steps", "timeout"},
		"secrets are redacted": {func(c *preflight.Config) { c.Bus = unavailable("steps") }, "bus", "steps", "timeout Bearer ***"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			c.change(&s.cfg)
			found := wrong(s.check(t))
			require.Len(t, found, 1)
			require.Equal(t, c.check, found[0].Check)
			require.Equal(t, c.subject, found[0].Subject)
			require.Contains(t, found[0].Problem, c.problem)
			require.NotEmpty(t, found[0].Do)
		})
	}
}

// The finding about the sign-in names both ways out, and what does not work until
// then. With App Service authentication, or without roles, there is nothing wrong.
func TestCheck_NamesASignInThatNothingChecks(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		environment map[string]string
		finds       []preflight.Finding
	}{
		"roles without App Service authentication": {
			map[string]string{"AZBACKUPFLOW_API_ROLES": "true", "WEBSITE_AUTH_ENABLED": "False"},
			[]preflight.Finding{{
				Check: "setting", Subject: "AZBACKUPFLOW_API_ROLES",
				Do: "Configure App Service authentication, or set AZBACKUPFLOW_API_ROLES to false. Until then the HTTP API refuses every call.",
			}},
		},
		"roles, and the platform says nothing": {
			map[string]string{"AZBACKUPFLOW_API_ROLES": "true"},
			[]preflight.Finding{{
				Check: "setting", Subject: "AZBACKUPFLOW_API_ROLES",
				Do: "Configure App Service authentication, or set AZBACKUPFLOW_API_ROLES to false. Until then the HTTP API refuses every call.",
			}},
		},
		"roles with App Service authentication": {
			map[string]string{"AZBACKUPFLOW_API_ROLES": "true", "WEBSITE_AUTH_ENABLED": "True"},
			[]preflight.Finding{{Check: "setting", Subject: "AZBACKUPFLOW_API_ROLES", OK: true}},
		},
		"roles, and an operator has checked": {
			map[string]string{"AZBACKUPFLOW_API_ROLES": "true", "AZBACKUPFLOW_APP_SERVICE_AUTH_CHECKED": "true"},
			[]preflight.Finding{{Check: "setting", Subject: "AZBACKUPFLOW_API_ROLES", OK: true}},
		},
		"no roles": {map[string]string{}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			read, err := settings.Read(c.environment)
			require.NoError(t, err)
			s := newSite(t)
			s.cfg.Roles, s.cfg.SignIn = read.APIRoles, read.SignInUnchecked()
			report := s.check(t)
			var found []preflight.Finding
			for _, f := range report.Findings {
				if f.Subject == "AZBACKUPFLOW_API_ROLES" {
					require.Equal(t, f.OK, f.Problem == "", "a problem says why")
					if !f.OK {
						require.Contains(t, f.Problem, "WEBSITE_AUTH_ENABLED")
					}
					f.Problem = ""
					found = append(found, f)
				}
			}
			require.Equal(t, c.finds, found)
			require.Equal(t, len(found) == 0 || found[0].OK, report.OK)
		})
	}
}

// unavailable returns a Bus that fails for one queue.
func unavailable(name string) func(context.Context, string) error {
	return func(_ context.Context, queue string) error {
		if queue == name {
			return errors.New("timeout Bearer eyJhbGciOi.abc.def")
		}
		return nil
	}
}

func TestCheck_ContinuesWithoutARM(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.Inject(armsim.Rule{Effect: armsim.AnswerError(503, "ServerBusy", "busy", nil)})
	report := s.check(t)
	require.False(t, report.OK)
	for _, f := range wrong(report) {
		require.Equal(t, "azure resource manager", f.Check)
	}
	require.Len(t, report.Findings, 4+3+2+1, "tables, three queues; their properties; two vaults; a restore target")
}
