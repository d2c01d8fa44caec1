package detect

// targets are files that intruders read first.
const targets = `(?:etc[/\\]+(?:passwd|shadow|hosts|issue|group|sudoers|ssh)|win(?:dows|nt)?[/\\]+(?:win\.ini|system32|system\.ini)|boot\.ini|proc[/\\]+self|\.ssh|\.aws|\.env\b|web-inf|wp-config|id_rsa)`

// overlong matches slashes and dots in encodings that servers were once fooled with.
const overlong = `(?:%(?:25)?c[01]%|%%c[01]%|%e0%80%|%f0%80%80|%f8%80%80|%fc%80%80|%%[36]\d|%u(?:221[56]|efc8|f025|002e|ff0e)|%bg%qf|0x2[ef]|0x5c)`

var overlongWords = []string{"%c0%", "%c1%", "%25c0", "%25c1", "%e0%80%", "%f0%80%80", "%f8%80%80", "%fc%80%80", "%%3", "%%6", "%u221", "%uefc8", "%uf025", "%u002e", "%uff0e", "%bg%qf", "0x2e", "0x2f", "0x5c"}

func pathRules() []rule {
	climb := func(level int, why, e string, near ...string) rule {
		return rule{typ: CommandInjection, pattern: "path_traversal", severity: High, score: 0.85, why: why, near: near, expr: expr(e), level: level, before: 100}
	}
	return append([]rule{
		needing(climb(0, "a path climbs to a file of the system", `(?:\.\.?[/\\]+|\.\.;/){2,}[^\s"'<>]{0,40}`+targets, "../", `..\`, "..;/", "..//"), []string{"etc", "win", "boot.ini", "proc", ".ssh", ".aws", ".env", "web-inf", "wp-config", "id_rsa"}),
		climb(0, "a path climbs far", `(?:\.\.[/\\]+){7,}`, "../", `..\`),
		climb(0, "a path climbs, encoded", `(?:\.|%2e|%252e|%c0%[25a]e|%u002e|%uff0e|0x2e){2}(?:%2f|%5c|%252f|%255c|%c0%af|%c1%9c|%c1%8s|%u2215|%u2216|%uefc8|%e0%80%af|0x2f|0x5c|%%32%66|%bg%qf)`,
			"%2f", "%5c", "%252f", "%255c", "%c0%", "%c1%", "%u221", "%uefc8", "%e0%80", "0x2f", "0x5c", "%%32", "%bg%qf"),
		climb(0, "a path climbs, encoded", `(?:%2e%2e|%252e%252e|%c0%ae%c0%ae|%u002e%u002e|%uff0e%uff0e|0x2e0x2e|%f0%80%80%ae)[/\\%0.]`, "%2e%2e", "%252e%252e", "%c0%ae", "%u002e", "%uff0e", "0x2e0x2e", "%80%ae"),
		climb(0, "a path is written in bytes that no software writes", `(?:`+overlong+`\S{0,12}){2}`, overlongWords...),
		climb(0, "a path to a file of the system is written oddly", `(?:etc|windows|winnt)(?:%|0x)\S{1,40}(?:passwd|shadow|issue|hosts|group|system32|win\.ini)|[?%./\\]\S{0,60}(?:boot\.ini|win\.ini)`, "etc%", "etc0x", "windows%", "windows0x", "winnt%", "boot.ini", "win.ini"),
		climb(0, "a path climbs past a filter", `(?:\.{2,}[/\\]{2,}|\.{4,}[/\\]|\.\.[/\\]\.[/\\]|\.[^\w\s./\\"'<>]{1,10}\.[^\w\s."'<>]{0,10}[/\\])[^\s"'<>]{0,60}`+targets, "etc/", `etc\`, "win.ini", "boot.ini", "proc/self", "windows/", `windows\`),
		climb(0, "a path is cut by a zero byte", `(?:passwd|shadow|\.ini|\.php|\.jsp|\.asp|\.conf|\.\./\S{1,40})(?:%00|\\0\b|\\x00)`, "%00", `\x00`, `\0`),
		climb(2, "a path climbs", `(?:\.\.[/\\]){3,}`, "../", `..\`),
	}, sensitivePathRules()...)
}

// sensitivePathRules find files of secrets where they are read or sent, rather than
// written about.
func sensitivePathRules() []rule {
	const (
		files = `(?:/etc/(?:passwd|shadow|sudoers|master\.passwd|gshadow)\b|(?:~|\$\{?home\}?|\$env:userprofile|%userprofile%|/home/[\w.-]+|/root|(?:c:)?[/\\]users[/\\][\w.-]+)[/\\]\.(?:ssh[/\\](?:id_\w+(?:[^\w.]|\.[^p]|$)|authorized_keys|identity)|aws[/\\]credentials|kube[/\\]config|docker/config\.json|netrc|pgpass|git-credentials|gnupg|bash_history|config/gcloud)|/proc/(?:self|\d+)/(?:environ|mem|maps)|[/\\](?:system32[/\\]config|repair)[/\\](?:sam|system|security)\b|ntds\.dit|/var/run/secrets/kubernetes|(?:^|[\s"'/])\.env\b|wallet\.dat|/root/\.)`
		verbs = `\b(?:cat|less|more|head|tail|tac|nl|strings|xxd|type|cp|scp|tar|zip|curl|wget|nc|base64|read|print|show|open|dump|display|output|send|upload|exfiltrate|steal|leak|give|fetch|load|include|get|list|copy|extract|attach|file_get_contents|readfile)\b`
	)
	words := []string{"/etc/passwd", "/etc/shadow", "/etc/sudoers", "/etc/master.passwd", "/etc/gshadow", "/.ssh/", "/.aws/", "/.kube/", `\.ssh\`, `\.aws\`, `\.kube\`, "/.docker/", "/.netrc", "/.pgpass", "/.git-credentials", "/.gnupg", "/.bash_history", "/.config/gcloud", "/proc/self/", `system32\config`, `repair\sam`, `repair\system`, "system32/config", "ntds.dit", "secrets/kubernetes", "wallet.dat", "/" + "root/."}
	return []rule{
		{typ: CommandInjection, pattern: "sensitive_paths", severity: High, score: 0.7, why: "a file of accounts or keys is to be read or sent", near: words, before: 60, after: 40,
			expr: expr(verbs + `[^\n.!?;]{0,50}?` + files), level: 1},
		{typ: CommandInjection, pattern: "sensitive_paths", severity: High, score: 0.8, why: "an address is a file of accounts or keys", near: words, before: 40, after: 20,
			expr: expr(`(?:file:/{2,3}|php://filter/\S*|(?:[?&=]|expect:|gopher:|dict:)\s*)` + files)},
		{typ: CommandInjection, pattern: "sensitive_paths", severity: High, score: 0.6, why: "a file of accounts or keys is named", near: words, expr: expr(files), level: 2},
	}
}
