package detect

// Parts of the expressions below. What a shell runs next stands after a separator;
// what an intruder runs first is one of few commands.
const (
	next   = `(?:;|&&?|\|\|?|%0a|%26|%7c|%3b|\$\{ifs\})\s*`
	probe  = `(?:whoami|(?:/usr)?/bin/\w+\b|id(?:\s*(?:$|[;&#'"` + "`" + `)\n%]|\|\|?\s))|uname\s+-a|ifconfig\b|ipconfig(?:\s*/all)?|systeminfo|net\s+(?:user|localgroup|view)\b|(?:cat|less|more|head|tail|tac|nl|type|strings)\s+\S*(?:/etc/(?:passwd|shadow|hosts|group|issue)|win\.ini|boot\.ini|\.ssh/id_\w+(?:[^\w.]|$)|\.aws/)|ping\s+-[cni]\s*\d+\s+(?:127\.0\.0\.1|localhost|\d+\.\d+\.\d+\.\d+)|nslookup\s+\S+\.\S+\.|sleep\s+\d{1,2}\s*(?:$|[;|&#'"` + "`" + `)])|reg\s+add\s|wmic\s|dir\s+c:|ls\s+(?:-\w+\s+)?/(?:etc|root|home|var|tmp)?\S{0,20}\s*(?:$|[;|&#]))`
	fetch  = `(?:curl|wget|fetch|lwp-download|iwr|invoke-webrequest)`
	shells = `(?:sudo\s+)?(?:/(?:usr/)?bin/)?(?:ba|z|k|da|a|c)?sh\b`
)

