package secret

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
)

// body is n lines of base64 as a key has them.
func body(n int) string {
	d := dice(21)
	var lines []string
	for range n {
		lines = append(lines, d.draw(base62, 64))
	}
	return strings.Join(lines, "\n")
}

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

// Samples are made when the test runs, so that no scanner takes this file for a leak.
func TestPlaces(t *testing.T) {
	d := dice(3)
	edge := func(side, kind string) string { return "-----" + side + " " + kind + "-----" }
	pem := edge("BEGIN", "RSA PRIVATE KEY") + "\n" + body(6) + "\n" + edge("END", "RSA PRIVATE KEY")
	escaped, _ := json.Marshal(pem)
	jwt := strings.TrimRight(b64(`{"alg":"HS256","typ":"JWT"}`), "=") + "." + strings.TrimRight(b64(`{"sub":"a93jd","exp":1790000000}`), "=") + "." + d.draw(base64url, 43)
	drawn := d.draw(base62, 43)
	pass := "s3cr3t" + "Pw9"
	phrase := "legal winner thank year wave sausage worth useful legal winner thank yellow"
	for _, c := range []struct{ name, text, rule, value string }{
		{"a key in PEM", "key:\n" + pem + "\nend", "private-key", pem},
		{"a key in PEM, in JSON", `{"private_key":` + string(escaped) + `}`, "private-key", strings.Trim(string(escaped), `"`)},
		{"a key in PEM, cut off", edge("BEGIN", "OPENSSH PRIVATE KEY") + "\n" + body(3), "private-key", edge("BEGIN", "OPENSSH PRIVATE KEY") + "\n" + body(3)},
		{"a PGP key", edge("BEGIN", "PGP PRIVATE KEY BLOCK") + "\nVersion: 1\n\n" + body(4) + "\n" + edge("END", "PGP PRIVATE KEY BLOCK"), "private-key", ""},
		{"a key in PEM in base64", "data: " + b64(pem), "private-key", b64(pem)},
		{"a key without its frame", "MIIEpAIBAAKC" + "AQEA" + body(4), "private-key", ""},
		{"a PuTTY key", "Private-Lines: 4\n" + body(4) + "\nPrivate-MAC: 00", "private-key", ""},
		{"a certificate", edge("BEGIN", "CERTIFICATE") + "\n" + body(6) + "\n" + edge("END", "CERTIFICATE"), "", ""},
		{"a public key", edge("BEGIN", "PUBLIC KEY") + "\n" + body(3) + "\n" + edge("END", "PUBLIC KEY"), "", ""},
		{"a frame without a key", edge("BEGIN", "PRIVATE KEY") + "\n...\n" + edge("END", "PRIVATE KEY"), "", ""},
		{"a JSON web key", `{"kty":"EC","crv":"P-256","x":"` + drawn + `","d": "` + drawn[1:] + `z"}`, "jwk", drawn[1:] + "z"},
		{"a public JSON web key", `{"kty":"EC","crv":"P-256","x":"` + drawn + `"}`, "", ""},
		{"a JSON web token", "Cookie: id=" + jwt, "jwt", jwt},
		{"the header of one", jwt[:36], "", ""},
		{"a seed phrase", "write down: " + phrase + ".", "seed-phrase", phrase},
		{"a numbered seed phrase", "1. Legal\n2. winner\n3. thank 4) year 5 wave, sausage worth useful legal winner thank yellow", "seed-phrase", ""},
		{"a phrase with a wrong checksum", strings.Replace(phrase, "yellow", "zebra", 1), "", ""},
		{"a Spanish seed phrase", "ábaco ábaco ábaco ábaco", "", ""},
		{"a wallet's key", "my private key is 0x" + d.draw(lowhex, 64), "wallet-key", ""},
		{"a hash", "the transaction is 0x" + d.draw(lowhex, 64), "", ""},
		{"a bearer token", "curl -H 'Authorization: Bearer " + drawn + "'", "bearer-token", drawn},
		{"basic authentication", "Authorization: Basic " + b64("deploy:"+pass), "basic-auth", b64("deploy:" + pass)},
		{"basic authentication of an example", "Authorization: Basic " + b64("username:password"), "", ""},
		{"Docker's configuration", `{"auths":{"r.internal":{"auth":"` + b64("deploy:"+pass) + `"}}}`, "docker-auth", b64("deploy:" + pass)},
		{"a bot of Telegram", "api.telegram.org/bot12345678" + ":AA" + d.draw(base64url, 33) + "/getMe", "telegram-token", ""},
		{"a bot of Discord", "run(" + `"MTk4NjIyNDgzNDcxOTI1MjQ4` + ".Cl2FMQ." + d.draw(base64url, 27) + `")`, "discord-token", ""},
		{"Mailchimp", d.draw(lowhex, 32) + "-us12", "mailchimp-key", ""},
		{"Twilio", "SK" + d.draw(lowhex, 32), "twilio-key", ""},
		{"New Relic", d.draw(lowhex, 36) + "NRAL", "newrelic-key", ""},
		{"an application of Facebook", "1234567890123456|" + d.draw(base64url, 27), "facebook-app-token", ""},
		{"the hash of a password", "root:$6$" + d.draw(base62, 16) + "$" + d.draw(base62, 86) + ":19000:0:99999:7:::", "password-hash", ""},
		{"a line of .pgpass", "db.internal:5432:app:deploy:" + pass, "pgpass", pass},
		{"a line of .netrc", "machine api.internal login deploy password " + pass, "password-in-text", pass},
		{"a URL", "amqps://deploy:" + pass + "@mq.internal:5671/%2f", "url-password", pass},
		{"a URL without", "https://deploy@git.internal/x.git", "", ""},
		{"a URL of an example", "postgres://user:password@localhost/db", "", ""},
		{"a command", "curl --user 'deploy:" + pass + "' https://x", "command-account", pass},
		{"a password of a database's command", "mysql -uroot -p" + pass + " db", "command-password", pass},
		{"a password of a copying command", "sshpass -p '" + pass + "' scp a b:", "command-password", pass},
		{"a password of letters of that command", "sshpass -p 'kmdHvUdRwJ' ssh a@b", "command-password", "kmdHvUdRwJ"},
		{"a variable of that command", "sshpass -p $PASSWORD ssh a@b", "", ""},
		{"a wallet's key, called so", "here is the private key 0x" + d.draw(lowhex, 64) + " of it", "wallet-key", ""},
		{"a hash beside a private key", "the private key is elsewhere; the transaction is 0x" + d.draw(lowhex, 64), "", ""},
		{"a key to be imported", "wif 5HueCGU8rMjxEXxiPu" + "D5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ ok", "wallet-key", "5HueCGU8rMjxEXxiPu" + "D5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTJ"},
		{"one whose checksum is wrong", "wif 5HueCGU8rMjxEXxiPu" + "D5BDku4MkFqeZyd4dZ1jvhTVqvbTLvyTK ok", "", ""},
		{"Okta", "Authorization: SSWS 00" + d.draw(base64url, 40), "bearer-token", ""},
		{"ClickUp", "pk_42729235_" + d.draw(upper32, 32), "clickup-token", ""},
		{"a key of Stripe for everybody", "use pk_live_" + d.draw(base62, 24) + " there", "", ""},
		{"a version", "github.com/cockroachdb/tokenbucket v0.0.0-20230807174530-cc333fc44b06/go.mod", "", ""},
		{"a port of a command", "nc -p 8080a1 host", "", ""},
		{"a password in a column", "Ldap password      ----   " + pass, "password-in-text", pass},
		{"an environment variable of an image", "ENV DB_PASS " + pass, "password-in-text", pass},
		{"a statement", "CREATE USER deploy IDENTIFIED BY '" + pass + "'", "password-in-text", pass},
		{"a framework's key", "SECRET_KEY = 'd*p(#9x&_0o!w^5z-q+v1h2k@3m4n7b8c$6f'", "key-assignment", ""},
		{"a word in quotes", `password = "goodspec"`, "password-assignment", "goodspec"},
		{"a signature of a URL", "https://a.blob.internal/c?sv=1&sig=" + d.draw(base62, 43) + "%3D&x", "azure-sas", ""},
		{"a webhook", "https://discord.com/api/" + "webhooks/987654321098765432/" + d.draw(base62, 68), "discord-webhook", ""},
		{"a container's user", "docker run -u 1000:1000 image", "", ""},
		{".NET", `new NetworkCredential("deploy", "` + pass + `")`, "call-with-password", pass},
		{"a whole text", d.draw(base64url, 44), "random-text", ""},
		{"a long random value", `s.Add("x", "y"); v := "` + d.draw(base62, 40) + `"`, "random-value", ""},
		{"an identifier", `"request_id": "` + d.draw(base62, 40) + `"`, "", ""},
	} {
		found := Find(c.text)
		if c.rule == "" {
			if len(found) > 0 {
				t.Errorf("%s: found %+v", c.name, found)
			}
			continue
		}
		if len(found) == 0 || found[0].Rule != c.rule {
			t.Errorf("%s: found %+v in %q", c.name, found, c.text)
			continue
		}
		if got := c.text[found[0].Start:found[0].End]; c.value != "" && got != c.value {
			t.Errorf("%s: found %q, want %q", c.name, got, c.value)
		}
	}
}

