package pii

// weak runs the rules that rest on surroundings alone.
func (f *finder) weak() {
	f.dates()
	f.ages()
	f.people()
	f.organisations()
	f.places()
	f.addresses()
	f.postcodes()
	f.east()
	f.uncasedNames()
}
