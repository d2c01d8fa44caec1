package httpapi

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const metaKeys = "id path type version metadata created_at"

func TestS3EveryWriteIsANewVersion(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	url := v + "/secrets/api-keys/stripe"
	var ids []string
	for n := 1; n <= 3; n++ {
		a := l.want(step{name: "write", method: put, url: url, as: "owner", body: `{"value":"` + canary + `"}`, status: 201, keys: metaKeys, event: "secret.write success",
			has: []string{fmt.Sprintf(`"version":%d`, n), `"path":"api-keys/stripe"`}})
		ids = append(ids, a.text("id"))
	}
	if ids[0] != ids[1] || ids[1] != ids[2] {
		t.Errorf("S13: the id changes with the version: %v", ids)
	}
	read := l.want(step{name: "read", url: url, as: "owner", status: 200, reveals: true, event: "secret.read success",
		keys: metaKeys + " value created_by cmek_encrypted", has: []string{`"version":3`, `"value":"` + canary + `"`}})
	if read.text("id") != ids[0] {
		t.Error("the id of a read is another")
	}
	if e := l.logged(read); string(e.Details["path"]) != `"api-keys/stripe"` || e.Resource.Type != "secret" || e.Resource.ID != "api-keys/stripe" ||
		!strings.Contains(v, strings.Trim(string(e.Details["vault_id"]), `"`)) || e.Actor.Type != "user" || e.IP != "192.0.2.1" {
		t.Errorf("the event of a read: %+v", e)
	}
}

func TestS4Types(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	write := func(path, more string) step {
		return step{name: more, method: put, url: v + "/secrets/" + path, as: "owner", body: `{"value":"x"` + more + `}`, status: 201}
	}
	for _, typ := range []string{"generic", "password", "api_key", "certificate", "private_key", "ssh_key", "env", "env_bundle", "file", "note", "token"} {
		s := write("t-"+typ[:1]+fmt.Sprint(len(typ)), `,"type":"`+typ+`"`)
		s.has = []string{`"type":"` + typ + `"`}
		l.want(s)
	}
	for _, tt := range []struct{ path, more, typ string }{
		{"a", "", "generic"},
		{"a", `,"type":"private_key"`, "private_key"},
		{"a", "", "private_key"}, // an omitted type does not downgrade
		{"a", `,"type":null`, "private_key"},
		{"a", `,"type":""`, "private_key"},
		{"a", `,"type":"note"`, "note"},
		{"b", `,"secret_type":"env_bundle"`, "env_bundle"}, // T14
		{"b", `,"secret_type":"env","type":"file"`, "file"},
	} {
		s := write(tt.path, tt.more)
		s.has = []string{`"type":"` + tt.typ + `"`}
		l.want(s)
	}
	for _, more := range []string{`,"type":"` + canary + `"`, `,"secret_type":"keys"`, `,"type":"Generic"`} {
		s := write("a", more)
		s.status, s.has = 400, []string{`"code":"invalid_secret_type"`}
		l.want(s)
	}
}

func TestS5ValuesComeBackByteForByte(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	for name, value := range map[string]string{
		"empty": "", "spaces": "  x \n", "quotes": `"'\` + "`", "html": "<a href='&'>", "unicode": "zażółć 😀 \u2028\ufeff", "control": "a\x00\x01\x7f\tb",
		"json": `{"a":[1,2]}`, "long": strings.Repeat("0123456789abcdef", 64<<10),
	} {
		body, _ := json.Marshal(map[string]string{"value": value})
		l.want(step{name: name, method: put, url: v + "/secrets/a", as: "owner", body: string(body), status: 201})
		if got := l.want(step{name: name, url: v + "/secrets/a", as: "owner", status: 200}).text("value"); got != value {
			t.Errorf("%s: %.60q", name, got)
		}
	}
}

