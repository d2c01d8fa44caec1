package meter

import "time"

// minute counts the requests of the last sixty seconds, second by second. A
// second counts until all of it is a minute old.
type minute struct {
	counts [61]int64
	last   int64 // the second of the newest count, since 1970
}

// forward clears the seconds that have passed.
func (m *minute) forward(now time.Time) {
	second := now.Unix()
	if second <= m.last {
		return
	}
	for s := max(m.last+1, second-int64(len(m.counts))+1); s <= second; s++ {
		m.counts[s%int64(len(m.counts))] = 0
	}
	m.last = second
}

func (m *minute) add(now time.Time) {
	m.forward(now)
	m.counts[m.last%int64(len(m.counts))]++
}

func (m *minute) count(now time.Time) (n int64) {
	m.forward(now)
	for _, c := range m.counts {
		n += c
	}
	return n
}

// room is how long it takes until fewer than limit are counted.
func (m *minute) room(now time.Time, limit int64) time.Duration {
	n := m.count(now)
	size := int64(len(m.counts))
	for age := size - 1; age >= 0; age-- {
		n -= m.counts[((m.last-age)%size+size)%size]
		if n < limit {
			return time.Duration(size-age) * time.Second
		}
	}
	return time.Duration(size) * time.Second
}
