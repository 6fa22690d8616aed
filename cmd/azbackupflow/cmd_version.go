package main

import "runtime/debug"

type versionCommand struct{}

// Run shows what this program was built from.
func (v *versionCommand) Run(a *app) error {
	version, goVersion := "unknown", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		version, goVersion = info.Main.Version, info.GoVersion
	}
	if a.json() {
		return a.printJSON(map[string]string{"version": version, "go": goVersion})
	}
	a.say("azbackupflow %s %s", version, goVersion)
	return nil
}
