package api

// SignupRequest asks for an account.
type SignupRequest struct {
	Email       string `json:"email" maxLength:"320"`
	Password    string `json:"password" maxLength:"1024"`
	DisplayName string `json:"display_name,omitempty" maxLength:"1024"`
}

// SignupResponse says that a mail is on its way, whether or not the address has
// an account; where accounts need no confirmation it carries a token instead.
type SignupResponse struct {
	Message     string `json:"message"`
	Email       string `json:"email"`
	AccessToken string `json:"access_token,omitempty"`
	TokenType   string `json:"token_type,omitempty"`
	ExpiresIn   int    `json:"expires_in,omitempty" doc:"Seconds"`
}

// MailedTokenRequest hands in a token that was mailed.
type MailedTokenRequest struct {
	Token string `json:"token" maxLength:"512"`
}

// ForgotPasswordRequest asks for a mail with which to choose a new password.
type ForgotPasswordRequest struct {
	Email string `json:"email" maxLength:"320"`
}

// ForgotPasswordResponse is the same for everybody.
type ForgotPasswordResponse struct {
	Message string `json:"message"`
	Status  string `json:"status" enum:"email_sent"`
}

// ResetPasswordRequest chooses a new password.
type ResetPasswordRequest struct {
	Token       string `json:"token" maxLength:"512"`
	NewPassword string `json:"new_password" maxLength:"1024"`
}

// MessageResponse says what was done.
type MessageResponse struct {
	Message string `json:"message"`
}

// ChangePasswordRequest replaces the caller's password.
type ChangePasswordRequest struct {
	CurrentPassword string `json:"current_password" maxLength:"1024"`
	NewPassword     string `json:"new_password" maxLength:"1024"`
}

// UpdateProfileRequest changes the caller's profile in part.
type UpdateProfileRequest struct {
	DisplayName     *string `json:"display_name,omitempty" maxLength:"1024"`
	MarketingEmails *bool   `json:"marketing_emails,omitempty"`
}

// DeleteMeRequest confirms the deletion of the caller's account, by its e-mail
// address or the word DELETE. Clients call the field by either name.
type DeleteMeRequest struct {
	Confirmation string `json:"confirmation,omitempty" maxLength:"320"`
	Confirm      string `json:"confirm,omitempty" maxLength:"320"`
}

// MfaStatusResponse says whether the caller has a second factor.
type MfaStatusResponse struct {
	Enabled bool `json:"enabled"`
}

// MfaSetupResponse is what goes into an authenticator app.
type MfaSetupResponse struct {
	OtpauthURI string `json:"otpauth_uri"`
	Secret     string `json:"secret"`
}

// MfaVerifySetupRequest proves that the app shows right codes.
type MfaVerifySetupRequest struct {
	Code string `json:"code" maxLength:"64"`
}

// MfaVerifySetupResponse has the recovery codes, shown once.
type MfaVerifySetupResponse struct {
	RecoveryCodes []string `json:"recovery_codes"`
}

// MfaVerifyRequest completes a sign-in.
type MfaVerifyRequest struct {
	MFAToken string `json:"mfa_token" maxLength:"4096"`
	Code     string `json:"code" maxLength:"64" doc:"Of the app, or a recovery code"`
}

// MfaDisableRequest switches the second factor off, by one of the two.
type MfaDisableRequest struct {
	Code     string `json:"code,omitempty" maxLength:"64"`
	Password string `json:"password,omitempty" maxLength:"1024"`
}

// DeviceCodeRequest starts a sign-in on a device (RFC 8628).
type DeviceCodeRequest struct {
	ClientID string `json:"client_id" maxLength:"256"`
}

// DeviceCodeResponse is for the device: what to poll with, and what to show.
type DeviceCodeResponse struct {
	DeviceCode      string `json:"device_code"`
	UserCode        string `json:"user_code"`
	VerificationURI string `json:"verification_uri" format:"uri"`
	ExpiresIn       int    `json:"expires_in" doc:"Seconds"`
	Interval        int    `json:"interval" doc:"Seconds between polls"`
}

// DeviceTokenRequest polls for the token.
type DeviceTokenRequest struct {
	DeviceCode string `json:"device_code" maxLength:"512"`
	GrantType  string `json:"grant_type" maxLength:"256"`
}

