package httpapi

import (
	"context"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/internal/id"
	"github.com/oneclaw/oneclawd/vault/site"
)

func (s *Server) siteRoutes() []route {
	const (
		rules    = "/v1/security/ip-rules"
		settings = "/v1/admin/settings"
		one      = settings + "/{key}"
	)
	return []route{
		handle(get, rules, "listIpRules", s.listIPRules, who(human), doc("Security", "List the organisation's IP rules")),
		handle(post, rules, "createIpRule", s.createIPRule, who(human), status(201), doc("Security", "Let addresses in or keep them out")),
		handle(remove, rules+"/{rule_id}", "deleteIpRule", s.deleteIPRule, who(human), doc("Security", "Take an IP rule away")),
		handle(get, settings, "adminListSettings", s.listSettings, who(human), doc("Admin", "List what was set")),
		handle(get, one, "adminGetSetting", s.getSetting, who(human), doc("Admin", "Look at a setting")),
		handle(put, one, "adminUpdateSetting", s.updateSetting, who(human), doc("Admin", "Change a setting")),
		handle(remove, one, "adminDeleteSetting", s.deleteSetting, who(human), doc("Admin", "Go back to the default")),
	}
}

func (s *Server) listIPRules(ctx context.Context, _ *none) (*reply[api.IpRulesListResponse], error) {
	p := caller(ctx)
	all, err := s.site.Rules(ctx, p)
	if err != nil {
		return nil, err
	}
	return answer(api.IpRulesListResponse{Rules: listOf(all, func(r site.Rule) api.IpRuleResponse { return wireIPRule(p.Org, r) })})
}

type newIPRuleInput struct{ Body api.CreateIpRuleRequest }

func (s *Server) createIPRule(ctx context.Context, in *newIPRuleInput) (*reply[api.IpRuleResponse], error) {
	p := caller(ctx)
	r, err := s.site.AddRule(ctx, p, site.NewRule{
		Type: in.Body.RuleType, CIDR: in.Body.CIDR, Label: in.Body.RuleLabel(), AppliesTo: in.Body.AppliesTo,
	})
	if err != nil {
		return nil, err
	}
	return answer(wireIPRule(p.Org, r))
}

type ipRuleInput struct {
	RuleID id.ID `path:"rule_id" format:"uuid"`
}

func (s *Server) deleteIPRule(ctx context.Context, in *ipRuleInput) (*none, error) {
	return nil, s.site.DeleteRule(ctx, caller(ctx), in.RuleID)
}

func wireIPRule(org id.ID, r site.Rule) api.IpRuleResponse {
	return api.IpRuleResponse{
		ID: r.ID.String(), OrgID: org.String(), RuleType: string(r.Type), CIDR: r.Network.String(), Label: r.Label,
		AppliesTo: string(r.AppliesTo), CreatedBy: wirePrincipal(r.CreatedBy), CreatedAt: api.At(r.CreatedAt),
	}
}

func (s *Server) listSettings(ctx context.Context, _ *none) (*reply[api.SettingsListResponse], error) {
	all, err := s.site.Settings(ctx, caller(ctx))
	if err != nil {
		return nil, err
	}
	return answer(api.SettingsListResponse{Settings: listOf(all, wireSetting)})
}

type settingInput struct {
	Key string `path:"key"`
}

func (s *Server) getSetting(ctx context.Context, in *settingInput) (*reply[api.SettingResponse], error) {
	v, err := s.site.Setting(ctx, caller(ctx), in.Key)
	if err != nil {
		return nil, err
	}
	return answer(wireSetting(v))
}

type updateSettingInput struct {
	Key  string `path:"key"`
	Body api.UpdateSettingRequest
}

func (s *Server) updateSetting(ctx context.Context, in *updateSettingInput) (*reply[api.SettingResponse], error) {
	v, err := s.site.Set(ctx, caller(ctx), in.Key, in.Body.Value)
	if err != nil {
		return nil, err
	}
	return answer(wireSetting(v))
}

func (s *Server) deleteSetting(ctx context.Context, in *settingInput) (*none, error) {
	return nil, s.site.Unset(ctx, caller(ctx), in.Key)
}

func wireSetting(v site.Setting) api.SettingResponse {
	return api.SettingResponse{Key: v.Key, Value: v.Value, UpdatedBy: wirePrincipal(v.UpdatedBy), UpdatedAt: api.At(v.UpdatedAt)}
}
