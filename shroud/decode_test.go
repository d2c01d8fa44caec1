package shroud_test

import (
	"bufio"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/internal/id"
)

// zipped is an answer as servers send it that compress whatever they are asked for.
func zipped(next http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		defer z.Close()
		next(zipWriter{w, z}, r)
	}
}

type zipWriter struct {
	http.ResponseWriter
	z *gzip.Writer
}

func (w zipWriter) Write(p []byte) (int, error) { return w.z.Write(p) }

func (w zipWriter) Flush() {
	_ = w.z.Flush()
	w.ResponseWriter.(http.Flusher).Flush()
}

// What comes compressed is read like any other answer, and goes on as it is read.
func TestCompressedAnswers(t *testing.T) {
	w := newWorld(t, zipped(replies("it is hunter2hunter2")))
	w.knows("hunter2hunter2")
	rec := w.call("openai", chat, message("user", "hello"))
	if rec.Code != 200 || rec.Header().Get("Content-Encoding") != "" || !strings.Contains(rec.Body.String(), "it is [REDACTED:path/0]") {
		t.Errorf("%d %v %s", rec.Code, rec.Header(), rec.Body)
	}
	w.says = func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Encoding", "gzip")
		_, _ = io.WriteString(rw, "no gzip at all")
	}
	if rec = w.call("openai", chat, message("user", "hello")); rec.Code != 502 {
		t.Errorf("broken: %d %s", rec.Code, rec.Body)
	}
	w.says = func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Encoding", "br")
		_, _ = io.WriteString(rw, "{}")
	}
	if rec = w.call("openai", chat, message("user", "hello")); rec.Code != 502 {
		t.Errorf("in an encoding that is not read: %d %s", rec.Code, rec.Body)
	}
}

// A compressed stream goes on event by event.
func TestCompressedStreams(t *testing.T) {
	seen := make(chan struct{})
	w := newWorld(t, zipped(func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(rw, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"first \"},\"finish_reason\":null}]}\n\n")
		rw.(http.Flusher).Flush()
		<-seen
		streams("it is hunter2", "hunter2, I think")(rw, r)
	}))
	w.knows("hunter2hunter2")
	server := httptest.NewServer(w)
	defer server.Close()
	req, err := http.NewRequest("POST", server.URL+chat, strings.NewReader(strings.Replace(message("user", "and?"), "{", `{"stream":true,`, 1)))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Shroud-Agent-Key", id.New().String()+":ocv_x")
	req.Header.Set("X-Shroud-Provider", "openai")
	res, err := server.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	in := bufio.NewReader(res.Body)
	first, err := in.ReadString('\n')
	if close(seen); err != nil || told(first) != "first " {
		t.Fatalf("%q %v", first, err)
	}
	rest, err := io.ReadAll(in)
	if text := told(string(rest)); err != nil || text != "it is [REDACTED:path/0], I think" {
		t.Errorf("%q %v", text, err)
	}
}