// commandRules find commands that are smuggled into text, not those that people
// show each other: manuals are full of pipes and substitutions.
func commandRules() []rule {
	chain := func(level int, why, e string, near ...string) rule {
		return rule{typ: CommandInjection, pattern: "shell_chain", severity: Critical, score: 0.8, why: why, near: near, expr: expr(e), level: level}
	}
	return append([]rule{
		chain(0, "a command that looks around is put after another one", next+probe, afterSeparator()...),
		chain(0, "everything is deleted", `\brm\s+(?:-\w+\s+|--[\w-]+\s+)*(?:-\w*r\w*|--recursive|--no-preserve-root)\s+(?:-\S+\s+)*["']?(?:/(?:\*|etc|usr|var|home|boot|bin|lib)?(?:/?\*?)|~/?\*?|\$home/?\*?|\*)["']?(?:\s|$|[;|&)`+"`"+`])`, "rm -"),
		chain(0, "a disk is overwritten", `(?:\bdd\s+if=/dev/(?:zero|u?random)\s+of=/dev/(?:sd|nvme|hd|vd|disk)|>\s*/dev/(?:sd|nvme|hd|vd)[a-z0-9]|\bmkfs(?:\.\w+)?\s+(?:-\S+\s+)*/dev/(?:sd|nvme|hd|vd)[a-z0-9]+\s*(?:$|[;|&]))`+"", "of=/dev/", "> /dev/", ">/dev/"),
		chain(0, "code of a page runs a command that looks around", `\b(?:system|exec|passthru|shell_exec|popen|eval|assert)\s*\(\s*['"]?\s*(?:`+probe+`|(?:curl|wget)\s+\S*http|cat\s|id['"]|ls['"\s]|dir['"\s]|sleep\s*\(?\d|phpinfo|\$_(?:get|post|request|server|cookie))|\$\{@?print\(|\{\$\{\s*@?(?:sleep|system|exec|print|phpinfo|eval)\b|\{\s*\$_(?:get|post|request)\[`, "system(", "exec(", "passthru(", "popen(", "eval(", "assert(", "${@print", "${print(", "{${", "{$_"),
		{typ: CommandInjection, pattern: "shell_chain", severity: Critical, score: 0.8, why: "the text begins by ending a command and giving another one", atStart: true, near: []string{"curl", "wget", "ping", "ls", "dir", "type", "cat", "echo", "net ", "netsh", "phpinfo", "nc "}, needs: [][]string{{";", "|", "&", "%0a", "%26"}},
			expr: expr(`\A['")\s]*(?:;|\|\|?|&&?|%0a|%26|\n;)\s*(?:curl|wget|ping|ls|dir|type|cat|echo|net|netsh|phpinfo|nc)\b[^\n]{0,200}\s*\z`)},
		chain(0, "processes fork without end", `:\s*\(\s*\)\s*\{\s*:\s*\|\s*:\s*&\s*\}\s*;\s*:`, ":|:", ": | :"),
		chain(0, "decoded text is run", `(?:base64\s+(?:-d|--decode)|xxd\s+-r|openssl\s+(?:enc\s+)?(?:-d\s+)?-?base64)[^|\n]{0,60}\|\s*`+shells, "base64", "xxd -r"),
		needing(chain(0, "what is fetched without protection is run", fetch+`\b[^|;\n]{0,120}(?:http://|\bftp://|https?://\d|pastebin|ngrok|transfer\.sh|bit\.ly|raw\.)[^|;\n]{0,120}[|;]\s*(?:`+shells+`|python3?\b|perl\b|php\b|chmod\s+\+x)`, "curl", "wget", "fetch", "iwr", "invoke-webrequest"), []string{"|", ";"}, []string{"://", "pastebin", "ngrok", "transfer.sh", "bit.ly", "raw."}),
		chain(0, "what is fetched is run in PowerShell", `(?:iex|invoke-expression)\b.{0,60}(?:downloadstring|iwr|invoke-webrequest|net\.webclient)|downloadstring\(.{0,120}\|\s*iex`, "downloadstring", "invoke-expression", "iex"),
		chain(0, "an encoded command is run", `powershell(?:\.exe)?\s+(?:-\S+\s+(?:\w+\s+)?){0,6}-e(?:nc|ncodedcommand|c)?\s+[a-z0-9+/=]{16,}`, "powershell"),
		chain(0, "a tool of Windows fetches a file", `(?:certutil(?:\.exe)?\s.{0,40}-urlcache|bitsadmin\s.{0,20}/transfer|mshta(?:\.exe)?\s+https?:|regsvr32\s.{0,20}/i:https?:)`, "certutil", "bitsadmin", "mshta", "regsvr32"),
		chain(0, "a function runs when a shell starts", `\(\s*\)\s*\{\s*:\s*;?\s*\}\s*;`, "() {", "(){"),
		chain(0, "a page is to run a command", `<!--\s*#\s*exec\s+cmd|&lt;!--\s*#\s*exec`, "#exec"),
		chain(0, "space is written as a variable", `\$\{?ifs(?:\}|\$\d?|%\?\?|/)`, "$ifs", "${ifs"),
		chain(0, "an interpreter is given code that starts a program", next+`(?:python[23]?|perl|ruby|php|node)\s+-[cer]\s`, "python -c", "python3 -c", "python2 -c", "perl -e", "ruby -e", "php -r", "node -e"),
		chain(0, "a query breaks out into a program", `(?:xp_cmdshell|into\s+(?:out|dump)file\s*['"(]|copy\s+\S+\s+from\s+program\b|utl_http\.request)`, "xp_cmdshell", "into outfile", "into dumpfile", "from program", "utl_http"),
		chain(2, "commands are chained", `(?:;|&&|\|\|?)\s*(?:rm|curl|wget|bash|sh|nc|python3?|perl|chmod|chown|sudo|cat|kill|eval|exec|dd|mkfs)\b`,
			"rm ", "curl", "wget", "bash", "sh ", "nc ", "python", "perl", "chmod", "chown", "sudo", "cat ", "kill", "eval", "exec", "dd ", "mkfs"),
	}, append(substitutionRules(), reverseShellRules()...)...)
}

// afterSeparator lists the beginnings of commands that look around, each after what
// may end the command before it: the names alone are in too many words.
func afterSeparator() (words []string) {
	for _, sep := range []string{";", "|", "&", "; ", "| ", "& ", "%0a", "%0a ", "%26", "%7c", "%3b", "${ifs}"} {
		for _, c := range []string{"whoami", "id", "uname", "ifconfig", "ipconfig", "systeminfo", "net ", "cat ", "less ", "more ", "head ", "tail ", "tac ", "nl ", "type ", "strings ", "ping ", "nslookup", "sleep ", "reg add", "wmic", "dir c:", "ls ", "/bin/", "/usr/bin/"} {
			words = append(words, sep+c)
		}
	}
	return words
}

