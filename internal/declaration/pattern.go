package declaration

import "strings"

// Match reports whether a text is what a pattern means: * stands for any text,
// also none, and ? for one character. Casing matters.
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

// MatchFold is Match without regard to casing.
func MatchFold(pattern, text string) bool {
	return Match(strings.ToLower(pattern), strings.ToLower(text))
}

// foreign stands for any character that a pattern may mean and never names.
const foreign = "\x01"

// Covers reports whether a pattern matches all that another matches. It never
// says so wrongly of patterns of at most 200 characters, and may miss it where
// both have stars in their middle.
func Covers(pattern, other string) bool {
	other = strings.ReplaceAll(other, "?", foreign)
	return Match(pattern, strings.ReplaceAll(other, "*", "")) && Match(pattern, strings.ReplaceAll(other, "*", strings.Repeat(foreign, 1000)))
}
