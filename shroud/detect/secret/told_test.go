package secret

import (
	"strings"
	"testing"
)

// What is in ⟦ ⟧ is told to be a password; in texts without that nothing is. The values
// are put together here, so that no scanner takes this file for a leak.
func TestToldPasswords(t *testing.T) {
	sample := "k8#mP" + "q2vL"
	for _, text := range []string{
		"my password is ⟦⟧.", "The password for the admin account is ⟦⟧, change it.", "user bob, pw ⟦⟧", "machine x login bob password ⟦⟧",
		"Das Passwort für den Server: ⟦⟧", "Le mot de passe est « ⟦⟧ »", "La contraseña es: ⟦⟧", "La mia password è ⟦⟧", "Moje hasło to ⟦⟧",
		"Lösenord: ⟦⟧", "Şifrem ⟦⟧", "Пароль: ⟦⟧", "我的密码是⟦⟧。", "パスワード：⟦⟧", "비밀번호는 ⟦⟧ 입니다", "मेरा पासवर्ड ⟦⟧ है", "كلمة السر هي ⟦⟧", "Mật khẩu: ⟦⟧",
		"Credentials: bob / ⟦⟧", "creds are bob:⟦⟧",
		"$pw = ConvertTo-SecureString \"⟦⟧\" -AsPlainText", "variable \"db_password\" {\n  default = \"⟦⟧\"\n}", "WIFI:T:WPA;S:Home;P:⟦⟧;;",
		"<Password><Value>⟦⟧</Value></Password>", "net use Z: \\\\srv\\share ⟦⟧ /user:bob", "jdbc:oracle:thin:scott/⟦⟧@//db:1521/X", "schtasks /create /ru bob /rp ⟦⟧ /tn x",
		"The password must have 8 to 12 characters.", "Das Passwort ist SHA-256-verschlüsselt", "Passwort: mindestens 8 Zeichen", "The password is hashed with Argon2id, see RFC9106.",
		"Contraseña: <PASSWORD1>", "password: {{ user.password1 }}", "Mot de passe oublié ? Cliquez ici2", "Credentials: see docs/setup2.md", "--- PASS: TestVet/5 (0.01s)",
	} {
		before, after, tells := strings.Cut(text, "⟦⟧")
		plain := before + after
		if tells {
			plain = before + sample + after
		}
		var got []string
		for _, m := range Find(plain) {
			got = append(got, plain[m.Start:m.End])
		}
		if tells && (len(got) != 1 || got[0] != sample) || !tells && len(got) > 0 {
			t.Errorf("%s: found %q", text, got)
		}
	}
}

// Keys that are known by a mark inside of them.
func TestMarkedKeys(t *testing.T) {
	d := dice(17)
	for _, c := range []struct{ rule, value string }{
		{"azure-storage-key", d.draw(base62, 76) + "+ASt" + d.draw(base62, 6) + "=="},
		{"azure-devops-token", d.draw(base62, 76) + "AZDO" + d.draw(base62, 4)},
		{"azure-cache-key", d.draw(base62, 33) + "AzCa" + d.draw(base62, 6) + "="},
		{"terraform-token", d.draw(base62, 14) + ".atlasv1." + d.draw(base62, 67)},
		{"firebase-key", "AAAA" + d.draw(base62, 7) + ":APA91b" + d.draw(base62, 134)},
		{"asana-token", "1/1" + d.draw(digit, 15) + ":" + d.draw(lowhex, 32)},
		{"flyio-token", "FlyV1 fm2_" + d.draw(base62, 120) + ",fm2_" + d.draw(base62, 90)},
		{"webhook", "https://hooks.zapier.com/hooks/catch/" + d.draw(digit, 8) + "/" + d.draw(low36, 7)},
		{"discord-webhook", "https://discord.com/api/webhooks/" + d.draw(digit, 18) + "/" + d.draw(base62, 68)},
	} {
		text := "use " + c.value + " for now"
		if found := Find(text); len(found) != 1 || found[0].Rule != c.rule || text[found[0].Start:found[0].End] != c.value {
			t.Errorf("%s: found %+v", c.rule, found)
		}
	}
}
