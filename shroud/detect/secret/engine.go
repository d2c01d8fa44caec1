package secret

// newEngine puts all rules behind their literals.
func newEngine() *engine {
	e := &engine{}
	borrow(e)
	for _, f := range formats {
		e.on(lowerText(f.prefix), f.at)
	}
	for _, n := range names {
		e.on(n.word, n.at)
	}
	for _, word := range []string{"bearer ", "ssws "} {
		e.on(word, scheme(word))
	}
	e.on("basic ", basic)
	e.on("://", (*scan).userinfo)
	for _, flag := range []string{" -u", "--user", "-user ", " -p"} {
		e.on(flag, (*scan).account)
	}
	e.on("-----begin", (*scan).pem)
	e.on("ls0tls1crudjti", (*scan).wrappedPEM)
	e.on("private-lines:", (*scan).putty)
	for _, start := range derStarts {
		e.on(lowerText(start), (*scan).der)
	}
	e.on(`"d"`, (*scan).jwk)
	e.on(`"k"`, (*scan).jwk)
	for _, h := range hashes {
		e.on(h.prefix, h.at)
	}
	e.on(":aa", (*scan).telegram)
	e.on("ey", (*scan).jwt)
	e.on("networkcredential", (*scan).dotnet)
	e.on(`"auth"`, (*scan).dockerAuth)
	e.on("-us", (*scan).mailchimp)
	e.on("sk", (*scan).twilio)
	e.on("nral", (*scan).newrelic)
	e.on("tlrmtvntuaad", (*scan).ntlm)
	e.on("jqqj99", (*scan).azure)
	for _, m := range azureMarks {
		e.on(lowerText(m.mark), m.at)
	}
	e.on(".atlasv1.", (*scan).terraformToken)
	e.on(":apa91b", (*scan).firebase)
	e.on("1/1", (*scan).asana)
	e.on("2/1", (*scan).asana)
	e.on("flyv1 fm", (*scan).fly)
	e.on("hooks.zapier.com/hooks/catch/", (*scan).hook)
	e.on(".webhook.office.com/webhookb2/", (*scan).hook)
	e.on(".logic.azure.com", (*scan).hook)
	enterTold(e)
	enterSpots(e)
	for _, open := range []string{`= "`, `="`, `: "`, `:"`, `= '`, `='`, `: '`, `:'`, "=> \"", "=> '"} {
		e.on(open, (*scan).unnamed)
	}
	return e
}

func lowerText(s string) string {
	b := []byte(s)
	for i := range b {
		b[i] = lower(b[i])
	}
	return string(b)
}