// DeviceTokenResponse has either an error or a token.
type DeviceTokenResponse struct {
	Error       string `json:"error,omitempty" doc:"authorization_pending, slow_down, expired_token or access_denied"`
	AccessToken string `json:"access_token,omitempty"`
	TokenType   string `json:"token_type,omitempty"`
	ExpiresIn   int    `json:"expires_in,omitempty" doc:"Seconds"`
	Email       string `json:"email,omitempty"`
	UserID      string `json:"user_id,omitempty"`
	OrgID       string `json:"org_id,omitempty"`
}

// DeviceStatusResponse says what is asked for and how far it got.
type DeviceStatusResponse struct {
	Status    string `json:"status" enum:"pending,approved,denied,expired"`
	UserCode  string `json:"user_code"`
	ClientID  string `json:"client_id"`
	ExpiresAt Time   `json:"expires_at"`
}

// DeviceApproveRequest names the request to approve or deny.
type DeviceApproveRequest struct {
	UserCode string `json:"user_code" maxLength:"64"`
}

// DeviceDecisionResponse says what was decided.
type DeviceDecisionResponse struct {
	Status   string `json:"status" enum:"approved,denied"`
	UserCode string `json:"user_code"`
}

// OrgMemberResponse is a person of the organisation.
type OrgMemberResponse struct {
	ID          string `json:"id" format:"uuid"`
	Email       string `json:"email"`
	DisplayName string `json:"display_name"`
	Role        string `json:"role"`
	AuthMethod  string `json:"auth_method"`
	CreatedAt   Time   `json:"created_at"`
}

// OrgMemberListResponse is the people of the organisation.
type OrgMemberListResponse struct {
	Members []OrgMemberResponse `json:"members"`
}

// InviteMemberRequest invites an address.
type InviteMemberRequest struct {
	Email string `json:"email" maxLength:"320"`
	Role  string `json:"role,omitempty" maxLength:"64" doc:"owner, admin or member, which is the default"`
}

// InviteMemberResponse says that a mail is on its way.
type InviteMemberResponse struct {
	Message string `json:"message"`
	Email   string `json:"email"`
}

// InvitationResponse is an invitation that waits for an answer.
type InvitationResponse struct {
	ID        string `json:"id" format:"uuid"`
	Email     string `json:"email"`
	Role      string `json:"role"`
	InvitedBy string `json:"invited_by" format:"uuid"`
	CreatedAt Time   `json:"created_at"`
	ExpiresAt Time   `json:"expires_at"`
}

// InvitationListResponse is the invitations that wait for an answer.
type InvitationListResponse struct {
	Invitations []InvitationResponse `json:"invitations"`
}

// AcceptInvitationRequest makes the account that an invitation offers.
type AcceptInvitationRequest struct {
	Token       string `json:"token" maxLength:"512"`
	Password    string `json:"password,omitempty" maxLength:"1024"`
	DisplayName string `json:"display_name,omitempty" maxLength:"1024"`
}

// UpdateMemberRoleRequest gives a member another role.
type UpdateMemberRoleRequest struct {
	Role string `json:"role" maxLength:"64" doc:"owner, admin or member"`
}

// AgentKeysVaultResponse names the vault with the agents' private keys.
type AgentKeysVaultResponse struct {
	VaultID string `json:"vault_id" format:"uuid"`
}

// AdminUserResponse is an account as those see it who run the appliance.
type AdminUserResponse struct {
	ID                   string `json:"id" format:"uuid"`
	Email                string `json:"email"`
	DisplayName          string `json:"display_name"`
	Role                 string `json:"role"`
	AuthMethod           string `json:"auth_method"`
	OrgID                string `json:"org_id" format:"uuid"`
	OrgName              string `json:"org_name"`
	BillingTier          string `json:"billing_tier"`
	CreatedAt            Time   `json:"created_at"`
	FreeTierOverride     *int   `json:"free_tier_override,omitempty"`
	IsSponsored          bool   `json:"is_sponsored"`
	CurrentMonthRequests int    `json:"current_month_requests"`
}

// AdminUsersListResponse is every account.
type AdminUsersListResponse struct {
	Users []AdminUserResponse `json:"users"`
	Total int                 `json:"total"`
}
