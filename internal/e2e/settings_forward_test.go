package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"testing"

	"github.com/oneclaw/oneclawd/internal/porttest"
)

// The cases of TestEverySettingDoesSomething that are about the forward proxy.

// through asks the forward proxy at an address for a tunnel to a host, or a path of its own
// where there is none.
func through(t *testing.T, address, target, credentials string) int {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		return 0
	}
	defer c.Close()
	fmt.Fprintf(c, "CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", target, target, credentials)
	res, err := http.ReadResponse(bufio.NewReader(c), &http.Request{Method: "CONNECT"})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	return res.StatusCode
}

func settingForward(t *testing.T, l *lab) {
	l.refusesSet(t, "forward.listen", "forward.listen=nowhere")
	address := porttest.Address(t)
	d := l.with(t, "forward.listen="+address)
	if got := through(t, address, "api.openai.com:443", ""); got != 407 {
		t.Errorf("without credentials: %d", got)
	}
	d.kill()
	l.with(t, "forward.listen=")
	if through(t, address, "api.openai.com:443", "") != 0 {
		t.Error("somebody listens")
	}
}

// goes is the status of a GET through the forward proxy of a daemon with settings, 0 if
// there is no tunnel.
func (l *lab) goes(t *testing.T, host string, settings ...string) int {
	t.Helper()
	f := &forwarding{address: porttest.Address(t)}
	f.daemon = l.with(t, append(settings, "forward.listen="+f.address, "egress.allow_loopback=true")...)
	defer f.kill()
	f.agent = f.talker(t, nil)
	f.learn(t)
	res, err := f.goClient(t).Get("https://" + host + "/v1/charges?a=b%20c")
	if err != nil {
		return 0
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
	return res.StatusCode
}

func settingForwardHosts(t *testing.T, l *lab) {
	for _, bad := range []string{"*", "10.0.0.1", "https://10.0.0.1:8443", "a b"} {
		l.refusesSet(t, "forward.hosts", "forward.hosts="+bad)
	}
	host, ca, _ := service(t)
	for hosts, want := range map[string]int{host: 200, "localhost": 0, "other.example": 0} {
		if got := l.goes(t, host, "forward.hosts="+hosts, "egress.ca_file="+ca); got != want {
			t.Errorf("forward.hosts=%s: %d, want %d", hosts, got, want)
		}
	}
}

func settingForwardPlain(t *testing.T, l *lab) {
	port := porttest.Port(t)
	on := "forward.listen=0.0.0.0:" + port
	newDaemon(t, l.base.data, append(l.base.args[:len(l.base.args):len(l.base.args)], "--set", on)...).refuses(2, "forward.listen", "forward.shared_cert", "forward.plain_http")
	l.with(t, on, "forward.plain_http=true")
	if got := through(t, "127.0.0.1:"+port, "api.openai.com:443", ""); got != 407 {
		t.Errorf("%d", got)
	}
}

// settingForwardTLS is about the four settings of certificates, like settingShroudTLS.
func settingForwardTLS(t *testing.T, l *lab) {
	certificates(t, l, "forward", func(d *daemon) string {
		at := regexp.MustCompile(`msg="forward proxy" url=(\S+)`).FindStringSubmatch(d.log())
		if at == nil {
			t.Fatal("the log does not say where the forward proxy is")
		}
		return at[1] + "/ca.pem"
	})
}
