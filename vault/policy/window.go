package policy

import (
	"encoding/json"
	"regexp"
	"slices"
	"sync"
	"time"
	_ "time/tzdata" // zones must load on a machine without a zone database
)

// TimeWindow is a span of the day, in some time zone, on some days of the
// week: from After, inclusive, until Before, exclusive. A window whose After
// is later than its Before runs overnight, and all of it belongs to the day on
// which it begins: fri 22:00-06:00 ends on Saturday morning. The times are
// those on a wall clock in that zone, so they follow daylight saving time.
//
// It is made by parsing only; the zero TimeWindow never contains now.
type TimeWindow struct {
	src    windowJSON // as it was written
	zone   *time.Location
	after  int     // minute of the day
	before int     // minute of the day
	days   [7]bool // by time.Weekday
}

type windowJSON struct {
	After    string   `json:"after,omitempty"`
	Before   string   `json:"before,omitempty"`
	Timezone string   `json:"timezone,omitempty"`
	Days     []string `json:"days,omitempty"`
}

// dayNames by time.Weekday.
var dayNames = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

const minutesPerDay = 24 * 60

// Contains reports whether t is within the window.
func (w *TimeWindow) Contains(t time.Time) bool {
	if w.zone == nil {
		return false
	}
	local := t.In(w.zone)
	minute := local.Hour()*60 + local.Minute()
	day := local.Weekday()
	switch {
	case w.after < w.before:
		return w.days[day] && w.after <= minute && minute < w.before
	case minute >= w.after:
		return w.days[day]
	default:
		yesterday := (day + 6) % 7
		return w.days[yesterday] && minute < w.before
	}
}

// MarshalJSON implements json.Marshaler in the published form.
func (w TimeWindow) MarshalJSON() ([]byte, error) { return json.Marshal(w.src) }

func parseTimeWindow(raw json.RawMessage) (*TimeWindow, error) {
	const field = "conditions.time_window"
	m, err := members(field, raw, "after", "before", "timezone", "days")
	if err != nil {
		return nil, err
	}
	src, err := decodeWindow(field, m)
	if err != nil {
		return nil, err
	}
	w := &TimeWindow{src: src, zone: time.UTC, before: minutesPerDay}
	if src.After == "" && src.Before == "" && src.Days == nil {
		return nil, reject(field, "needs after, before or days")
	}
	if src.After != "" {
		if w.after, err = parseClock(field+".after", src.After); err != nil {
			return nil, err
		}
	}
	if src.Before != "" {
		if w.before, err = parseClock(field+".before", src.Before); err != nil {
			return nil, err
		}
	}
	if w.after == w.before {
		// It could mean always or never.
		return nil, reject(field, "after and before must differ")
	}
	if src.Timezone != "" {
		if w.zone, err = parseZone(field+".timezone", src.Timezone); err != nil {
			return nil, err
		}
	}
	w.days, err = parseDays(field+".days", src.Days)
	return w, err
}

// decodeWindow checks the JSON types, and that what is given is not empty: ""
// then means not given.
func decodeWindow(in string, m map[string]json.RawMessage) (windowJSON, error) {
	var src windowJSON
	texts := map[string]*string{"after": &src.After, "before": &src.Before, "timezone": &src.Timezone}
	for key, raw := range m {
		if key == "days" {
			if json.Unmarshal(raw, &src.Days) != nil || len(src.Days) == 0 {
				return src, reject(in+".days", "must be a non-empty list of strings")
			}
			continue
		}
		if json.Unmarshal(raw, texts[key]) != nil || *texts[key] == "" {
			return src, reject(in+"."+key, "must be a non-empty string")
		}
	}
	return src, nil
}

// parseClock reads HH:MM, both with two digits, 00:00 to 23:59.
func parseClock(field, s string) (int, error) {
	t, err := time.Parse("15:04", s)
	if err != nil || len(s) != len("15:04") { // time.Parse takes 8:00 too
		return 0, reject(field, "must be a time of day such as 08:00")
	}
	return t.Hour()*60 + t.Minute(), nil
}

func parseDays(field string, names []string) (days [7]bool, err error) {
	for _, n := range names {
		d := slices.Index(dayNames, n)
		if d < 0 {
			return days, reject(field, "must be of mon, tue, wed, thu, fri, sat, sun")
		}
		days[d] = true
	}
	if len(names) == 0 {
		days = [7]bool{true, true, true, true, true, true, true}
	}
	return days, nil
}

// zones remembers loaded zones, because conditions are decoded whenever a
// stored policy is read and loading one reads a file. zoneName keeps it from
// growing without bound: each zone has few names.
var zones sync.Map // string -> *time.Location

// zoneName is the alphabet of IANA zone names. It keeps out spellings that a
// file system takes for the same name, such as Europe//Zurich.
var zoneName = regexp.MustCompile(`^[A-Za-z0-9_+-]+(/[A-Za-z0-9_+-]+)*$`)

// localZone matches names of a zone database that mean something else on each
// machine, or count leap seconds.
var localZone = regexp.MustCompile(`^(?i:local|localtime|posixrules|posix/.*|right/.*)$`)

func parseZone(field, name string) (*time.Location, error) {
	if z, ok := zones.Load(name); ok {
		return z.(*time.Location), nil
	}
	if zoneName.MatchString(name) && !localZone.MatchString(name) {
		if z, err := time.LoadLocation(name); err == nil {
			zones.Store(name, z)
			return z, nil
		}
	}
	return nil, reject(field, "must be an IANA time zone such as Europe/Zurich")
}
