// Package duration parses and formats durations as people write them: in flags,
// request files, declaration files, settings and queries. There is one syntax for
// all of them.
//
// Durations that Azure sends are not parsed here; see internal/arm/azjson.
package duration

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	iso "github.com/sosodev/duration"
)

// Forms names the forms of Parse for help and errors.
const Forms = "such as 90m, 36h, 7d, 1d12h or PT36H"

// Lengths of the units that vary in the calendar.
const (
	day   = 24 * time.Hour
	week  = 7 * day
	month = 30 * day
	year  = 365 * day
)

// Pattern is the regular expression of the durations that Parse accepts, for JSON
// Schemas.
const Pattern = `^(` + isoForm + `|` + shortForm + `)$`

// The patterns use no classes such as \d, so that they mean the same in every
// dialect.
const (
	isoForm   = `P([0-9]+W|([0-9]+Y)?([0-9]+M)?([0-9]+D)?(T([0-9]+H)?([0-9]+M)?([0-9]+(\.[0-9]+)?S)?)?)`
	shortForm = `([0-9]+(\.[0-9]+)?(ms|[wdhms]))+`
)

var (
	isoDuration   = regexp.MustCompile(`^` + isoForm + `$`)
	shortDuration = regexp.MustCompile(`^` + shortForm + `$`)
	shortPart     = regexp.MustCompile(`([0-9]+(?:\.[0-9]+)?)(ms|[wdhms])`)
)

// maxText bounds the length of a text, in bytes.
const maxText = 100

// Parse parses a duration such as 36h, 7d or 1d12h, or one in ISO 8601 such as
// PT36H or P7D. The units of the short form are w, d, h, m, s and ms in lower
// case. A month of ISO 8601 has 30 days, a year 365 days. ok is false for other
// texts, and for durations that are longer than 292 years.
func Parse(text string) (d time.Duration, ok bool) {
	switch {
	case len(text) > maxText:
		return 0, false
	case shortDuration.MatchString(text):
		return parseShort(text)
	case text == "P" || strings.HasSuffix(text, "T") || !isoDuration.MatchString(text):
		return 0, false
	}
	p, err := iso.Parse(text)
	if err != nil {
		return 0, false
	}
	return sum(p.Years*hours(year) + p.Months*hours(month) + p.Weeks*hours(week) + p.Days*hours(day) + p.Hours + p.Minutes/60 + p.Seconds/3600)
}

func parseShort(text string) (time.Duration, bool) {
	total := 0.0
	for _, part := range shortPart.FindAllStringSubmatch(text, -1) {
		n, err := strconv.ParseFloat(part[1], 64)
		if err != nil {
			return 0, false
		}
		total += n * hours(unit(part[2]))
	}
	return sum(total)
}

func hours(d time.Duration) float64 { return d.Hours() }

// sum returns a number of hours as a duration, in whole microseconds: floating
// point is less exact than a nanosecond. A limit above zero stays one.
func sum(total float64) (time.Duration, bool) {
	if total >= math.MaxInt64/float64(time.Hour) {
		return 0, false
	}
	d := time.Duration(math.Round(total*float64(time.Hour/time.Microsecond))) * time.Microsecond
	if total > 0 {
		d = max(d, time.Microsecond)
	}
	return d, true
}

func unit(name string) time.Duration {
	switch name {
	case "w":
		return week
	case "d":
		return day
	case "h":
		return time.Hour
	case "m":
		return time.Minute
	case "s":
		return time.Second
	}
	return time.Millisecond
}

// ISO formats a duration in ISO 8601, such as PT36H or P7D.
func ISO(d time.Duration) string {
	if d > 0 && d%day == 0 {
		return fmt.Sprintf("P%dD", d/day)
	}
	text := "PT"
	if hours := d / time.Hour; hours > 0 {
		text += fmt.Sprintf("%dH", hours)
	}
	if minutes := d % time.Hour / time.Minute; minutes > 0 {
		text += fmt.Sprintf("%dM", minutes)
	}
	if seconds := d % time.Minute; seconds > 0 || text == "PT" {
		text += strconv.FormatFloat(seconds.Seconds(), 'f', -1, 64) + "S"
	}
	return text
}
