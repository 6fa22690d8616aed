// Command recording records a program at a terminal, and draws the recording as an
// animated SVG.
//
//	recording record <name> <program> <argument>...
//
// runs the program at a pseudo-terminal and writes <name>.cast, in the format
// asciicast v2. Long pauses are shortened.
//
//	recording draw <name>
//
// draws <name>.svg from <name>.cast. The same recording results in the same picture.
package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "recording:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	switch {
	case len(args) >= 3 && args[0] == "record":
		c, err := record(context.Background(), args[2:], time.Now) //nolint:forbidigo // the only place where the program reads the real clock
		if err != nil {
			return err
		}
		return c.write(args[1] + ".cast")
	case len(args) == 2 && args[0] == "draw":
		picture, err := draw(args[1] + ".cast")
		if err != nil {
			return err
		}
		return os.WriteFile(args[1]+".svg", []byte(picture), 0o600)
	}
	return fmt.Errorf("usage: recording record NAME PROGRAM ARGUMENT... | recording draw NAME")
}