func substitutionRules() []rule {
	sub := func(level int, why, e string, near ...string) rule {
		return rule{typ: CommandInjection, pattern: "command_substitution", severity: Critical, score: 0.8, why: why, near: near, expr: expr(e), level: level, before: 24}
	}
	return []rule{
		sub(0, "the output of a command that looks around is put in", `\$\(\s*(?:sudo\s+)?`+probe, "$("),
		sub(0, "the output of a command that looks around is put in", "[=;|&\"'(/\\w.@-]`\\s*"+probe, "`whoami", "`id", "`uname", "`cat", "`ping", "`ifconfig", "`sleep", "`nslookup", "`ls"),
		needing(sub(0, "the output of what is fetched is run", `(?:\$\(|<\(|eval\s+["'`+"`"+`$(]*)\s*`+fetch+`\s+(?:-\S+\s+)*["']?(?:http://|https?://\d|ftp://)`, "curl", "wget", "fetch"), []string{"$(", "<(", "eval"}),
		sub(0, "a template runs a command", `\{\{.{0,80}(?:__class__|__globals__|__import__|popen|getruntime|processbuilder).{0,80}|\$\{.{0,40}(?:getruntime|processbuilder|jndi:(?:ldap|rmi|dns)).{0,80}|<%=?\s*(?:system|exec|`+"`"+`)`, "__class__", "__globals__", "popen", "getruntime", "processbuilder", "jndi:", "<%="),
		sub(0, "code that is encoded is run", `\b(?:eval|exec|assert|system)\s*\(\s*(?:base64_decode|gzinflate|str_rot13|(?:base64\.)?b64decode|atob|__import__\(.base64)`, "base64_decode", "gzinflate", "str_rot13", "b64decode", "atob("),
		sub(2, "the output of a command is put in", `\$\([a-z][^)\n]{1,120}\)`, "$("),
	}
}

func reverseShellRules() []rule {
	shell := func(why, e string, near ...string) rule {
		return rule{typ: CommandInjection, pattern: "reverse_shell", severity: Critical, score: 0.95, why: why, near: near, expr: expr(e), after: 300}
	}
	return []rule{
		shell("a shell is connected to an address", `(?:\b(?:ba|z|k|da)?sh\b[^\n]{0,60}|exec\s+\d*<>\s*|<\s*|0<&\d+\D{0,20})/dev/(?:tcp|udp)/|/dev/(?:tcp|udp)/\S+\s+(?:0>&1|0<&1|2>&1|<&)`, "/dev/tcp/", "/dev/udp/"),
		shell("a shell is connected to an address", `\b(?:nc|ncat|netcat)(?:\.exe)?\b[^\n]{0,80}\s(?:-[a-z]*[ec]\s*["']?\S*(?:sh|cmd|powershell)\b|--(?:sh-)?exec\b)`, "nc ", "ncat", "netcat", "nc.exe"),
		shell("a shell is connected through a pipe", `\bmk(?:fifo|nod)\b.{0,120}\b(?:nc|ncat|netcat|telnet|openssl)\b`, "mkfifo", "mknod"),
		shell("a shell is connected to an address", `socat\b[^\n]{0,100}exec:\S*(?:sh|cmd)|exec:['"]?\S*sh\S*[^\n]{0,60}\btcp[46]?:`, "exec:"),
		shell("a socket becomes a shell", `socket.{0,200}(?:dup2\(|pty\.spawn|(?:call|popen|run)\(.{0,8}(?:/bin/)?(?:ba|z)?sh["', ]|/bin/(?:ba)?sh)|pty\.spawn.{0,80}sh`, "socket", "pty.spawn"),
		shell("a socket becomes a shell", `(?:fsockopen|tcpsocket\.(?:new|open)|io::socket::inet|net\.socket\(\)|net\.connect\().{0,200}(?:(?:exec|system|spawn)\(?.{0,8}(?:/bin/)?(?:ba|z)?sh\b|sh\s+-i|cmd\.exe|/bin/(?:ba)?sh|io\.popen\()`, "fsockopen", "tcpsocket", "io::socket", "net.socket", "net.connect"),
		shell("a socket becomes a shell", `net\.sockets\.tcpclient.{0,200}(?:getstream|iex|invoke-expression)`, "sockets.tcpclient"),
		shell("a payload for a shell is made", `msfvenom\s.{0,60}-p\s*\S*(?:reverse|bind|shell|meterpreter)`, "msfvenom"),
		shell("a shell is connected to an address", `/inet/tcp/\d+/|xterm\s+-display\s+\d+\.|telnet\s+\S+\s+\d+\s*\|\s*/bin/`, "/inet/tcp", "xterm -display", "telnet"),
	}
}
