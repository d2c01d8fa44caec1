package syslogtest

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Message is a syslog message taken apart. Absent fields are "".
type Message struct {
	Facility, Severity                  int
	Time                                time.Time
	Hostname, App, Process, ID, Element string
	Params                              map[string]string // of the one SD-ELEMENT
	Text                                string            // MSG-UTF8, without its BOM
}

// The header of RFC 5424 section 6, and an SD-ELEMENT with the rest.
var (
	header  = regexp.MustCompile(`^<(0|[1-9][0-9]{0,2})>1 (\S+) ([!-~]{1,255}) ([!-~]{1,48}) ([!-~]{1,128}) ([!-~]{1,32}) `)
	moment  = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$`)
	element = regexp.MustCompile(`^\[([!#-<>-\\^-~]{1,32})`)
	param   = regexp.MustCompile(`(?s)^ ([!#-<>-\\^-~]{1,32})="((?:[^"\\\]]|\\.)*)"`)
)

var errGrammar = errors.New("not a message of RFC 5424 with one SD-ELEMENT and a UTF-8 text")

// Parse reads a message.
func Parse(raw []byte) (m Message, err error) {
	h := header.FindStringSubmatch(string(raw))
	if h == nil || !moment.MatchString(h[2]) {
		return m, fmt.Errorf("%w: the header of %q", errGrammar, raw[:min(len(raw), 200)])
	}
	priority, err := strconv.Atoi(h[1])
	if err != nil || priority > 191 {
		return m, fmt.Errorf("%w: PRI %s", errGrammar, h[1])
	}
	if m.Time, err = time.Parse(time.RFC3339, h[2]); err != nil {
		return m, err
	}
	m.Facility, m.Severity = priority/8, priority%8
	m.Hostname, m.App, m.Process, m.ID = field(h[3]), field(h[4]), field(h[5]), field(h[6])
	rest, err := m.structured(string(raw[len(h[0]):]))
	if err != nil || rest == "" {
		return m, err
	}
	text, ok := strings.CutPrefix(rest, " \xef\xbb\xbf")
	if !ok || !utf8.ValidString(text) {
		return m, fmt.Errorf("%w: MSG %q", errGrammar, rest[:min(len(rest), 200)])
	}
	m.Text = text
	return m, nil
}

// field is a header field, "" for the NILVALUE.
func field(s string) string {
	if s == "-" {
		return ""
	}
	return s
}

var unescape = strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\]`, `]`)

// structured reads STRUCTURED-DATA and returns what follows.
func (m *Message) structured(s string) (rest string, err error) {
	e := element.FindStringSubmatch(s)
	if e == nil {
		return "", fmt.Errorf("%w: STRUCTURED-DATA %q", errGrammar, s[:min(len(s), 200)])
	}
	m.Element, m.Params = e[1], map[string]string{}
	s = s[len(e[0]):]
	for {
		p := param.FindStringSubmatch(s)
		if p == nil {
			break
		}
		if !utf8.ValidString(p[2]) {
			return "", fmt.Errorf("%w: PARAM-VALUE %q", errGrammar, p[2])
		}
		m.Params[p[1]] = unescape.Replace(p[2])
		s = s[len(p[0]):]
	}
	rest, ok := strings.CutPrefix(s, "]")
	if !ok {
		return "", fmt.Errorf("%w: SD-PARAM %q", errGrammar, s[:min(len(s), 200)])
	}
	return rest, nil
}
