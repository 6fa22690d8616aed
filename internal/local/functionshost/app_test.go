package functionshost

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	queueFunction = `{"bindings":[{"type":"serviceBusTrigger","direction":"in","name":"message","queueName":"%QUEUE%","connection":"ServiceBusConnection"}]}`
	timerFunction = `{"bindings":[{"type":"timerTrigger","direction":"in","name":"timer","schedule":"%SWEEP%"}]}`
	eventFunction = `{"bindings":[{"type":"eventGridTrigger","direction":"in","name":"event"}]}`
	httpFunction  = `{"bindings":[{"type":"httpTrigger","direction":"in","name":"req","authLevel":"function","methods":["get","post"],"route":"operations/{id?}"},{"type":"http","direction":"out","name":"res"}]}`
)

func TestLoad_ReadsFunctionsOneLevelBelowHostJSON(t *testing.T) {
	t.Parallel()
	root := newApp(t, `{"version":"2.0","functionTimeout":"00:10:00",
		"extensionBundle":{"id":"Microsoft.Azure.Functions.ExtensionBundle","version":"[4.*, 5.0.0)"},
		"customHandler":{"description":{"defaultExecutablePath":"handler","arguments":["-x"]},"enableForwardingHttpRequest":true},
		"extensions":{"http":{"routePrefix":""},"serviceBus":{"maxConcurrentCalls":3,"maxAutoLockRenewalDuration":"00:00:30"}}}`,
		map[string]string{"run-step": queueFunction, "sweep": timerFunction, "api": httpFunction, "deep/er": queueFunction})
	write(t, filepath.Join(root, "README.md"), "not a function")
	app, err := Load(root)
	require.NoError(t, err)
	require.Equal(t, filepath.Join(root, "handler"), app.Host.Executable)
	require.Equal(t, []string{"-x"}, app.Host.Arguments)
	require.True(t, app.Host.ForwardHTTP)
	require.False(t, app.Host.ProxyHTTP)
	require.Empty(t, app.Host.RoutePrefix)
	require.Equal(t, 10*time.Minute, app.Host.FunctionTimeout)
	require.Equal(t, 3, app.Host.MaxConcurrentCalls)
	require.Equal(t, 30*time.Second, app.Host.MaxLockRenewal)
	var names []string
	for _, function := range app.Functions {
		names = append(names, function.Name)
	}
	require.Equal(t, []string{"api", "run-step", "sweep"}, names)

	require.ErrorContains(t, Layout(root), "deep/er/function.json is not found by the host")
	require.NoError(t, os.RemoveAll(filepath.Join(root, "deep")))
	require.NoError(t, Layout(root))
}

func TestLoad_UsesTheHostsDefaults(t *testing.T) {
	t.Parallel()
	app, err := Load(newApp(t, plainHostJSON, nil))
	require.NoError(t, err)
	require.Equal(t, "api", app.Host.RoutePrefix)
	require.Equal(t, 30*time.Minute, app.Host.FunctionTimeout)
	require.Equal(t, 5*time.Minute, app.Host.MaxLockRenewal)
	require.Positive(t, app.Host.MaxConcurrentCalls)
	require.ErrorContains(t, Layout(app.Root), "no function found")
}

func TestLayout_RequiresABundleForItsTriggers(t *testing.T) {
	t.Parallel()
	const noBundle = `{"version":"2.0","customHandler":{"description":{"defaultExecutablePath":"handler"}}}`
	require.NoError(t, Layout(newApp(t, noBundle, map[string]string{"sweep": timerFunction, "api": httpFunction})))
	require.ErrorContains(t, Layout(newApp(t, noBundle, map[string]string{"run-step": queueFunction})), "extensionBundle")
}

func TestLoad_NamesAllProblemsOfHostJSON(t *testing.T) {
	t.Parallel()
	root := newApp(t, `{"version":"1","functionTimeout":"5m","customHandler":{"description":{}},
		"extensions":{"serviceBus":{"prefetchCount":9,"autoCompleteMessages":true,"maxConcurrentCalls":0,"maxAutoLockRenewalDuration":"x"}}}`, nil)
	_, err := Load(root)
	for _, want := range []string{"version", "functionTimeout", "defaultExecutablePath", "prefetchCount", "autoCompleteMessages", "maxConcurrentCalls", "maxAutoLockRenewalDuration"} {
		require.ErrorContains(t, err, want)
	}
	_, err = Load(t.TempDir())
	require.ErrorContains(t, err, "host.json")
	_, err = Load(filepath.Join(root, "missing"))
	require.Error(t, err)
}

func TestLoad_RequiresAnExecutableInTheApp(t *testing.T) {
	t.Parallel()
	root := newApp(t, plainHostJSON, nil)
	write(t, filepath.Join(root, "data"), "not executable")
	for path, want := range map[string]string{"./handler": "./", "../handler": "outside", "gone": "find the handler program", "data": "not executable", ".": "not a file"} {
		write(t, filepath.Join(root, "host.json"), strings.Replace(plainHostJSON, `"handler"`, `"`+path+`"`, 1))
		_, err := Load(root)
		require.ErrorContains(t, err, want, path)
	}
}

