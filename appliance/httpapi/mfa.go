package httpapi

import (
	"context"

	"github.com/oneclaw/oneclawd/appliance/api"
)

func (s *Server) mfaRoutes() []route {
	const tag = "Authentication"
	return []route{
		handle(get, "/v1/auth/mfa/status", "mfaStatus", s.mfaStatus, who(human), doc(tag, "Whether a second factor is on")),
		handle(post, "/v1/auth/mfa/setup", "mfaSetup", s.mfaSetup, who(human), doc(tag, "Make a secret for an authenticator app")),
		handle(post, "/v1/auth/mfa/verify-setup", "mfaVerifySetup", s.mfaVerifySetup, who(human), doc(tag, "Switch the second factor on")),
		handle(post, "/v1/auth/mfa/verify", "mfaVerify", s.mfaVerify, guessable, doc(tag, "Complete a sign-in")),
		handle(remove, "/v1/auth/mfa", "mfaDisable", s.mfaDisable, who(human), doc(tag, "Switch the second factor off")),
	}
}

func (s *Server) mfaStatus(ctx context.Context, _ *none) (*reply[api.MfaStatusResponse], error) {
	on, err := s.accounts.MFAEnabled(ctx, caller(ctx))
	if err != nil {
		return nil, err
	}
	return answer(api.MfaStatusResponse{Enabled: on})
}

func (s *Server) mfaSetup(ctx context.Context, _ *none) (*reply[api.MfaSetupResponse], error) {
	m, err := s.accounts.SetUpMFA(ctx, caller(ctx))
	if err != nil {
		return nil, err
	}
	return answer(api.MfaSetupResponse{OtpauthURI: m.URI, Secret: m.Secret})
}

type mfaVerifySetupInput struct{ Body api.MfaVerifySetupRequest }

func (s *Server) mfaVerifySetup(ctx context.Context, in *mfaVerifySetupInput) (*reply[api.MfaVerifySetupResponse], error) {
	codes, err := s.accounts.ConfirmMFA(ctx, caller(ctx), in.Body.Code)
	if err != nil {
		return nil, err
	}
	return answer(api.MfaVerifySetupResponse{RecoveryCodes: codes})
}

type mfaVerifyInput struct{ Body api.MfaVerifyRequest }

func (s *Server) mfaVerify(ctx context.Context, in *mfaVerifyInput) (*reply[api.TokenResponse], error) {
	tok, err := s.accounts.VerifyMFA(ctx, in.Body.MFAToken, in.Body.Code, peer(ctx))
	if err != nil {
		return nil, err
	}
	return answer(wireToken(tok))
}

type mfaDisableInput struct{ Body api.MfaDisableRequest }

func (s *Server) mfaDisable(ctx context.Context, in *mfaDisableInput) (*none, error) {
	return nil, s.accounts.DisableMFA(ctx, caller(ctx), in.Body.Code, in.Body.Password)
}
