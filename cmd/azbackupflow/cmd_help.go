package main

// helpCommand shows the help of a command, as --help does. The function run
// carries it out, because it needs the parser.
type helpCommand struct {
	Command []string `arg:"" optional:"" complete:"command" help:"Command to explain, such as rejected list."`
}
