package update

import (
	"regexp"
	"strconv"

	"golang.org/x/mod/semver"
)

// Here is what a bundle would be installed over.
type Here struct {
	Version  string // of the oneclawd that is installed
	OS, Arch string
	Schema   int // that it writes
}

// Judge says why a bundle may not be installed here, or nil. ErrDowngrade is the
// one that an operator can overrule.
func (m Manifest) Judge(here Here) error {
	if m.OS != here.OS || m.Arch != here.Arch {
		return ErrUnfit.Detail("the bundle is for %s/%s, this machine is %s/%s", m.OS, m.Arch, here.OS, here.Arch)
	}
	if here.Schema < m.Schema.From {
		return ErrUnfit.Detail("oneclawd %s opens data of schema %d and newer, the data here may be of schema %d; install a version between first", m.Version, m.Schema.From, here.Schema)
	}
	if m.UpgradeFrom != "" {
		if order, ok := compare(here.Version, m.UpgradeFrom); !ok || order < 0 {
			return ErrUnfit.Detail("oneclawd %s can be installed over %s or newer, and this is %s; install that one first", m.Version, m.UpgradeFrom, here.Version)
		}
	}
	if here.Schema > m.Schema.To {
		return ErrDowngrade.Detail("oneclawd %s knows data up to schema %d and will refuse the data here, which is of schema %d", m.Version, m.Schema.To, here.Schema)
	}
	order, ok := compare(here.Version, m.Version)
	switch {
	case !ok:
		return ErrDowngrade.Detail("whether oneclawd %s is newer than this one, %s, cannot be told", m.Version, here.Version)
	case order > 0:
		return ErrDowngrade.Detail("oneclawd %s is older than this one, %s", m.Version, here.Version)
	}
	return nil
}

// described is what git describe adds to a tag: how many commits later.
var described = regexp.MustCompile(`^(v.+?)-([0-9]{1,9})-g[0-9a-f]+(-dirty)?$`)

// compare orders two versions as git describes them; ok is whether it can.
func compare(a, b string) (order int, ok bool) {
	tagA, laterA := split(a)
	tagB, laterB := split(b)
	if !semver.IsValid(tagA) || !semver.IsValid(tagB) {
		return 0, a == b && a != ""
	}
	if order := semver.Compare(tagA, tagB); order != 0 {
		return order, true
	}
	return laterA - laterB, true
}

func split(version string) (tag string, later int) {
	m := described.FindStringSubmatch(version)
	if m == nil {
		return version, 0
	}
	later, _ = strconv.Atoi(m[2]) // at most nine digits
	return m[1], later
}
