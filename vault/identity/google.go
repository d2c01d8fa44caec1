package identity

import "context"

// Person is somebody as an identity provider knows them.
type Person struct {
	Email string // which the provider has verified
	Name  string // may be empty
}

// SignIns verifies the ID tokens with which people come from an identity
// provider.
type SignIns interface {
	// Person says whom a token that was issued for us is about. What is no good
	// is an error as in Workloads; so is an address that was not verified.
	Person(ctx context.Context, idToken string) (Person, error)
}

// signInMethod is what the audit log calls it.
const signInMethod AuthMethod = "sign_in_provider"

// SignInPerson says whom an ID token is about; a token that is no good is
// recorded.
func (s *Service) SignInPerson(ctx context.Context, idToken string, peer Peer) (Person, error) {
	if s.signIns == nil {
		return Person{}, ErrNoSignIn
	}
	who, err := s.signIns.Person(ctx, idToken)
	if err != nil {
		return Person{}, s.refuseProof(ctx, Principal{}, peer, signInMethod, asCredentials(err))
	}
	return who, nil
}
