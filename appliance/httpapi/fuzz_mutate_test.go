package httpapi

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// odd is JSON that no schema expects.
func (h *hostile) odd(d *dice) any {
	c := h.carried
	return pick(d, []any{
		literal("null"), literal("true"), literal("-1"), literal("0"), literal("1.5"), literal("1e400"), literal("-0.0"),
		literal("9223372036854775808"), literal("-9223372036854775809"), literal("4294967296"), literal(strings.Repeat("9", 60)), literal(strings.Repeat("9", 5000)),
		"", c, c + "\x00" + c, "\u202e" + c + "\u2066", "\ufeff" + c, strings.Repeat("é", 300) + c, strings.Repeat(c, 1000), strings.Repeat("e\u0301", 2000),
		literal(`"` + c + "\xff\xc0\xaf" + `"`), literal(`"` + c + `\ud800"`), literal(`"\u0000` + c + `"`), literal(`"` + c), literal("'" + c + "'"),
		literal("NaN"), literal("-Infinity"), literal("0x10"), literal("01"), literal("+1"), literal("//" + c),
		list{}, list{c, c}, list{literal("null")}, object{}, object{{c, c}}, object{{"", c}}, object{{"a", object{{"b", list{c}}}}},
		literal(nested(20, c)), literal(nested(40, c)), literal(nested(20_000, c)), literal(`{"a":` + strings.Repeat(`{"a":`, 30) + "1" + strings.Repeat("}", 31)),
		literal("[" + strings.Repeat("0,", 70_000) + "0]"),
		"0000-00-00T00:00:00Z", "9999-12-31T23:59:60Z", "2030-02-30T00:00:00Z", "2030-01-02T03:04:05+99:99",
		"{00000000-0000-4000-8000-000000000000}", "00000000000040008000000000000000", "00000000-0000-0000-0000-000000000000",
		"::ffff:127.0.0.1/0", "0.0.0.0/0", "127.0.0.1/99", "(((((((((((((((((((((((((((a*)*)*)*)*", strings.Repeat("**/", 400), "../../" + c, "https://[::1]:99999/" + c,
	})
}

func nested(depth int, inside string) string {
	return strings.Repeat("[", depth) + `"` + inside + `"` + strings.Repeat("]", depth)
}

// mutate changes one thing of v: here, or further down.
func (h *hostile) mutate(d *dice, v any) any {
	switch in := v.(type) {
	case object:
		if len(in) > 0 && d.n(8) > 0 {
			i := d.n(len(in))
			switch d.n(6) {
			case 0, 1, 2:
				in[i].value = h.mutate(d, in[i].value)
			case 3:
				return append(in[:i:i], in[i+1:]...)
			case 4:
				return append(in, member{in[i].name, h.odd(d)})
			default:
				return append(in, member{strings.ToUpper(in[i].name), h.odd(d)})
			}
			return in
		}
		if d.n(2) == 0 {
			return append(in, member{pick(d, []string{h.carried, "", "__proto__", "a\x00b", "$ref"}), h.odd(d)})
		}
	case list:
		if len(in) > 0 && d.n(3) > 0 {
			i := d.n(len(in))
			in[i] = h.mutate(d, in[i])
			return in
		}
		if d.rarely(4) {
			for range 600 {
				in = append(in, h.carried)
			}
			return in
		}
	}
	return h.odd(d)
}

// body is what goes out for an operation with a body, JSON or nearly so.
func (h *hostile) body(d *dice, op attackable) string {
	if op.RequestBody == nil {
		return pick(d, []string{"", "", "", `{"a":"` + h.carried + `"}`, h.carried, "null"})
	}
	v := h.value(d, "", op.RequestBody.Content["application/json"].Schema, 0)
	for range pick(d, []int{0, 1, 0, 2}) {
		v = h.mutate(d, v)
	}
	var b strings.Builder
	jsonText(&b, v)
	text := b.String()
	switch d.n(24) {
	case 23:
		return text[:d.n(len(text)+1)]
	case 22:
		return text + pick(d, []string{h.carried, "\x00", "{}", ","})
	case 21:
		return "\ufeff" + text
	case 20:
		return pick(d, []string{"", " ", "[" + text + "]", "\xff\xfe" + text, strconv.Quote(text)})
	case 19:
		b := []byte(text)
		for range 3 {
			if len(b) > 0 {
				b[d.n(len(b))] = byte(d.n(256))
			}
		}
		return string(b)
	}
	return text
}