func TestS6GoneIsNotNeverThere(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	soon := l.clock.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	set := func(path, more string) {
		l.want(step{method: put, url: v + "/secrets/" + path, as: "owner", body: `{"value":"` + canary + `"` + more + `}`, status: 201})
	}
	read := func(name, path string, status int, event string) {
		l.want(step{name: name, url: v + "/secrets/" + path, as: "owner", status: status, event: event, reveals: status == 200})
	}
	read("never there", "never", 404, "secret.read refused secret_not_found")
	set("deleted", "")
	l.want(step{name: "delete", method: remove, url: v + "/secrets/deleted", as: "owner", status: 204, event: "secret.delete success"})
	read("deleted", "deleted", 410, "secret.read refused secret_deleted")
	l.want(step{name: "its versions", url: v + "/secret-version/deleted/1", as: "owner", status: 410})
	l.want(step{name: "their list", url: v + "/secret-versions/deleted", as: "owner", status: 410})
	l.want(step{name: "rotating it", method: post, url: v + "/secret-rotate/deleted", as: "owner", status: 410})
	l.want(step{name: "delete twice", method: remove, url: v + "/secrets/deleted", as: "owner", status: 410, event: "secret.delete refused secret_deleted"})
	l.want(step{name: "delete what never was", method: remove, url: v + "/secrets/never", as: "owner", status: 404, event: "secret.delete refused secret_not_found"})
	l.want(step{name: "written again", method: put, url: v + "/secrets/deleted", as: "owner", body: `{"value":"x"}`, status: 201, has: []string{`"version":2`}})
	read("alive", "deleted", 200, "secret.read success")

	set("expiring", `,"expires_at":"`+soon+`"`)
	read("before it expires", "expiring", 200, "secret.read success")
	l.clock.advance(time.Hour + time.Second)
	l.tokens["owner"] = l.tokens["key"]
	read("expired", "expiring", 410, "secret.read refused secret_expired")
	set("expiring", "")
	read("a new version is not", "expiring", 200, "secret.read success")
	l.run(t, []step{
		{name: "expiry in the past", method: put, url: v + "/secrets/a", as: "owner", body: `{"value":"x","expires_at":"2020-01-01T00:00:00Z"}`, status: 400, has: []string{"expiry_in_past"}},
		{name: "so long past that it looks like none", method: put, url: v + "/secrets/a", as: "owner", body: `{"value":"x","expires_at":"0001-01-01T00:00:00Z"}`, status: 400, has: []string{`"expires_at":"is out of range`}},
		{name: "so far off that no reader takes it", method: put, url: v + "/secrets/a", as: "owner", body: `{"value":"x","expires_at":"9999-12-31T23:59:59-10:00"}`, status: 400, has: []string{`"expires_at":"is out of range`}},
		{name: "no date", method: put, url: v + "/secrets/a", as: "owner", body: `{"value":"x","expires_at":"2100-02-30T00:00:00Z"}`, status: 400},
		{name: "no zone", method: put, url: v + "/secrets/a", as: "owner", body: `{"value":"x","expires_at":"2100-02-03T00:00:00"}`, status: 400},
		{name: "no reads at all", method: put, url: v + "/secrets/a", as: "owner", body: `{"value":"x","max_access_count":0}`, status: 400, has: []string{"invalid_max_access_count"}},
		{name: "fewer", method: put, url: v + "/secrets/a", as: "owner", body: `{"value":"x","max_access_count":-1}`, status: 400},
		{name: "over int32", method: put, url: v + "/secrets/a", as: "owner", body: `{"value":"x","max_access_count":2147483648}`, status: 400},
		{name: "null means any number", method: put, url: v + "/secrets/a", as: "owner", body: `{"value":"x","max_access_count":null,"expires_at":null,"metadata":null}`, status: 201, keys: metaKeys},
	})
}

