package attest

import "time"

// GuestPolicyOf runs the steps up to the signature, then that of the guest policy,
// without that of the binding: of a real report nobody can choose what it is about.
func GuestPolicyOf(p *Policy, e Evidence, now time.Time) error {
	r, err := parseReport(e.Report)
	if err != nil {
		return err
	}
	a := &appraisal{p: p, e: e, report: r, now: now}
	for _, step := range []func() error{a.certificates, a.product, a.validity, a.revocation, a.signature, a.guestPolicy} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// ParseTable is for the fuzz test.
func ParseTable(raw []byte) ([][]byte, error) { return parseTable(raw) }
