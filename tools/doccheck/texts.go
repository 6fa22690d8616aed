package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

type kind int

const (
	prose      kind = iota // a comment, a string literal, a paragraph
	docComment             // the doc comment of a declaration
	name                   // a declared Go name
)

// text is a piece of a file that a reader sees.
type text struct {
	kind  kind
	body  string
	first int // line of the first byte of body
}

// line returns the line of the file in which the byte at offset stands.
func (t text) line(offset int) int { return t.first + strings.Count(t.body[:offset], "\n") }

type span struct{ from, to int }

// Files that are not ours, or that are written by programs.
var (
	quotedFolders = []string{"testdata", "specs", "recordings"}
	// Azure's own answers, which the simulators send.
	quotedStrings = []string{"internal/local/armsim/", "internal/local/servicebus/", "internal/fakearm/"}
	quotedFiles   = []string{"tools/doccheck/words.go", "package-lock.json", "go.sum", "latest.json", "LICENSE"}
)

// proseFiles returns the files below the paths that have prose, sorted.
func proseFiles(paths []string) ([]string, error) {
	var files []string
	for _, root := range paths {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case entry.IsDir() && (slices.Contains(skipped, entry.Name()) || slices.Contains(quotedFolders, entry.Name())):
				return fs.SkipDir
			case entry.IsDir() || reader(path) == nil || isQuoted(path, quotedFiles):
				return nil
			}
			files = append(files, path)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("look for prose: %w", err)
		}
	}
	slices.Sort(files)
	return slices.Compact(files), nil
}

// isQuoted reports whether the file at path is named by one of the parts.
func isQuoted(path string, parts []string) bool {
	if abs, err := filepath.Abs(path); err == nil {
		path = abs
	}
	path = filepath.ToSlash(path)
	return slices.ContainsFunc(parts, func(part string) bool {
		return strings.Contains(path, "/"+part) && (strings.HasSuffix(part, "/") || strings.HasSuffix(path, "/"+part))
	})
}

// reader returns the function that reads the texts of a file, by its name; nil
// if the file has no prose.
func reader(path string) func(path string, data []byte) ([]text, error) {
	switch base := filepath.Base(path); filepath.Ext(base) {
	case ".go":
		return goTexts
	case ".md", ".tmpl":
		return pageTexts
	case ".json":
		return jsonTexts
	case ".yaml", ".yml", ".bicep", ".sh", ".ps1", ".js", ".mjs":
		return plainTexts
	default:
		if base == "Makefile" || base == ".gitignore" || base == "run" {
			return plainTexts
		}
		return nil
	}
}

func readTexts(path string) ([]text, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read prose: %w", err)
	}
	return reader(path)(path, data)
}

// goTexts returns the comments, the string literals that have a space, and the
// declared names of a Go file, its own name among them.
func goTexts(path string, data []byte) ([]text, error) {
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, path, data, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", path, err)
	}
	line := func(p token.Pos) int { return files.Position(p).Line }

	base := strings.TrimSuffix(strings.TrimSuffix(filepath.Base(path), ".go"), "_test")
	texts := []text{{name, "_" + fileName(base), 1}}
	docs := docComments(file)
	for _, group := range file.Comments {
		k := prose
		if docs[group] {
			k = docComment
		}
		texts = append(texts, text{k, commentBody(group), line(group.Pos())})
	}
	quoted := isQuoted(path, quotedStrings)
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ImportSpec:
			return false
		case *ast.BasicLit:
			if body, ok := literal(n); ok && !quoted {
				texts = append(texts, text{prose, body, line(n.Pos())})
			}
		case *ast.BinaryExpr:
			if body, ok := sum(n); ok {
				if !quoted {
					texts = append(texts, text{prose, body, line(n.Pos())})
				}
				return false
			}
		}
		for _, id := range declared(n) {
			texts = append(texts, text{name, id.Name, line(id.Pos())})
		}
		return true
	})
	return texts, nil
}

// fileName writes a file's name as a Go name: rate_limit as RateLimit.
func fileName(base string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(base, "_") {
		if part != "" {
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}

// declared returns the names that a node declares.
func declared(n ast.Node) []*ast.Ident {
	switch n := n.(type) {
	case *ast.FuncDecl:
		return []*ast.Ident{n.Name}
	case *ast.TypeSpec:
		return []*ast.Ident{n.Name}
	case *ast.ValueSpec:
		return n.Names
	case *ast.Field:
		return n.Names
	case *ast.AssignStmt:
		var ids []*ast.Ident
		for _, left := range n.Lhs {
			if id, ok := left.(*ast.Ident); ok && n.Tok == token.DEFINE {
				ids = append(ids, id)
			}
		}
		return ids
	default:
		return nil
	}
}

// docComments returns the doc comments of a file's declarations.
func docComments(file *ast.File) map[*ast.CommentGroup]bool {
	docs := map[*ast.CommentGroup]bool{}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			docs[n.Doc] = true
		case *ast.GenDecl:
			docs[n.Doc] = true
		case *ast.TypeSpec:
			docs[n.Doc] = true
		case *ast.ValueSpec:
			docs[n.Doc] = true
		case *ast.Field:
			docs[n.Doc] = true
		}
		return true
	})
	return docs
}