func TestS7ExactlySoManyReads(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	url := v + "/secrets/limited"
	limit := func(n int) {
		l.want(step{method: put, url: url, as: "owner", body: fmt.Sprintf(`{"value":%q,"max_access_count":%d}`, canary, n), status: 201})
	}
	limit(7)
	for range 3 { // looking does not count
		l.want(step{name: "list", url: v + "/secrets", as: "owner", status: 200, has: []string{`"limited"`}})
		l.want(step{name: "versions", url: v + "/secret-versions/limited", as: "owner", status: 200})
	}
	var ok, gone atomic.Int32
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			switch a := l.send(step{url: url, as: "owner"}); a.Code {
			case 200:
				ok.Add(1)
			case 410:
				gone.Add(1)
			}
		})
	}
	wg.Wait()
	if ok.Load() != 7 || gone.Load() != 13 {
		t.Errorf("%d reads, %d refused", ok.Load(), gone.Load())
	}
	l.want(step{name: "exhausted", url: url, as: "owner", status: 410, event: "secret.read refused secret_exhausted"})
	l.want(step{name: "by its number too", url: v + "/secret-version/limited/1", as: "owner", status: 410})
	l.want(step{name: "not listed any more", url: v + "/secrets", as: "owner", status: 200, has: []string{`{"secrets":[]}`}})
	limit(1)
	l.want(step{name: "a new version counts anew", url: url, as: "owner", status: 200, reveals: true})
	l.want(step{name: "once", url: url, as: "owner", status: 410})
}

func TestS8ListingShowsWhatMayBeRead(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	for _, p := range []string{"b", "a/x", "a/y", "ab"} {
		l.put(v, p, canary)
	}
	l.put(v, "a/x", canary)
	bot, blind := l.agent("bot", ""), l.agent("blind", "")
	l.grant("owner", v, bot, "a/*", `["read"]`, "")
	l.grant("owner", v, blind, "a/*", `["write","delete"]`, "")
	l.renew("bot", bot)
	l.renew("blind", blind)
	for _, tt := range []struct {
		as, query string
		want      []string
	}{
		{"owner", "", []string{"a/x", "a/y", "ab", "b"}},
		{"owner", "?prefix=a", []string{"a/x", "a/y", "ab"}},
		{"owner", "?prefix=a/", []string{"a/x", "a/y"}},
		{"owner", "?prefix=a%2Fx", []string{"a/x"}},
		{"owner", "?prefix=zzz", nil},
		{"owner", "?prefix=", []string{"a/x", "a/y", "ab", "b"}},
		{"bot", "", []string{"a/x", "a/y"}},
		{"bot", "?prefix=b", nil},
		{"blind", "", nil},
	} {
		a := l.want(step{name: tt.as + tt.query, url: v + "/secrets" + tt.query, as: tt.as, status: 200, keys: "secrets", event: "secret.list success", lacks: []string{`"value"`}})
		if got := a.list("secrets", "path"); !slices.Equal(got, append([]string{}, tt.want...)) {
			t.Errorf("%s%s: %v, want %v", tt.as, tt.query, got, tt.want)
		}
	}
	a := l.want(step{url: v + "/secrets", as: "owner", status: 200, at: "secrets.0", keys: metaKeys})
	if a.value("secrets.0.version") != 2.0 {
		t.Errorf("not the latest version: %s", a.Body)
	}
	l.run(t, []step{
		{name: "a vault of others", url: v + "/secrets", as: "member", status: 403, event: "secret.list refused access_denied"},
		{name: "of another organisation", url: v + "/secrets", as: "stranger", status: 404, event: "secret.list refused vault_not_found"},
	})
}

func TestS9Permissions(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	for perms, may := range map[string]struct{ read, write, del int }{
		`["read"]`:                  {200, 403, 403},
		`["write"]`:                 {403, 201, 204},
		`["delete"]`:                {403, 403, 204},
		`["read","write","delete"]`: {200, 201, 204},
	} {
		path := strings.Trim(strings.NewReplacer(`"`, "", ",", "-").Replace(perms), "[]")
		l.put(v, path, canary)
		bot := l.agent("bot", "")
		l.grant("owner", v, bot, path, perms, "")
		l.renew("bot", bot)
		url := v + "/secrets/" + path
		l.want(step{name: perms, url: url, as: "bot", status: may.read, reveals: may.read == 200})
		l.want(step{name: perms, url: v + "/secret-version/" + path + "/1", as: "bot", status: may.read, reveals: may.read == 200})
		l.want(step{name: perms, url: v + "/secret-versions/" + path, as: "bot", status: may.read})
		l.want(step{name: perms, method: put, url: url, as: "bot", body: `{"value":"y"}`, status: may.write})
		l.want(step{name: perms, method: post, url: v + "/secret-rotate/" + path, as: "bot", status: map[int]int{201: 200, 403: 403}[may.write]})
		l.want(step{name: perms, method: remove, url: url, as: "bot", status: may.del})
	}
}