func TestLoad_RejectsInvalidFunctionsByName(t *testing.T) {
	t.Parallel()
	binding := func(fields string) string { return `{"bindings":[{` + fields + `}]}` }
	cases := map[string]struct{ folder, file, want string }{
		"an invalid folder name":     {"1st", queueFunction, "folder's name"},
		"the name host":              {"Host", queueFunction, "folder's name"},
		"no trigger":                 {"f", binding(`"type":"http","direction":"out","name":"res"`), "0 triggers"},
		"not JSON":                   {"f", `{`, "function.json"},
		"an unknown type":            {"f", binding(`"type":"queueTrigger","direction":"in","name":"m"`), "is not supported"},
		"a bad binding name":         {"f", binding(`"type":"eventGridTrigger","direction":"in","name":"a-b"`), "not a binding name"},
		"a trigger that goes out":    {"f", binding(`"type":"eventGridTrigger","direction":"out","name":"e"`), "direction"},
		"a queue without a name":     {"f", binding(`"type":"serviceBusTrigger","direction":"in","name":"m"`), "queueName"},
		"many messages at a time":    {"f", binding(`"type":"serviceBusTrigger","direction":"in","name":"m","queueName":"q","cardinality":"many"`), "cardinality"},
		"sessions":                   {"f", binding(`"type":"serviceBusTrigger","direction":"in","name":"m","queueName":"q","isSessionsEnabled":true`), "sessions"},
		"no settlement":              {"f", binding(`"type":"serviceBusTrigger","direction":"in","name":"m","queueName":"q","autoCompleteMessages":false`), "cannot settle"},
		"a timer without a schedule": {"f", binding(`"type":"timerTrigger","direction":"in","name":"t"`), "schedule is missing"},
		"a cron of five fields":      {"f", binding(`"type":"timerTrigger","direction":"in","name":"t","schedule":"*/5 * * * *"`), "5 fields"},
		"a bad route":                {"f", binding(`"type":"httpTrigger","direction":"in","name":"r","route":"{*a}/b"`), "route"},
		"a bad authLevel":            {"f", binding(`"type":"httpTrigger","direction":"in","name":"r","authLevel":"user"`), "authLevel"},
		"a name that is there twice": {"f", `{"bindings":[{"type":"httpTrigger","direction":"in","name":"r"},{"type":"http","direction":"out","name":"R"}]}`, "twice"},
	}
	for name, c := range cases {
		_, err := Load(newApp(t, plainHostJSON, map[string]string{c.folder: c.file}))
		require.ErrorContains(t, err, c.want, name)
		require.ErrorContains(t, err, "function "+c.folder, name)
	}
	_, err := Load(newApp(t, plainHostJSON, map[string]string{"sweep": timerFunction, "Sweep": timerFunction}))
	require.ErrorContains(t, err, "differ only in case")
}

func TestDuration_ParsesDotNetTimeSpans(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"": time.Hour, "-1": 0, "00:05:00": 5 * time.Minute, "1.02:00:00": 26 * time.Hour, "00:00:00.250": 250 * time.Millisecond,
	} {
		got, err := duration(text, time.Hour)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for _, text := range []string{"5m", "24:00:00", "00:60:00", "00:00:60", "x.00:00:00", "00:00", "-00:00:01"} {
		_, err := duration(text, 0)
		require.Error(t, err, text)
	}
}

func TestSettings_OverrideEnvironmentAndFile(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	write(t, filepath.Join(root, "local.settings.json"), `{"IsEncrypted":false,"Values":{"A":"file","B":"file","C":"file"}}`)
	s, err := loadSettings(root, []string{"A=environment", "B=environment", "=odd"}, map[string]string{"A": "configured"})
	require.NoError(t, err)
	require.Equal(t, []string{"A=configured", "B=environment", "C=file"}, s.environment())
	resolved, err := s.resolve("%a%-%C%/100% sure")
	require.NoError(t, err)
	require.Equal(t, "configured-file/100% sure", resolved)
	_, err = s.resolve("%GONE%")
	require.ErrorContains(t, err, `setting "GONE" not found`)

	write(t, filepath.Join(root, "local.settings.json"), `{"IsEncrypted":true}`)
	_, err = loadSettings(root, nil, nil)
	require.ErrorContains(t, err, "encrypted")
}

func TestSettings_FindAConnectionByName(t *testing.T) {
	t.Parallel()
	s := settings{"ServiceBusConnection": "direct", "AzureWebJobsServiceBus": "default", "ByIdentity__fullyQualifiedNamespace": "x.servicebus.windows.net"}
	for name, want := range map[string]string{"ServiceBusConnection": "direct", "": "default"} {
		got, err := s.connection(name)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	_, err := s.connection("ByIdentity")
	require.ErrorContains(t, err, "identity")
	_, err = s.connection("Gone")
	require.ErrorContains(t, err, "Gone")
}

func TestSettings_DisableAFunction(t *testing.T) {
	t.Parallel()
	s := settings{"AzureWebJobs.sweep.Disabled": "True", "AzureWebJobs_api_Disabled": "1", "AzureWebJobs.run-step.Disabled": "false"}
	require.True(t, s.disabled("sweep"))
	require.True(t, s.disabled("api"))
	require.False(t, s.disabled("run-step"))
}

func TestNew_RequiresTheSettingsOfBindings(t *testing.T) {
	t.Parallel()
	for name, function := range map[string]string{"run-step": queueFunction, "sweep": timerFunction} {
		_, err := newHost(Config{Root: newApp(t, plainHostJSON, map[string]string{name: function}), Settings: map[string]string{"ServiceBusConnection": "x"}})
		require.ErrorContains(t, err, "function "+name)
		require.ErrorContains(t, err, "setting")
	}
}
