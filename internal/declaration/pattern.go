package declaration

import "strings"

// Match reports whether a pattern matches a text: * matches any text, including
// the empty one, and ? matches one character. Case matters.
func Match(pattern, text string) bool {
	p, t := []rune(pattern), []rune(text)
	star, back := -1, 0
	i, j := 0, 0
	for j < len(t) {
		switch {
		case i < len(p) && p[i] == '*':
			star, back = i, j
			i++
		case i < len(p) && (p[i] == '?' || p[i] == t[j]):
			i, j = i+1, j+1
		case star >= 0:
			back++
			i, j = star+1, back
		default:
			return false
		}
	}
	for i < len(p) && p[i] == '*' {
		i++
	}
	return i == len(p)
}

// MatchFold is like Match but ignores case.
func MatchFold(pattern, text string) bool {
	return Match(strings.ToLower(pattern), strings.ToLower(text))
}

// foreign is a character that no pattern contains literally.
const foreign = "\x01"

// Covers reports whether a pattern matches every text that another pattern
// matches. For patterns of at most 200 characters, true is always correct; false
// may be wrong if both patterns have stars in the middle.
func Covers(pattern, other string) bool {
	other = strings.ReplaceAll(other, "?", foreign)
	return Match(pattern, strings.ReplaceAll(other, "*", "")) && Match(pattern, strings.ReplaceAll(other, "*", strings.Repeat(foreign, 1000)))
}