// The same assignment in many languages, and what only looks like one.
func TestAssignments(t *testing.T) {
	d := dice(8)
	v := d.draw(base62, 32)
	for _, form := range []string{
		"API_TOKEN=%", "export API_TOKEN='%'", "api_token: %", `"api_token": "%"`, `'apiToken' => '%',`, `apiToken := "%"`, `var apiToken string = "%"`,
		`api_token: str = "%"`, `<apiToken>%</apiToken>`, `<property name="api.token" value="%"/>`, "- name: API_TOKEN\n  value: \"%\"", `{"name": "API_TOKEN", "value": "%"}`,
		`System.setProperty("API_TOKEN", "%")`, `define('API_TOKEN', '%');`, "tool --api-token % run", "tool --api-token=%", "https://x.internal/a?api_token=%&b=1",
		"a?api_token%3D%&", `{\"api_token\":\"%\"}`, "set API_TOKEN=%", "$env:API_TOKEN = \"%\"", "api_token   %", `config["api_token"] = "%"`, "api_token = \"\"\"%\"\"\"", "X-Api-Token: %", "my api token is %",
	} {
		text := strings.Replace(form, "%", v, 1)
		if form[1:] == "?api_token%3D%&" {
			text = "a?api_token%3D" + v + "&"
		}
		if found := Find(text); len(found) != 1 || text[found[0].Start:found[0].End] != v {
			t.Errorf("%q: found %+v", text, found)
		}
	}
	for _, text := range []string{
		"token = request.headers.get(name)", "token = tokens[17]", `token: "${{ secrets.API_TOKEN }}"`, "max_tokens=40961234567890", "token_url=https://x.internal/oauth2/token1a2b3c",
		"password_file: /run/secrets/db1", `"password": "string"`, `type="password" name="password1" id="password1"`, "public_key=" + v, "tokenizer = " + v, "password: ********", "password = None", "api_key: <api-key>",
		"secret/data/db1", "The token rotates every 24h.", "keyboard: qwerty12345678", "passport: C01234565", "password must be 12 characters long", "key: \"" + "attached_file_0\"", "author: j0hn5m1th99aa77bb",
		"primaryKey: 8f14e45fceea167a5a36dedd4bea2543", "sha256-" + d.draw(base64url, 43), "pass 1 of 2x", "tokens: 128k", "session_id=" + v[:20], "h1:" + d.draw(base62, 43) + "=",
	} {
		for _, m := range Find(text) {
			t.Errorf("%q is %+v", text, m)
		}
	}
}
