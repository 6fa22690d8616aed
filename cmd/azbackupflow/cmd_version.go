package main

import "runtime/debug"

type versionCommand struct{}

// Run shows the version of the program and of Go.
func (versionCommand) Run(a *app) error {
	version, goVersion := "unknown", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		version, goVersion = info.Main.Version, info.GoVersion
	}
	if a.out.Structured() {
		return a.out.Data(map[string]string{"version": version, "go": goVersion})
	}
	a.out.Line("azbackupflow %s %s", version, goVersion)
	return nil
}
