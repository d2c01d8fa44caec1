package httpapi

import (
	"context"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/vault/people"
)

func (s *Server) peopleRoutes() []route {
	const tag = "Authentication"
	return []route{
		handle(post, "/v1/auth/token", "login", s.login, guessable, doc(tag, "Sign in with e-mail and password")),
		handle(post, "/v1/auth/signup", "signup", s.signUp, guessable, doc(tag, "Ask for an account")),
		handle(post, "/v1/auth/verify-email", "verifyEmail", s.verifyEmail, guessable, doc(tag, "Confirm an address and sign in")),
		handle(post, "/v1/auth/forgot-password", "forgotPassword", s.forgotPassword, guessable, doc(tag, "Ask for a mail to choose a new password")),
		handle(post, "/v1/auth/reset-password", "resetPassword", s.resetPassword, guessable, doc(tag, "Choose a new password")),
		handle(post, "/v1/auth/change-password", "changePassword", s.changePassword, who(human), doc(tag, "Replace one's password")),
		handle(get, "/v1/auth/me", "getMe", s.me, who(human), doc(tag, "Who is signed in")),
		handle(patch, "/v1/auth/me", "updateMe", s.updateMe, who(human), doc(tag, "Change one's profile")),
		handle(remove, "/v1/auth/me", "deleteMe", s.deleteMe, who(human), doc(tag, "Delete one's account")),
	}
}

type loginInput struct{ Body api.LoginRequest }

func (s *Server) login(ctx context.Context, in *loginInput) (*reply[api.LoginResponse], error) {
	l, err := s.accounts.Login(ctx, in.Body.Email, in.Body.Password, peer(ctx))
	if err != nil {
		return nil, err
	}
	return answer(wireLogin(l))
}

// wireLogin is the answer to a right password. While the second factor is
// missing the token is an empty text: clients look for it.
func wireLogin(l people.Login) api.LoginResponse {
	out := api.LoginResponse{TokenType: api.TokenType, ExpiresIn: l.ExpiresIn}
	if l.MFARequired {
		out.MFARequired, out.MFAToken = true, l.JWT
	} else {
		out.AccessToken = l.JWT
	}
	return out
}

type signupInput struct{ Body api.SignupRequest }

func (s *Server) signUp(ctx context.Context, in *signupInput) (*reply[api.SignupResponse], error) {
	tok, err := s.accounts.SignUp(ctx, people.Signup{
		Email: in.Body.Email, Password: in.Body.Password, DisplayName: in.Body.DisplayName,
	}, peer(ctx))
	if err != nil {
		return nil, err
	}
	out := api.SignupResponse{Email: in.Body.Email, Message: "Check your mailbox: a link to confirm the address is on its way"}
	if tok.JWT != "" {
		out.Message, out.AccessToken, out.TokenType, out.ExpiresIn = "Your account is ready", tok.JWT, api.TokenType, tok.ExpiresIn
	}
	return answer(out)
}

type mailedTokenInput struct{ Body api.MailedTokenRequest }

func (s *Server) verifyEmail(ctx context.Context, in *mailedTokenInput) (*reply[api.TokenResponse], error) {
	tok, err := s.accounts.VerifyEmail(ctx, in.Body.Token, peer(ctx))
	if err != nil {
		return nil, err
	}
	return answer(wireToken(tok))
}

type forgotInput struct{ Body api.ForgotPasswordRequest }

func (s *Server) forgotPassword(ctx context.Context, in *forgotInput) (*reply[api.ForgotPasswordResponse], error) {
	if err := s.accounts.ForgotPassword(ctx, in.Body.Email, peer(ctx)); err != nil {
		return nil, err
	}
	return answer(api.ForgotPasswordResponse{
		Message: "If the address has an account, a mail with a link is on its way", Status: "email_sent",
	})
}

type resetInput struct{ Body api.ResetPasswordRequest }

func (s *Server) resetPassword(ctx context.Context, in *resetInput) (*reply[api.MessageResponse], error) {
	if err := s.accounts.ResetPassword(ctx, in.Body.Token, in.Body.NewPassword, peer(ctx)); err != nil {
		return nil, err
	}
	return answer(api.MessageResponse{Message: "The password was changed; sign in with the new one"})
}

type changePasswordInput struct{ Body api.ChangePasswordRequest }

func (s *Server) changePassword(ctx context.Context, in *changePasswordInput) (*none, error) {
	return nil, s.accounts.ChangePassword(ctx, caller(ctx), in.Body.CurrentPassword, in.Body.NewPassword)
}

func (s *Server) me(ctx context.Context, _ *none) (*reply[api.UserProfileResponse], error) {
	u, err := s.accounts.Me(ctx, caller(ctx))
	if err != nil {
		return nil, err
	}
	return answer(wireProfile(u))
}

type updateMeInput struct{ Body api.UpdateProfileRequest }

func (s *Server) updateMe(ctx context.Context, in *updateMeInput) (*reply[api.UserProfileResponse], error) {
	u, err := s.accounts.UpdateMe(ctx, caller(ctx), people.ProfileChange{
		DisplayName: in.Body.DisplayName, MarketingEmails: in.Body.MarketingEmails,
	})
	if err != nil {
		return nil, err
	}
	return answer(wireProfile(u))
}

func wireProfile(u people.Profile) api.UserProfileResponse {
	return api.UserProfileResponse{
		ID: u.ID.String(), OrgID: u.Org.String(), Email: u.Email, DisplayName: u.DisplayName,
		AuthMethod: u.AuthMethod, Role: string(u.Role), EmailVerified: u.EmailVerified,
		MarketingEmails: u.MarketingEmails, TOTPEnabled: u.MFA, CreatedAt: api.At(u.CreatedAt),
	}
}

type deleteMeInput struct{ Body api.DeleteMeRequest }

func (s *Server) deleteMe(ctx context.Context, in *deleteMeInput) (*none, error) {
	confirm := in.Body.Confirmation
	if confirm == "" {
		confirm = in.Body.Confirm
	}
	return nil, s.accounts.DeleteMe(ctx, caller(ctx), confirm)
}
