package evm

// args reads the arguments of a method: words of 32 bytes, of which some are the
// place of what is longer. Places are counted from the beginning of the tuple
// that they are in.
//
// It is stricter than most contracts: an address with anything in the bytes
// before it is malformed, since contracts differ in what they make of it. What
// follows the arguments does not matter to contracts, and neither here: some
// append to calls whose idea they were.
//
// The first error sticks; whoever reads looks at it in the end.
type args struct {
	data []byte
	err  *error
}

func (a args) fail() {
	if *a.err == nil {
		*a.err = ErrCalldata
	}
}

func (a args) word(i int) [32]byte {
	if i < 0 || i > len(a.data)/32-1 {
		a.fail()
		return [32]byte{}
	}
	return [32]byte(a.data[32*i:])
}

func (a args) amount(i int) Amount {
	w := a.word(i)
	var n Amount
	n.v.SetBytes32(w[:])
	return n
}

// bits reads an amount that has no more bits.
func (a args) bits(i, most int) Amount {
	n := a.amount(i)
	if n.v.BitLen() > most {
		a.fail()
		return Amount{}
	}
	return n
}

func (a args) address(i int) Address {
	w := a.word(i)
	if [12]byte(w[:12]) != [12]byte{} {
		a.fail()
	}
	return Address(w[12:])
}

func (a args) bool(i int) bool { return !a.bits(i, 1).IsZero() }

// number reads a small number: a place, a length.
func (a args) number(i int) int {
	n, _ := a.bits(i, 24).Uint64()
	return int(n)
}

// at follows the place in word i, to a tuple or to what a length begins.
func (a args) at(i int) args {
	place := a.number(i)
	if place > len(a.data) {
		a.fail()
		place = len(a.data)
	}
	return args{a.data[place:], a.err}
}

// from is the tuple that begins at word i, in place.
func (a args) from(i int) args {
	if i < 0 || i > len(a.data)/32 {
		a.fail()
		return args{nil, a.err}
	}
	return args{a.data[32*i:], a.err}
}

// bytes follows the place in word i to a string of bytes.
func (a args) bytes(i int) []byte {
	t := a.at(i)
	n := t.number(0)
	if t = t.from(1); n > len(t.data) {
		a.fail()
		return nil
	}
	return t.data[:n]
}

// list follows the place in word i to an array whose elements' heads are so many
// words each, and returns the elements' heads and how many there are.
func (a args) list(i, words int) (args, int) {
	t := a.at(i)
	n := t.number(0)
	if t = t.from(1); n > len(t.data)/(32*words) {
		a.fail()
		return args{nil, a.err}, 0
	}
	return t, n
}
