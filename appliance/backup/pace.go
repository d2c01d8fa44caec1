package backup

import "time"

// longestRest bounds a rest: what was slow because the machine is busy does not
// get slower still.
const longestRest = 50 * time.Millisecond

// Pace is a progress function that holds work up while others wait for the same
// processors: after each piece it rests as long as that took. A daemon that serves
// makes its backups at that pace.
func Pace() func(Progress) {
	last := time.Now()
	return func(Progress) {
		time.Sleep(min(time.Since(last), longestRest))
		last = time.Now()
	}
}
