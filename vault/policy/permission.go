package policy

import "slices"

// Permission is one thing a policy lets its principal do.
type Permission string

// The permissions. Write does not include Read: an agent may be allowed to
// store a value that it cannot see.
const (
	Read   Permission = "read"
	Write  Permission = "write"
	Delete Permission = "delete"
	// Use lets a value be used on the principal's behalf without being shown.
	Use Permission = "use"
)

// permissions are all of them in canonical order.
var permissions = [...]Permission{Read, Write, Delete, Use}

// ParsePermissions reads a list of permission names. The result has each one
// once, in the order read, write, delete, use, so that equal grants look equal.
// An empty list or an unknown name is ErrPermissions.
func ParsePermissions(names []string) ([]Permission, error) {
	for _, n := range names {
		if !slices.Contains(permissions[:], Permission(n)) {
			return nil, ErrPermissions
		}
	}
	var out []Permission
	for _, p := range permissions {
		if slices.Contains(names, string(p)) {
			out = append(out, p)
		}
	}
	if len(out) == 0 {
		return nil, ErrPermissions
	}
	return out, nil
}
