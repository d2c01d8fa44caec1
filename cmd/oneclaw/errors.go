package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"syscall"

	"github.com/oneclaw/oneclawd/appliance/client"
	"github.com/oneclaw/oneclawd/appliance/client/attested"
)

// The exit codes. They are a part of the interface: scripts tell by them.
const (
	codeDone        = 0
	codeFailed      = 1
	codeUsage       = 2
	codeSignIn      = 3
	codeRefused     = 4
	codeNotFound    = 5
	codeUnreachable = 6
	codeInterrupted = 130 // as shells say it of a program that SIGINT ended
)

// exitCodes is what the manual says of them.
const exitCodes = `Exit codes: 0 done; 1 failed; 2 wrong usage or settings; 3 not signed in, or the
credentials were not taken; 4 not allowed; 5 not found, or over; 6 the appliance cannot be
reached or cannot answer now; 130 interrupted.`

// usageError is what a person typed wrong.
type usageError string

func (u usageError) Error() string { return string(u) }

func usagef(format string, args ...any) error { return usageError(fmt.Sprintf(format, args...)) }

// notFound is an error of this side: a name that nothing has.
type notFound string

func (n notFound) Error() string { return string(n) }

// notSignedIn says that there is nothing to prove oneself with.
type notSignedIn string

func (n notSignedIn) Error() string { return string(n) }

// exited is the code of a program that was run, which becomes this one's.
type exited int

func (e exited) Error() string { return fmt.Sprintf("exit code %d", int(e)) }

// errTrouble makes a command fail that has said why.
var errTrouble = errors.New("there is trouble; the lines above say what to do")

func exitCode(err error) int {
	var usage usageError
	var missing notFound
	var unsigned notSignedIn
	switch {
	case errors.As(err, &usage):
		return codeUsage
	case errors.As(err, &unsigned), errors.Is(err, client.ErrUnauthenticated):
		return codeSignIn
	case errors.Is(err, client.ErrForbidden), errors.Is(err, client.ErrQuota), errors.Is(err, client.ErrApprovalRequired):
		return codeRefused
	case errors.As(err, &missing), errors.Is(err, client.ErrNotFound), errors.Is(err, client.ErrGone):
		return codeNotFound
	case errors.Is(err, client.ErrUnavailable), errors.Is(err, client.ErrRateLimited), unreachable(err):
		return codeUnreachable
	}
	return codeFailed
}

// message is an error for people: what went wrong, and what to do about it where
// that can be said.
func message(err error) string {
	text := printable(words(err))
	var refused *client.Error
	if errors.As(err, &refused) {
		for _, field := range sortedKeys(refused.Problem.Fields) {
			text += fmt.Sprintf("\n  %s: %s", printable(field), printable(refused.Problem.Fields[field]))
		}
	}
	if next := advice(err); next != "" {
		text += "\n→ " + next
	}
	return text
}

// words are an error without what only programmers want to know of it.
func words(err error) string {
	var request *url.Error
	if errors.As(err, &request) {
		err = request.Err
	}
	text := strings.TrimPrefix(err.Error(), "client: ")
	if unreachable(err) {
		return "the appliance cannot be reached: " + text
	}
	return text
}

// unreachable reports whether an error is of the way to the appliance.
func unreachable(err error) bool {
	var network net.Error
	var untrusted *tls.CertificateVerificationError
	if errors.Is(err, attested.ErrRefused) {
		return true
	}
	if !errors.As(err, &network) {
		return errors.As(err, &untrusted)
	}
	_, local := network.(syscall.Errno) // of a file: it has the same methods
	return !local
}

// advice is what to do next; "" where nobody can know.
func advice(err error) string {
	var untrusted *tls.CertificateVerificationError
	var refused *client.Error
	switch {
	case errors.Is(err, attested.ErrRefused):
		return "it is not what your appraisal policy accepts, and nothing was sent; `oneclawd attest verify` says more"
	case errors.As(err, &untrusted):
		return "if the certificate is of the appliance's own CA: --ca FILE, with what `oneclawd tls ca` prints there"
	case unreachable(err):
		return "is the appliance running, and is this its address? `oneclaw doctor` looks; another one: --api-url URL, or `oneclaw config set api-url URL`"
	case errors.Is(err, client.ErrUnauthenticated):
		return "sign in again: `oneclaw login`; in scripts set ONECLAW_API_KEY"
	case errors.Is(err, client.ErrApprovalRequired):
		return "somebody else has to agree first: `oneclaw approval list`"
	case errors.Is(err, client.ErrForbidden):
		return "an owner of the vault can grant more: `oneclaw policy create --help`; who you are: `oneclaw whoami`"
	case errors.Is(err, client.ErrRateLimited) && errors.As(err, &refused) && refused.RetryAfter > 0:
		return fmt.Sprintf("try again in %s", refused.RetryAfter)
	case errors.Is(err, client.ErrUnavailable):
		return "the appliance may be sealed or starting: `oneclaw doctor` says"
	}
	return ""
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