// part is a path parameter or a query value as it goes over the line.
func (h *hostile) part(d *dice, p parameter) string {
	if d.n(6) > 0 {
		var b strings.Builder
		jsonText(&b, h.value(d, p.Name, p.Schema, 0))
		return url.PathEscape(strings.Trim(b.String(), `"`))
	}
	c := h.carried
	return pick(d, []string{
		c, "%00" + c, "%2e%2e%2f" + c, "%ff" + c, "%c0%af" + c, "%E2%80%AE" + c, "%F0%9F%92%A9", "%ED%A0%80", "a%252Fb", "a%2fb%2f", "%20", "", "..", ".", "-",
		"-1", "-9223372036854775808", "9223372036854775807", "9223372036854775808", "99999999999999999999999", "1e9", "0x10", "+1", "1.0", "NaN", "%2B1", "1_0", "٣",
		strings.Repeat(c, 300), strings.Repeat("a%2f", 2000), strings.Repeat("%00", 100), "{" + c + "}", "[]", "null", "a;b=" + c, "%0d%0aX-Evil:%20" + c, "*", ":" + c,
	})
}

// request is the bytes of a request as they go over the line. They need not be
// HTTP, and mostly are.
func (h *hostile) request(d *dice, op attackable) string {
	path, query, headers := op.path, "", "Host: vault.example\r\n"
	for _, p := range op.Parameters {
		switch {
		case p.In == "path":
			path = strings.Replace(path, "{"+p.Name+"}", h.part(d, p), 1)
		case p.In == "query" && d.n(3) > 0:
			for range 1 + d.n(3)/2 {
				query += "&" + p.Name + pick(d, []string{"=", "=", "=", "[]=", ""}) + h.part(d, p)
			}
		case p.In == "header" && p.Name != "User-Agent" && d.n(3) > 0:
			headers += p.Name + ": " + pick(d, []string{h.text(d, p.Name, ""), h.carried, strings.Repeat(h.carried, 500), "\xff" + h.carried}) + "\r\n"
		}
	}
	if d.rarely(12) {
		query += "&" + pick(d, []string{h.carried + "=" + h.carried, "%zz=" + h.carried, "a;b", strings.Repeat("q=1&", 3000), "=" + h.carried})
	}
	if query != "" {
		path += "?" + query[1:]
	}
	if token := h.bearer(d); token != "" {
		headers += "Authorization: " + token + "\r\n"
	}
	headers += pick(d, []string{
		"Content-Type: application/json\r\n", "", "Content-Type: application/json; charset=utf-16\r\n", "Content-Type: text/plain\r\n",
		"Content-Type: application/cbor\r\n", "Content-Type: multipart/form-data; boundary=" + h.carried + "\r\n", "Content-Type: \xff\r\n",
		"Content-Type: application/json\r\nContent-Encoding: gzip\r\n", "Content-Type: application/json\r\nContent-Type: text/xml\r\n",
	})
	headers += pick(d, []string{
		"", "", "", "", "", "Accept: text/html, application/xml;q=0.9\r\n", "Accept: " + h.carried + "\r\n", "Accept: application/cbor\r\n",
		"If-None-Match: *\r\n", "X-Forwarded-For: " + h.carried + "\r\n", "Cookie: a=" + h.carried + "\r\n", "Expect: 100-continue\r\n", "Range: bytes=0-1\r\n",
		"X-Request-Id: a b\r\n", "Origin: https://" + h.carried + "\r\n", "Upgrade: h2c\r\nConnection: Upgrade\r\n", "X-HTTP-Method-Override: DELETE\r\n",
	})
	method := op.method
	if d.rarely(25) {
		method = pick(d, []string{get, post, put, patch, remove, "HEAD", "OPTIONS", "TRACE", "PROPFIND", "get"})
	}
	body := h.body(d, op)
	length := fmt.Sprintf("Content-Length: %d\r\n", len(body))
	if d.rarely(16) {
		length, body = "Transfer-Encoding: chunked\r\n", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(body), body)
	}
	return method + " " + path + " HTTP/1.1\r\n" + headers + length + "\r\n" + body
}

// bearer is whose token comes along: the owner's, an agent's, nobody's, or none
// that is one.
func (h *hostile) bearer(d *dice) string {
	switch d.n(12) {
	case 0, 1, 2, 3, 4:
		return "Bearer " + h.tokens["owner"]
	case 5, 6, 7:
		return "Bearer " + h.tokens["bot"]
	case 8:
		return pick(d, []string{"Bearer " + h.carried, "Basic " + h.carried, "Bearer", "Bearer 1ck_" + h.carried, h.carried, "Bearer " + h.tokens["owner"] + h.carried, "bearer  " + h.tokens["bot"]})
	}
	return ""
}