func TestS10SigningKeysAreNotForIntentsAgents(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	for path, typ := range map[string]string{"key": "private_key", "ssh": "ssh_key", "plain": "api_key"} {
		l.want(step{method: put, url: v + "/secrets/" + path, as: "owner", body: `{"value":"` + canary + `","type":"` + typ + `"}`, status: 201})
	}
	l.want(step{method: put, url: v + "/secrets/key", as: "owner", body: `{"value":"x","type":"note"}`, status: 201}) // the old version is still one
	bot := l.agent("bot", `,"intents_api_enabled":true`)
	l.grant("owner", v, bot, "**", `["read","write","delete"]`, "")
	l.renew("bot", bot)
	const event = "secret.read refused signing_key_protected"
	l.run(t, []step{
		{name: "ssh_key", url: v + "/secrets/ssh", as: "bot", status: 403, event: event},
		{name: "an old version", url: v + "/secret-version/key/1", as: "bot", status: 403, event: event},
		{name: "the newer one", url: v + "/secrets/key", as: "bot", status: 200},
		{name: "another type", url: v + "/secrets/plain", as: "bot", status: 200, reveals: true},
	})
	own := l.vault("bot", "its own")
	l.want(step{method: put, url: own + "/secrets/k", as: "bot", body: `{"value":"` + canary + `","type":"private_key"}`, status: 201})
	l.want(step{name: "even of its own vault", url: own + "/secrets/k", as: "bot", status: 403, event: event})
	later := l.agent("later", "")
	l.grant("owner", v, later, "**", `["read"]`, "")
	l.renew("later", later)
	l.want(step{name: "before the flag", url: v + "/secrets/ssh", as: "later", status: 200, reveals: true})
	l.want(step{method: patch, url: "/v1/agents/" + later.id, as: "owner", body: `{"intents_api_enabled":true}`, status: 200})
	l.want(step{name: "after it, with the old token", url: v + "/secrets/ssh", as: "later", status: 403, event: event})
}

func TestS11Versions(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	for _, value := range []string{"one", "two", canary} {
		l.put(v, "a/b", value)
	}
	one := v + "/secret-version/a/b/"
	l.run(t, []step{
		{name: "all", url: v + "/secret-versions/a/b", as: "owner", status: 200, at: "versions.0", keys: metaKeys + " created_by is_disabled",
			has: []string{`"version":3`, `"version":2`, `"version":1`}, lacks: []string{`"value"`}, event: "secret.list success"},
		{name: "escaped", url: v + "/secret-versions/a%2Fb", as: "owner", status: 200},
		{name: "first", url: one + "1", as: "owner", status: 200, has: []string{`"value":"one"`, `"version":1`}, event: "secret.read success"},
		{name: "escaped path", url: v + "/secret-version/a%2Fb/2", as: "owner", status: 200, has: []string{`"value":"two"`}},
		{name: "latest", url: one + "3", as: "owner", status: 200, reveals: true, has: []string{canary}},
		{name: "beyond", url: one + "4", as: "owner", status: 404, event: "secret.read refused secret_not_found"},
		{name: "none", url: one + "0", as: "owner", status: 404},
		{name: "negative", url: one + "-1", as: "owner", status: 400, has: []string{`"version":"must be an integer"`}},
		{name: "no number", url: one + canary, as: "owner", status: 400},
		{name: "too large", url: one + "4294967297", as: "owner", status: 400},
		{name: "a path that ends like a version", method: put, url: v + "/secrets/a/versions/1", as: "owner", body: `{"value":"mine"}`, status: 201},
		{name: "is a path", url: v + "/secrets/a/versions/1", as: "owner", status: 200, has: []string{`"value":"mine"`}},

		{name: "disable an old one", method: post, url: v + "/secret-version-disable/a/b/1", as: "owner", status: 200, event: "secret.disable_version success",
			has: []string{`"is_disabled":true`, `"version":1`}},
		{name: "it is gone", url: one + "1", as: "owner", status: 410, event: "secret.read refused version_disabled"},
		{name: "others are not", url: one + "2", as: "owner", status: 200},
		{name: "twice is the same", method: post, url: v + "/secret-version-disable/a/b/1", as: "owner", status: 200},
		{name: "disable the latest", method: post, url: v + "/secret-version-disable/a/b/3", as: "owner", status: 200},
		{name: "the path is gone", url: v + "/secrets/a/b", as: "owner", status: 410},
		{name: "disable one that is not there", method: post, url: v + "/secret-version-disable/a/b/9", as: "owner", status: 404, event: "secret.disable_version refused secret_not_found"},
		{name: "disable without the right", method: post, url: v + "/secret-version-disable/a/b/2", as: "member", status: 403},
		{name: "a new version lives", method: put, url: v + "/secrets/a/b", as: "owner", body: `{"value":"four"}`, status: 201, has: []string{`"version":4`}},
		{name: "and is read", url: v + "/secrets/a/b", as: "owner", status: 200, has: []string{"four"}},
	})
}

