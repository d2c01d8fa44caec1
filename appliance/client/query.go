package client

import (
	"net/url"
	"strconv"
	"time"
)

// query is the query of a call. What is zero is left out: it means "as ever".
type query url.Values

func (q query) text(name, value string) query {
	if value != "" {
		q[name] = []string{value}
	}
	return q
}

func (q query) number(name string, n int) query {
	if n != 0 {
		q[name] = []string{strconv.Itoa(n)}
	}
	return q
}

func (q query) time(name string, t time.Time) query {
	if !t.IsZero() {
		q[name] = []string{t.Format(time.RFC3339Nano)}
	}
	return q
}

func (q query) flag(name string, yes bool) query {
	if yes {
		q[name] = []string{"true"}
	}
	return q
}

// index is a place in the audit log, where zero is a place too.
func (q query) index(name string, n uint64) query {
	q[name] = []string{strconv.FormatUint(n, 10)}
	return q
}
