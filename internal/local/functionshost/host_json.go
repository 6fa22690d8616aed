package functionshost

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Defaults of host.json.
const (
	defaultRoutePrefix     = "api"
	defaultFunctionTimeout = 30 * time.Minute
	defaultMaxLockRenewal  = 5 * time.Minute
	callsPerCore           = 16
)

// HostFile holds the values of host.json that the stand-in uses
// (https://learn.microsoft.com/azure/azure-functions/functions-host-json).
type HostFile struct {
	// Executable is the absolute path of the custom handler program.
	Executable string
	// Arguments are passed to it.
	Arguments []string
	// ProxyHTTP and ForwardHTTP report whether HTTP functions receive the original
	// request, streamed or buffered.
	ProxyHTTP, ForwardHTTP bool
	// HasBundle reports whether an extension bundle is set.
	HasBundle bool
	// RoutePrefix precedes the routes of HTTP functions, "api" by default.
	RoutePrefix string
	// FunctionTimeout limits an invocation; 0 means unlimited.
	FunctionTimeout time.Duration
	// MaxConcurrentCalls limits the messages in progress of one queue trigger.
	MaxConcurrentCalls int
	// MaxLockRenewal limits the time in which a message's lock is renewed.
	MaxLockRenewal time.Duration
	// LogLevels are the levels of logging.logLevel, by prefix of a category.
	LogLevels map[string]slog.Level
}

// hostJSON is the part of host.json that the stand-in reads.
type hostJSON struct {
	Version         string
	FunctionTimeout string
	ExtensionBundle struct{ ID, Version string }
	CustomHandler   struct {
		Description struct {
			DefaultExecutablePath string
			Arguments             []string
		}
		EnableForwardingHTTPRequest bool
		EnableProxyingHTTPRequest   bool
	}
	Logging struct {
		LogLevel map[string]string
	}
	Extensions struct {
		HTTP struct {
			RoutePrefix *string
		}
		ServiceBus struct {
			PrefetchCount              int
			AutoCompleteMessages       *bool
			MaxAutoLockRenewalDuration string
			MaxConcurrentCalls         *int
		}
	}
}

// loadHostFile reads and checks host.json in root.
func loadHostFile(root string) (HostFile, error) {
	var file hostJSON
	if err := readJSON(filepath.Join(root, "host.json"), &file); err != nil {
		return HostFile{}, err
	}
	host := HostFile{
		Arguments:          file.CustomHandler.Description.Arguments,
		ProxyHTTP:          file.CustomHandler.EnableProxyingHTTPRequest,
		ForwardHTTP:        file.CustomHandler.EnableForwardingHTTPRequest,
		HasBundle:          file.ExtensionBundle.ID != "" && file.ExtensionBundle.Version != "",
		RoutePrefix:        defaultRoutePrefix,
		MaxConcurrentCalls: callsPerCore * runtime.NumCPU(),
	}
	if file.Extensions.HTTP.RoutePrefix != nil {
		host.RoutePrefix = strings.Trim(*file.Extensions.HTTP.RoutePrefix, "/")
	}
	bus := file.Extensions.ServiceBus
	if bus.MaxConcurrentCalls != nil {
		host.MaxConcurrentCalls = *bus.MaxConcurrentCalls
	}
	var problems []error
	problem := func(format string, args ...any) { problems = append(problems, fmt.Errorf(format, args...)) }
	if file.Version != "2.0" {
		problem("version is %q; set \"2.0\"", file.Version)
	}
	if bus.PrefetchCount != 0 {
		problem("serviceBus.prefetchCount is %d; set 0, because prefetched messages lose their locks while they wait", bus.PrefetchCount)
	}
	if bus.AutoCompleteMessages != nil {
		problem("serviceBus.autoCompleteMessages has no effect on a custom handler; remove it")
	}
	if host.MaxConcurrentCalls < 1 {
		problem("serviceBus.maxConcurrentCalls is %d; set at least 1", host.MaxConcurrentCalls)
	}
	var err error
	if host.FunctionTimeout, err = duration(file.FunctionTimeout, defaultFunctionTimeout); err != nil {
		problem("functionTimeout: %w", err)
	}
	if host.MaxLockRenewal, err = duration(bus.MaxAutoLockRenewalDuration, defaultMaxLockRenewal); err != nil {
		problem("serviceBus.maxAutoLockRenewalDuration: %w", err)
	}
	if host.LogLevels, err = parseLevels(file.Logging.LogLevel); err != nil {
		problem("%w", err)
	}
	if host.Executable, err = executable(root, file.CustomHandler.Description.DefaultExecutablePath); err != nil {
		problem("customHandler.description.defaultExecutablePath: %w", err)
	}
	if err := errors.Join(problems...); err != nil {
		return HostFile{}, fmt.Errorf("host.json: %w", err)
	}
	return host, nil
}

// executable returns the handler's path below root. It returns an error if the file
// is not executable.
func executable(root, path string) (string, error) {
	if path == "" {
		return "", errors.New("missing; set the name of the program")
	}
	if strings.HasPrefix(path, "./") || strings.HasPrefix(path, `.\`) {
		return "", fmt.Errorf("%q begins with ./; remove it, because the tools that set the executable bit compare the path literally", path)
	}
	if !filepath.IsLocal(path) {
		return "", fmt.Errorf("%q is outside of the app's folder; set a path in it", path)
	}
	full := filepath.Join(root, path)
	info, err := os.Stat(full)
	if err != nil {
		return "", fmt.Errorf("find the handler program: %w", err)
	}
	if !info.Mode().IsRegular() {
		return "", fmt.Errorf("%q is not a file", path)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm()&0o111 == 0 {
		return "", fmt.Errorf("%q is not executable (mode %v)", path, info.Mode().Perm())
	}
	return full, nil
}

// duration parses a .NET time span, [days.]hours:minutes:seconds[.fraction]. It
// returns the default for an empty text and 0, no limit, for -1.
func duration(text string, otherwise time.Duration) (time.Duration, error) {
	switch text {
	case "":
		return otherwise, nil
	case "-1":
		return 0, nil
	}
	bad := fmt.Errorf("%q is not a time span; set one such as 00:05:00", text)
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return 0, bad
	}
	var days uint64
	if before, after, found := strings.Cut(parts[0], "."); found {
		n, err := strconv.ParseUint(before, 10, 16)
		if err != nil {
			return 0, bad
		}
		days, parts[0] = n, after
	}
	hours, err1 := strconv.ParseUint(parts[0], 10, 8)
	minutes, err2 := strconv.ParseUint(parts[1], 10, 8)
	seconds, err3 := strconv.ParseFloat(parts[2], 64)
	if errors.Join(err1, err2, err3) != nil || hours > 23 || minutes > 59 || seconds < 0 || seconds >= 60 {
		return 0, bad
	}
	whole := time.Duration(days*24+hours)*time.Hour + time.Duration(minutes)*time.Minute
	return whole + time.Duration(seconds*float64(time.Second)), nil
}

// readJSON decodes a JSON file. Names of fields ignore case, as in the host.
func readJSON(path string, into any) error {
	raw, err := os.ReadFile(filepath.Clean(path))
	if err != nil {
		return fmt.Errorf("read %s: %w", filepath.Base(path), err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("parse %s: %w", filepath.Base(path), err)
	}
	return nil
}
