package httpapi

import (
	"context"
	"errors"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/vault/people"
)

func (s *Server) deviceRoutes() []route {
	const tag = "Authentication"
	return []route{
		handle(post, "/v1/auth/device/code", "deviceCode", s.deviceCode, guessable, doc(tag, "Start a sign-in on a device")),
		handle(post, "/v1/auth/device/token", "deviceToken", s.deviceToken, public, doc(tag, "Poll for the device's token")),
		handle(get, "/v1/auth/device/code/{user_code}", "deviceCodeStatus", s.deviceStatus, guessable, doc(tag, "Look at a device's request")),
		handle(post, "/v1/auth/device/approve", "deviceApprove", s.approveDevice, who(human), doc(tag, "Let a device act for oneself")),
		handle(post, "/v1/auth/device/deny", "deviceDeny", s.denyDevice, who(human), doc(tag, "Refuse a device")),
		s.devicePage,
	}
}

type deviceCodeInput struct{ Body api.DeviceCodeRequest }

func (s *Server) deviceCode(ctx context.Context, in *deviceCodeInput) (*reply[api.DeviceCodeResponse], error) {
	codes, err := s.accounts.BeginDevice(ctx, in.Body.ClientID)
	if err != nil {
		return nil, err
	}
	return answer(api.DeviceCodeResponse{
		DeviceCode: codes.Device, UserCode: codes.User, VerificationURI: s.base + devicePagePath,
		ExpiresIn: int(people.DeviceCodeTTL / time.Second), Interval: int(people.DevicePoll / time.Second),
	})
}

// deviceGrant is the one grant_type of the route.
const deviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

type deviceTokenInput struct{ Body api.DeviceTokenRequest }

// deviceToken says what is wrong in the body of a 200: the clients take every
// other status for "not yet".
func (s *Server) deviceToken(ctx context.Context, in *deviceTokenInput) (*reply[api.DeviceTokenResponse], error) {
	if in.Body.GrantType != deviceGrant {
		return answer(api.DeviceTokenResponse{Error: "unsupported_grant_type"})
	}
	g, why, err := s.accounts.PollDevice(ctx, in.Body.DeviceCode, peer(ctx))
	if err != nil {
		return nil, err
	}
	if why != "" {
		return answer(api.DeviceTokenResponse{Error: string(why)})
	}
	return answer(api.DeviceTokenResponse{
		AccessToken: g.JWT, TokenType: api.TokenType, ExpiresIn: g.ExpiresIn,
		Email: g.User.Email, UserID: g.User.ID.String(), OrgID: g.User.Org.String(),
	})
}

type deviceStatusInput struct {
	UserCode string `path:"user_code"`
}

func (s *Server) deviceStatus(ctx context.Context, in *deviceStatusInput) (*reply[api.DeviceStatusResponse], error) {
	d, err := s.accounts.LookDevice(ctx, in.UserCode)
	if err != nil {
		return nil, err
	}
	return answer(api.DeviceStatusResponse{
		Status: string(d.Status), UserCode: people.ShowUserCode(d.UserCode), ClientID: d.Client, ExpiresAt: api.At(d.Expires),
	})
}

type deviceDecisionInput struct{ Body api.DeviceApproveRequest }

func (s *Server) approveDevice(ctx context.Context, in *deviceDecisionInput) (*reply[api.DeviceDecisionResponse], error) {
	return decided(in.Body.UserCode, people.DeviceApproved, s.accounts.ApproveDevice(ctx, caller(ctx), in.Body.UserCode))
}

func (s *Server) denyDevice(ctx context.Context, in *deviceDecisionInput) (*reply[api.DeviceDecisionResponse], error) {
	return decided(in.Body.UserCode, people.DeviceDenied, s.accounts.DenyDevice(ctx, caller(ctx), in.Body.UserCode))
}

func decided(code string, to people.DeviceStatus, err error) (*reply[api.DeviceDecisionResponse], error) {
	if err != nil {
		return nil, err
	}
	return answer(api.DeviceDecisionResponse{Status: string(to), UserCode: people.ShowUserCode(people.FoldUserCode(code))})
}

// devicePagePath is where somebody approves a device: clients open it at the
// API's address. The token that approves lives in a variable of the page's script
// and nowhere else.
const devicePagePath = "/cli/verify"

// deviceView is what the page is made of.
type deviceView struct {
	Code, Client string
	Problem      string // why the code cannot be approved
}

func (v deviceView) page() markup {
	var shown []markup
	if v.Code != "" {
		shown = append(shown, piece("verify-code", text("code", v.Code)))
	}
	if v.Problem != "" {
		shown = append(shown, piece("problem", text("problem", v.Problem)))
	}
	next := piece("verify-enter")
	if v.Client != "" {
		next = piece("verify-decide", text("client", v.Client), signIn())
	}
	return piece("verify", text("code", v.Code), text("client", v.Client), part("shown", shown...), part("next", next))
}

// devicePage serves the page and its script.
func (s *Server) devicePage(*Server) {
	s.serveFile(devicePagePath+".js", typeScript, "page/verify.js")
	s.router.GET(devicePagePath, func(c *gin.Context) {
		call := callFrom(c.Request.Context())
		call.route = devicePagePath
		if wait, ok := s.guesses.take(call.ip); !ok { // a code may be guessed here too
			s.refuse(c.Request.Context(), c.Writer, errTooMany.After(wait))
			return
		}
		view, err := s.viewDevice(c.Request.Context(), c.Query("code"))
		if err != nil {
			s.refuse(c.Request.Context(), c.Writer, err)
			return
		}
		writePage(c, typeHTML, []byte(view.page()))
	})
	s.list(get, devicePagePath, "devicePage", access{public: true, guessable: true})
}

func (s *Server) viewDevice(ctx context.Context, code string) (deviceView, error) {
	folded := people.FoldUserCode(code)
	if folded == "" {
		if code == "" {
			return deviceView{}, nil
		}
		return deviceView{Problem: "This is not a code. It has eight letters, like BCDF-GHJK."}, nil
	}
	v := deviceView{Code: people.ShowUserCode(folded)}
	d, err := s.accounts.LookDevice(ctx, folded)
	switch {
	case errors.Is(err, people.ErrNoDevice), err == nil && d.Status == people.DeviceExpired:
		v.Problem = "This code is not known, or has expired. Start again on your device."
	case err != nil:
		return v, err
	case d.Status == people.DeviceApproved:
		v.Problem = "This code was approved already."
	case d.Status == people.DeviceDenied:
		v.Problem = "This code was denied."
	default:
		v.Client = d.Client
	}
	return v, nil
}