func TestS11Rotate(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	rotate := v + "/secret-rotate/db/password"
	l.want(step{method: put, url: v + "/secrets/db/password", as: "owner", body: `{"value":"old","type":"password","metadata":{"team":"x"},"max_access_count":9}`, status: 201})
	for body, length := range map[string]int{"": 32, "{}": 32, `{"length":64,"charset":"hex"}`: 64, `{"charset":"digits"}`: 32, `{"length":null,"charset":""}`: 32} {
		l.want(step{name: body, method: post, url: rotate, as: "owner", body: body, status: 200, keys: metaKeys, event: "secret.rotate success",
			has: []string{`"type":"password"`, `"metadata":{"team":"x"}`}})
		value := l.want(step{url: v + "/secrets/db/password", as: "owner", status: 200}).text("value")
		if len(value) != length || value == "old" {
			t.Errorf("%s: a value of %d characters", body, len(value))
		}
	}
	l.run(t, []step{
		{name: "too short", method: post, url: rotate, as: "owner", body: `{"length":7}`, status: 400, has: []string{"invalid_rotation"}},
		{name: "too long", method: post, url: rotate, as: "owner", body: `{"length":1025}`, status: 400},
		{name: "another charset", method: post, url: rotate, as: "owner", body: `{"charset":"` + canary + `"}`, status: 400},
		{name: "nothing there", method: post, url: v + "/secret-rotate/nothing", as: "owner", status: 404},
		{name: "without the right", method: post, url: rotate, as: "member", status: 403},
	})
}

func TestS12MetadataAndRotationPolicyAreOpaque(t *testing.T) {
	l := newLive(t)
	v := l.vault("owner", "v")
	const meta = `{"n":12345678901234567890.10,"z":[1,{"a":null}],"a":"é"}`
	l.run(t, []step{
		{name: "written", method: put, url: v + "/secrets/a", as: "owner", body: `{"value":"x","metadata":` + meta + `,"rotation_policy":{"every":"30d","x":{}}}`, status: 201, has: []string{`"metadata":` + meta}},
		{name: "read", url: v + "/secrets/a", as: "owner", status: 200, has: []string{`"metadata":` + meta}},
		{name: "listed", url: v + "/secrets", as: "owner", status: 200, has: []string{`"metadata":` + meta}},
		{name: "not an object", method: put, url: v + "/secrets/a", as: "owner", body: `{"value":"x","metadata":[1]}`, status: 400, has: []string{`"metadata":"must be an object"`}},
		{name: "rotation_policy too", method: put, url: v + "/secrets/a", as: "owner", body: `{"value":"x","rotation_policy":"daily"}`, status: 400},
		{name: "left out", method: put, url: v + "/secrets/a", as: "owner", body: `{"value":"x"}`, status: 201, has: []string{`"metadata":{}`}},
	})
}
