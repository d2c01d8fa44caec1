package shroud_test

import (
	"bufio"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/internal/id"
)

// flushes counts how often an answer is sent on.
type flushes struct {
	*httptest.ResponseRecorder
	n int
}

func (f *flushes) Flush() { f.n++ }

// Events that come together go on together; one that comes alone does not wait for
// another.
func TestEventsGoOutAsTheyCome(t *testing.T) {
	const ev = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"words \"},\"finish_reason\":null}]}\n\n"
	const end = "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"
	body := strings.Replace(message("user", "and?"), "{", `{"stream":true,`, 1)
	w := newWorld(t, func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/event-stream")
		fmt.Fprint(rw, strings.Repeat(ev, 30)+end) // in one packet
	})
	r := httptest.NewRequest("POST", chat, strings.NewReader(body))
	r.Header.Set("X-Shroud-Agent-Key", id.New().String()+":ocv_x")
	r.Header.Set("X-Shroud-Provider", "openai")
	out := &flushes{ResponseRecorder: httptest.NewRecorder()}
	if w.ServeHTTP(out, r); out.n > 8 || told(out.Body.String()) != strings.Repeat("words ", 30) {
		t.Errorf("sent on %d times: %s", out.n, out.Body)
	}

	goOn := make(chan struct{})
	w.says = func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/event-stream")
		for range 20 { // each once the one before was seen
			fmt.Fprint(rw, ev)
			rw.(http.Flusher).Flush()
			<-goOn
		}
		fmt.Fprint(rw, end)
	}
	server := httptest.NewServer(w)
	defer server.Close()
	req, err := http.NewRequest("POST", server.URL+chat, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header = r.Header
	res, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	seen := 0
	for lines := bufio.NewScanner(res.Body); lines.Scan(); {
		if strings.Contains(lines.Text(), "words ") {
			seen++
			goOn <- struct{}{}
		}
	}
	if seen != 20 {
		t.Errorf("%d of 20", seen)
	}
}
