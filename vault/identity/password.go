package identity

import "unicode"

const (
	minPassword = 12
	maxPassword = 1024 // bytes; longer ones only cost us time
)

// CheckPasswordRule refuses a password that is short, of one kind of
// character, or made of runs ("aaa") and sequences ("abc", "321").
func CheckPasswordRule(password string) error {
	switch {
	case len([]rune(password)) < minPassword:
		return ErrPasswordRule.Detail("The password needs at least %d characters", minPassword)
	case len(password) > maxPassword:
		return ErrPasswordRule.Detail("The password may have at most %d bytes", maxPassword)
	}
	var upper, lower, digit, special bool
	for _, r := range password {
		switch {
		case unicode.IsUpper(r):
			upper = true
		case unicode.IsLower(r):
			lower = true
		case unicode.IsDigit(r):
			digit = true
		default:
			special = true
		}
	}
	if !upper || !lower || !digit || !special {
		return ErrPasswordRule.Detail("The password needs an upper-case letter, a lower-case letter, a digit and a special character")
	}
	return checkRuns([]rune(password))
}

func checkRuns(r []rune) error {
	for i := 2; i < len(r); i++ {
		if r[i-2] == r[i-1] && r[i-1] == r[i] {
			return ErrPasswordRule.Detail("The password must not repeat a character three times in a row")
		}
		a, b, c := unicode.ToLower(r[i-2]), unicode.ToLower(r[i-1]), unicode.ToLower(r[i])
		step := b - a
		plain := (unicode.IsLetter(a) || unicode.IsDigit(a)) && (unicode.IsLetter(c) || unicode.IsDigit(c))
		if plain && (step == 1 || step == -1) && c-b == step {
			return ErrPasswordRule.Detail("The password must not contain three characters in sequence, such as abc or 321")
		}
	}
	return nil
}
