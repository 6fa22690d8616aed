package schedule

import (
	"errors"
	"fmt"
	"strings"
	"time"
	_ "time/tzdata" // the image of the Functions app may lack the time zones

	"github.com/netresearch/go-cron"
)

// errNeverFires is the error of an expression that no date matches.
var errNeverFires = errors.New("never fires: no date matches it")

// parseCron parses an expression of five or six fields. With six fields, the
// seconds must be a single number, because the timer fires once a minute.
func parseCron(expression string) (cron.Schedule, error) {
	fields := strings.Fields(expression)
	if len(fields) != 5 && len(fields) != 6 {
		return nil, fmt.Errorf("has %d fields, not 5 or 6", len(fields))
	}
	// The library also accepts time zones and descriptors such as @daily.
	if strings.ContainsAny(expression, "=@") {
		return nil, errors.New("has a time zone or a descriptor")
	}
	if len(fields) == 6 && strings.Trim(fields[0], "0123456789") != "" {
		return nil, fmt.Errorf("runs more often than once a minute: its seconds are %q", fields[0])
	}
	parser, err := cron.TryNewParser(cron.SecondOptional | cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)
	if err != nil {
		return nil, fmt.Errorf("cannot be parsed: %w", err) // only options that contradict each other
	}
	s, err := parser.Parse(expression)
	if err != nil {
		return nil, fmt.Errorf("cannot be parsed: %s", wrongField(fields, func(e string) bool {
			_, err := parser.Parse(e)
			return err == nil
		}))
	}
	if s.Next(time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return nil, errNeverFires
	}
	return s, nil
}

// wrongField describes the first field of an expression that is wrong by itself.
// The text of the library does not name it.
func wrongField(fields []string, valid func(expression string) bool) string {
	names := []string{"minute", "hour", "day of the month", "month", "day of the week"}
	ranges := []string{"0 to 59", "0 to 23", "1 to 31", "1 to 12 or JAN to DEC", "0 to 6 or SUN to SAT"}
	for i, field := range fields[len(fields)-len(names):] {
		only := []string{"*", "*", "*", "*", "*"}
		only[i] = field
		if !valid(strings.Join(only, " ")) {
			return fmt.Sprintf("its %s is %q, which has values from %s", names[i], field, ranges[i])
		}
	}
	return "its second is not a number from 0 to 59"
}

// loadZone returns an IANA time zone. It rejects Local, which time.LoadLocation
// resolves to the time zone of the machine.
func loadZone(name string) (*time.Location, error) {
	if name == "" || strings.EqualFold(name, "local") {
		return nil, fmt.Errorf("%q is not a time zone", name)
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("%q is not a time zone of the tz database", name)
	}
	return zone, nil
}
