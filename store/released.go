//go:build !oneclawd_rehearsal

package store

// rehearsed is how many schemas this build is ahead of the released ones: none.
const rehearsed = 0

var rehearsal []migration
