package main

import (
	"runtime/debug"
)

// version is set by the linker when the program is built by make.
var version = ""

// programVersion returns the version of the program: the one that the linker has
// set, or that of the Go module, or the commit that it was built from.
func programVersion(set string, info *debug.BuildInfo) string {
	if set != "" {
		return set
	}
	if info == nil {
		return "unknown"
	}
	if info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && s.Value != "" {
			return s.Value
		}
	}
	return "dev"
}

type versionCommand struct{}

// Run shows the version of the program and of Go.
func (versionCommand) Run(a *app) error {
	info, _ := debug.ReadBuildInfo()
	goVersion := ""
	if info != nil {
		goVersion = info.GoVersion
	}
	v := programVersion(version, info)
	if a.out.Structured() {
		return a.out.Data(map[string]string{"version": v, "go": goVersion})
	}
	a.out.Line("azbackupflow %s %s", v, goVersion)
	return nil
}
