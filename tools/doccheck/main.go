// Command doccheck reports what a reader of this repository would stumble over.
//
//	doccheck <folder>
//
// reads every Markdown file below the folder and reports links to files or
// headings that do not exist, make targets that the Makefile does not have,
// architecture decision records that lack a heading or are not listed, and lines of
// templates that docs/policies.md quotes and that do not exist.
//
//	doccheck -prose <path>...
//
// reads the comments, string literals and names of Go files, and the text of
// pages, YAML, JSON schemas, Bicep files, scripts and Makefiles, and reports
// wordings to avoid (see words.go), each with a replacement. There is no list
// of exceptions. It skips texts that quote Azure: the simulators' string
// literals, testdata folders, and text in quotation marks or backquotes.
//
//	doccheck -names <path>...
//
// reports tests that are not named TestSubject_Behaviour.
//
//	doccheck -gallery <folder>
//
// reports what the repository lacks of the validation list of azd's template
// gallery.
//
// It exits with 1 if it reports anything.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	onlyProse := flag.Bool("prose", false, "Check wordings below the given paths.")
	onlyNames := flag.Bool("names", false, "Check the names of tests below the given paths.")
	onlyGallery := flag.Bool("gallery", false, "Check the given folder against the template gallery's validation list.")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: doccheck <folder>\n       doccheck -prose <path>...\n       doccheck -names <path>...\n       doccheck -gallery <folder>")
		os.Exit(2)
	}
	flag.Parse()
	var complaints []string
	var err error
	switch {
	case *onlyProse && flag.NArg() > 0:
		complaints, err = checkProse(flag.Args(), words)
	case *onlyNames && flag.NArg() > 0:
		complaints, err = checkTestNames(flag.Args())
	case *onlyGallery && flag.NArg() == 1:
		complaints, err = checkGallery(flag.Arg(0))
	case !*onlyProse && !*onlyNames && flag.NArg() == 1:
		complaints, err = checkPages(flag.Arg(0))
	default:
		flag.Usage()
	}
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

// checkPages returns the complaints about the Markdown files below root.
func checkPages(root string) ([]string, error) {
	links, err := checkLinks(root)
	if err != nil {
		return nil, err
	}
	records, err := checkRecords(root)
	if err != nil {
		return nil, err
	}
	quotes, err := checkQuotes(root)
	return append(append(links, records...), quotes...), err
}
