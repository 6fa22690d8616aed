package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// galleryPaths are the files and folders that the template gallery of azd asks of a
// repository. One name of each list must exist, in any of galleryFolders.
// Source: https://github.com/microsoft/template-validation-action
var galleryPaths = [][]string{
	{"README.md"},
	{"LICENSE", "LICENSE.md"},
	{"SECURITY.md"},
	{"CONTRIBUTING.md"},
	{"CODE_OF_CONDUCT.md"},
	{"ISSUE_TEMPLATE.md", "ISSUE_TEMPLATE"},
	{"workflows/azure-dev.yaml", "workflows/azure-dev.yml"},
	{"azure.yaml", "azure.yml"},
	{"infra"},
	{".devcontainer"},
}

var galleryFolders = []string{".", ".github", "docs"}

// galleryHeadings are the headings of the second level that the gallery asks of
// README.md, in this order.
var galleryHeadings = []string{"Features", "Getting Started", "Guidance", "Resources"}

// gallerySections lists the headings of the third level in README.md, by the heading
// that they belong to. The gallery's definition of done asks for their content.
var gallerySections = map[string][]string{
	"Getting Started": {"Prerequisites", "Quickstart", "Clean up"},
	"Guidance":        {"Regions", "Costs", "Security"},
}

var (
	picture    = regexp.MustCompile(`!\[[^\]]+\]\([^)]+\.(svg|png)\)`)
	azdCommand = regexp.MustCompile(`(?m)^azd (up|down)\b`)
	service    = regexp.MustCompile(`(?m)^services:\s*$`)
)

// checkGallery returns what the repository at root lacks of the template gallery's
// validation list. The checks that need Azure or GitHub are not among them: the
// topics of the repository, and azd up and azd down from the development container.
func checkGallery(root string) ([]string, error) {
	var complaints []string
	for _, names := range galleryPaths {
		if !slices.ContainsFunc(names, func(name string) bool { return exists(root, name) }) {
			complaints = append(complaints, fmt.Sprintf("the gallery asks for %s; add it", strings.Join(names, " or ")))
		}
	}
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		return nil, fmt.Errorf("read README.md: %w", err)
	}
	complaints = append(complaints, checkReadme(string(readme))...)
	project, err := os.ReadFile(filepath.Join(root, "azure.yaml"))
	if err == nil && !service.Match(project) {
		complaints = append(complaints, "azure.yaml has no services; azd up would deploy nothing")
	}
	if exists(root, "infra") && !exists(root, "infra/main.bicep") {
		complaints = append(complaints, "infra has no main.bicep; azd provision reads it")
	}
	if exists(root, ".devcontainer") && !exists(root, ".devcontainer/devcontainer.json") {
		complaints = append(complaints, ".devcontainer has no devcontainer.json; editors read it")
	}
	return complaints, nil
}

func exists(root, name string) bool {
	return slices.ContainsFunc(galleryFolders, func(folder string) bool {
		_, err := fs.Stat(os.DirFS(root), filepath.ToSlash(filepath.Join(folder, name)))
		return err == nil
	})
}

// checkReadme returns what README.md lacks.
func checkReadme(text string) []string {
	var complaints []string
	sections, order := headings(text)
	last := -1
	for _, name := range galleryHeadings {
		place := slices.Index(order, name)
		switch {
		case place < 0:
			complaints = append(complaints, fmt.Sprintf("README.md: the gallery asks for the heading \"## %s\"; add it", name))
		case place < last:
			complaints = append(complaints, fmt.Sprintf("README.md: \"## %s\" is too early; the order is %s", name, strings.Join(galleryHeadings, ", ")))
		}
		last = max(last, place)
		for _, section := range gallerySections[name] {
			if place >= 0 && !slices.Contains(sections[name], section) {
				complaints = append(complaints, fmt.Sprintf("README.md: \"### %s\" is missing below \"## %s\"", section, name))
			}
		}
	}
	if !picture.MatchString(text) {
		complaints = append(complaints, "README.md: the gallery asks for a picture of the architecture; add one")
	}
	for _, verb := range []string{"up", "down"} {
		if !slices.ContainsFunc(azdCommand.FindAllStringSubmatch(text, -1), func(m []string) bool { return m[1] == verb }) {
			complaints = append(complaints, fmt.Sprintf("README.md: no code block runs \"azd %s\"", verb))
		}
	}
	return complaints
}

// headings returns the headings of the third level by their heading of the second
// level, and the latter in their order.
func headings(text string) (sections map[string][]string, order []string) {
	sections = map[string][]string{}
	current, inCode := "", false
	for line := range strings.Lines(text) {
		if isFence(line) {
			inCode = !inCode
		}
		if inCode {
			continue
		}
		if name, ok := strings.CutPrefix(line, "## "); ok {
			current = strings.TrimSpace(name)
			order = append(order, current)
		}
		if name, ok := strings.CutPrefix(line, "### "); ok {
			sections[current] = append(sections[current], strings.TrimSpace(name))
		}
	}
	return sections, order
}
