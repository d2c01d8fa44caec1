package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

var (
	fenced     = regexp.MustCompile("(?ms)^```(?:sh|console|bash|shell)\n(.*?)^```")
	assignment = regexp.MustCompile(`([A-Z_]+)=(\S+)`)
	fieldName  = regexp.MustCompile(`"([a-z_]+)"`)
)

// TestReadmeLines does what the README says, as its reader would: runs each
// curl line, and gives a variable that the text leaves open (NAME=…) the value
// of the field that the comment behind it names.
func TestReadmeLines(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Skip("no README.md")
	}
	d := newDev(t).start()
	vars := map[string]string{}
	answer, ran := "", 0
	for _, block := range fenced.FindAllStringSubmatch(string(readme), -1) {
		for _, line := range lines(block[1]) {
			code, comment, _ := strings.Cut(line, " #")
			switch {
			case strings.HasPrefix(code, "curl "):
				answer = readmeLine(t, code, vars)
				ran++
			case assignment.MatchString(code) && strings.HasPrefix(code, assignment.FindString(code)):
				fields := fieldName.FindAllStringSubmatch(comment, -1)
				for i, m := range assignment.FindAllStringSubmatch(code, -1) {
					switch {
					case m[1] == "API":
						vars["API"] = d.api
					case m[1] == "KEY":
						vars["KEY"] = d.owner.APIKey
					case strings.HasSuffix(m[2], "…") && i < len(fields):
						vars[m[1]] = field(t, answer, fields[i][1])
					}
				}
			}
		}
	}
	if ran == 0 {
		t.Skip("README.md has no curl lines")
	}
}

// readmeLine runs a line and checks that it is answered as the text around it
// says: all is well, but the path that was not granted is refused.
func readmeLine(t *testing.T, line string, vars map[string]string) string {
	t.Helper()
	cmd := exec.Command("sh", "-uc", line+` -w '\n%{http_code}'`)
	cmd.Env = os.Environ()
	for name, value := range vars {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", line, err, out)
	}
	at := strings.LastIndex(string(out), "\n")
	body, status := string(out[:at]), string(out[at+1:])
	if refused := strings.Contains(line, "db/password"); refused != (status == "403") || !refused && status[0] != '2' {
		t.Errorf("%s: status %s\n%s", line, status, body)
	}
	return body
}

// field finds a field of an answer, in whatever object it is.
func field(t *testing.T, answer, name string) string {
	t.Helper()
	var v map[string]any
	if err := json.Unmarshal([]byte(answer), &v); err != nil {
		t.Fatalf("%q: %v", answer, err)
	}
	if s, ok := v[name].(string); ok {
		return s
	}
	for _, inner := range v {
		if o, ok := inner.(map[string]any); ok {
			if s, ok := o[name].(string); ok {
				return s
			}
		}
	}
	t.Fatalf("no %q in %s", name, answer)
	return ""
}
