// Command doccheck reads every Markdown file below a folder and reports what a
// reader would stumble over: links to files or headings of the repository that
// are not there, and make targets that the Makefile does not have.
//
// Usage: doccheck <folder>
package main

import (
	"fmt"
	"os"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: doccheck <folder>")
		os.Exit(2)
	}
	complaints, err := check(os.Args[1])
	if err != nil {
		fmt.Fprintln(os.Stderr, "doccheck:", err)
		os.Exit(2)
	}
	for _, c := range complaints {
		fmt.Println(c)
	}
	if len(complaints) > 0 {
		os.Exit(1)
	}
}
