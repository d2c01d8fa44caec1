package forwardproxy

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"github.com/oneclaw/oneclawd/internal/fault"
	"github.com/oneclaw/oneclawd/internal/fault/faulthttp"
)

// What a request is refused with. Nothing of it has left then.
var (
	errNotProxy    = fault.New(fault.Invalid, "not_a_proxy_request", "this is a proxy: set HTTPS_PROXY to it; GET /ca.pem has what clients have to trust")
	errCredentials = fault.New(fault.Unauthenticated, "proxy_credentials", "Proxy-Authorization must be Basic, of an agent's id and key, or Bearer, with its token: HTTPS_PROXY=http://agent_id:ocv_key@host:port")
	errTarget      = fault.New(fault.Invalid, "invalid_target", "a tunnel is to host:port, with a name that is one")
	errAddress     = fault.New(fault.Denied, "target_is_an_address", "a tunnel is to a host by its name, never to an address")
	errHost        = fault.New(fault.Denied, "host_not_listed", "this host is not on the list of the forward proxy (forward.hosts)")
	errMisdirected = fault.New(fault.Invalid, "misdirected_request", "the request names another host than its tunnel is to")
	errUpgrade     = fault.New(fault.Unprocessable, "upgrade_refused", "Upgrade and WebSocket are not let through: what comes behind them could not be inspected")
	errMethod      = fault.New(fault.Invalid, "invalid_method", "the method must be one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, and the target a path")
	errTooLarge    = fault.New(fault.TooLarge, "request_too_large", "a request may have at most 5 MB: it is read whole before any of it leaves")
	errCutOff      = fault.New(fault.Invalid, "cut_off", "the request was cut off")
	errEncoded     = fault.New(fault.Invalid, "encoded_body", "send the body without Content-Encoding: it has to be read")
	errHolds       = fault.New(fault.Denied, "secret_in_request", "the request holds a value of the vaults")
	errPlaceholder = fault.New(fault.Invalid, "placeholder_not_filled", "a request to a provider of models has its placeholder in the header of the provider's key, and nowhere else")
	errBusy        = fault.New(fault.RateLimited, "too_many_requests_under_way", "the agent has as many requests or tunnels open as it may")
	errDisguise    = fault.New(fault.Unprocessable, "answer_withheld", "the answer held a value in disguise")
	errBroken      = fault.New(fault.Unavailable, "answer_broken", "the host's answer cannot be passed on")
	errLeft        = fault.New(fault.Unavailable, "abandoned", "the client went away")
)

// ErrSealed is the answer of an appliance without its keys.
var ErrSealed = fault.New(fault.Sealed, "sealed", "the appliance is sealed; an operator unseals it with `oneclawd unseal`")

// codes are refusals that are told otherwise than others of their kind.
var codes = map[string]int{
	errMisdirected.Code: http.StatusMisdirectedRequest, errUpgrade.Code: http.StatusNotImplemented,
	errDisguise.Code: http.StatusBadGateway, errBroken.Code: http.StatusBadGateway, "answer_encoded": http.StatusBadGateway,
	"target_unreachable": http.StatusBadGateway, "target_timeout": http.StatusGatewayTimeout, "host_forbidden": http.StatusForbidden,
}

// explain is what may be told of an error.
func explain(err error) (status int, f *fault.Error) {
	if f = fault.As(err); f == nil || f.Kind == fault.Internal {
		return http.StatusInternalServerError, fault.New(fault.Internal, "internal", "an internal error")
	}
	if status, ok := codes[f.Code]; ok {
		return status, f
	}
	return faulthttp.Status(f.Kind), f
}

// Refuse answers with a problem (RFC 9457).
func Refuse(w http.ResponseWriter, err error) {
	status, f := explain(err)
	write(w, status, f)
}

// refuseProxy answers whoever asks the proxy itself: what it does not know the caller
// by is Proxy-Authorization.
func refuseProxy(w http.ResponseWriter, err error) {
	status, f := explain(err)
	if status == http.StatusUnauthorized {
		status = http.StatusProxyAuthRequired
		w.Header()["Proxy-Authenticate"] = []string{`Basic realm="oneclawd", charset="UTF-8"`, `Bearer realm="oneclawd"`}
	}
	write(w, status, f)
}

func write(w http.ResponseWriter, status int, f *fault.Error) {
	body, err := json.Marshal(struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
		Code   string `json:"code"`
	}{"about:blank", http.StatusText(status), status, f.Msg, f.Code})
	if err != nil { // strings and a number always can be
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if f.RetryAfter > 0 {
		h.Set("Retry-After", strconv.FormatInt(int64((f.RetryAfter+time.Second-1)/time.Second), 10))
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