var (
	quotation = regexp.MustCompile("\"[^\"\n]*\"|`[^`\n]*`")
	generated = regexp.MustCompile(`^//(go:|nolint:\S+ ?)`)
)

// commentBody returns the text of a comment, line by line, without quoted
// texts: those are names, code or somebody else's words.
func commentBody(group *ast.CommentGroup) string {
	var lines []string
	for _, c := range group.List {
		body := generated.ReplaceAllString(c.Text, "//")
		body = strings.TrimSuffix(strings.TrimPrefix(body, "/*"), "*/")
		lines = append(lines, strings.TrimPrefix(body, "//"))
	}
	return quotation.ReplaceAllStringFunc(strings.Join(lines, "\n"), blank)
}

// literal returns the value of a string literal that has a space.
func literal(lit *ast.BasicLit) (string, bool) {
	if lit.Kind != token.STRING {
		return "", false
	}
	body, err := strconv.Unquote(lit.Value)
	if err != nil {
		return "", false
	}
	if !strings.HasPrefix(lit.Value, "`") {
		body = strings.ReplaceAll(body, "\n", " ") // one line of the file
	}
	return body, strings.Contains(body, " ")
}

// sum returns the text of string literals that are joined by +, each on lines
// of its own or not. It is false if anything else is added.
func sum(n *ast.BinaryExpr) (string, bool) {
	if n.Op != token.ADD {
		return "", false
	}
	var parts []string
	for _, side := range []ast.Expr{n.X, n.Y} {
		switch side := side.(type) {
		case *ast.BasicLit:
			if side.Kind != token.STRING {
				return "", false
			}
			body, _ := literal(side)
			parts = append(parts, body)
		case *ast.BinaryExpr:
			body, ok := sum(side)
			if !ok {
				return "", false
			}
			parts = append(parts, body)
		default:
			return "", false
		}
	}
	return strings.Join(parts, ""), true
}

var (
	pageCode   = regexp.MustCompile("`[^`]*`")
	linkTarget = regexp.MustCompile(`\]\([^)\n]*\)`)
)

// pageTexts returns the text of a Markdown page without code: commands and
// names are checked where they are defined.
func pageTexts(_ string, data []byte) ([]text, error) {
	lines := strings.Split(string(data), "\n")
	inCode := false
	for i, line := range lines {
		fence := isFence(line)
		switch {
		case fence || inCode:
			lines[i] = ""
		case strings.HasPrefix(line, "#"), strings.HasPrefix(line, "|"):
			// A heading or a table's cell does not start a sentence.
			lines[i] = "\u2060" + strings.TrimLeft(line, "#")
		}
		if fence {
			inCode = !inCode
		}
	}
	body := pageCode.ReplaceAllStringFunc(strings.Join(lines, "\n"), blank)
	return []text{{prose, linkTarget.ReplaceAllStringFunc(body, blank), 1}}, nil
}

var jsonProse = regexp.MustCompile(`"(?:description|title|summary|\$comment|displayName|markdown|content|text)"\s*:\s*"((?:[^"\\]|\\.)*)"`)

// jsonTexts returns the values of a JSON file that a reader sees.
func jsonTexts(_ string, data []byte) ([]text, error) {
	var texts []text
	for _, m := range jsonProse.FindAllSubmatchIndex(data, -1) {
		first := 1 + strings.Count(string(data[:m[2]]), "\n")
		texts = append(texts, text{prose, string(data[m[2]:m[3]]), first})
	}
	return texts, nil
}

var (
	commentMark  = regexp.MustCompile(`^\s*(#|//|\*|/\*)+`)
	trailingMark = regexp.MustCompile(`\s(#|//)\s`)
)

// plainTexts returns a whole file: its blocks of comment lines, and the lines
// between them, which hold descriptions and help texts.
func plainTexts(_ string, data []byte) ([]text, error) {
	var texts []text
	inComment := false
	for i, line := range strings.Split(string(data), "\n") {
		comment := commentMark.MatchString(line) && !strings.HasPrefix(line, "#!")
		line = pageCode.ReplaceAllStringFunc(commentMark.ReplaceAllStringFunc(line, blank), blank)
		line = trailingMark.ReplaceAllString(line, " . ") // a comment after code starts a sentence
		if i == 0 || comment != inComment {
			texts = append(texts, text{prose, line, i + 1})
		} else {
			texts[len(texts)-1].body += "\n" + line
		}
		inComment = comment
	}
	return texts, nil
}

// blank returns spaces in place of s, and keeps its lines.
func blank(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' {
			return r
		}
		return ' '
	}, s)
}
