package cli

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/sosodev/duration"
)

// DurationForms names the forms of ParseDuration for help and errors.
const DurationForms = "such as 90m, 36h, 7d, 1d12h or PT36H"

const day = 24 * time.Hour

var (
	shortDuration = regexp.MustCompile(`^(?i:(\d+(?:\.\d+)?(?:ms|[wdhms]))+)$`)
	durationPart  = regexp.MustCompile(`(?i)(\d+(?:\.\d+)?)(ms|[wdhms])`)
	// isoDuration leaves out years and months, which have no fixed length.
	isoDuration = regexp.MustCompile(`^P(\d+W|(\d+D)?(T(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?)$`)
)

// ParseDuration parses a duration such as 36h, 7d or 1d12h, or an ISO 8601
// duration of weeks or less such as PT36H. ok is false for other texts, and for
// durations that are too long.
func ParseDuration(text string) (d time.Duration, ok bool) {
	if isoDuration.MatchString(text) && text != "P" && !strings.HasSuffix(text, "T") {
		parsed, err := duration.Parse(text)
		if err != nil || tooLong(parsed.Weeks*7*24+parsed.Days*24+parsed.Hours+parsed.Minutes/60+parsed.Seconds/3600) {
			return 0, false
		}
		return parsed.ToTimeDuration(), true
	}
	if !shortDuration.MatchString(text) {
		return 0, false
	}
	hours := 0.0
	for _, m := range durationPart.FindAllStringSubmatch(text, -1) {
		n, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			return 0, false
		}
		hours += n * durationUnit(m[2]).Hours()
		d += time.Duration(n * float64(durationUnit(m[2])))
	}
	return d, !tooLong(hours)
}

func durationUnit(name string) time.Duration {
	switch strings.ToLower(name) {
	case "w":
		return 7 * day
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

func tooLong(hours float64) bool { return hours > math.MaxInt64/float64(time.Hour) }

// ParseDurationFlag parses the value of a duration flag. An empty value is zero.
func ParseDurationFlag(flag, value string) (time.Duration, error) {
	if value == "" {
		return 0, nil
	}
	if d, ok := ParseDuration(value); ok {
		return d, nil
	}
	return 0, &UsageError{Text: fmt.Sprintf("%s %q is not a duration", flag, value), Remedy: "use one " + DurationForms}
}

// ISODuration formats a duration as requests have it, such as PT36H or P7D.
func ISODuration(d time.Duration) string {
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
