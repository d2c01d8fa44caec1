package e2e

import (
	"strings"
	"testing"
)

// TestNodesCredentialsStayInTheRegistry: a node's URL often is a credential. What
// is logged and answered when nodes do not answer, or answer nonsense, names
// hosts only.
func TestNodesCredentialsStayInTheRegistry(t *testing.T) {
	const key = "key4711"
	d := newLocal(t)
	d.args = append(d.args, "--set", "log.level=debug")
	d.start()
	away := "http://u:" + key + "@127.0.0.1:1/v3/" + key + "?k=" + key
	for _, nodes := range []string{away, aNode(t, 0, atOnce) + "/openapi/" + key + "," + away, d.api + "/v3/" + key} {
		path := paying(t, d, nodes)
		for _, what := range []string{"", "/sign", "/simulate"} {
			a := d.human().do("POST", path+what, pay("0"))
			if strings.Contains(string(a.body), key) {
				t.Errorf("%s answers %s", what, a.body)
			}
		}
		if got := d.as("").do("GET", "/v1/chains", nil).is(t, 200); strings.Contains(string(got.body), key) {
			t.Errorf("the public list has it: %s", got.body)
		}
	}
	log := d.log()
	if !strings.Contains(log, "127.0.0.1:1: ") {
		t.Errorf("the log says nothing of nodes:\n%s", log)
	}
	for _, line := range lines(log) {
		if strings.Contains(line, key) {
			t.Errorf("the log has a node's credential: %s", line)
		}
	}
	if all := d.human().do("GET", "/v1/audit/events?limit=1000", nil).is(t, 200); strings.Contains(string(all.body), key) {
		t.Error("the audit log has a node's credential")
	}
}
