package courier

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/oneclaw/oneclawd/internal/plain"
	"github.com/oneclaw/oneclawd/vault/use"
)

func sending(url string) use.Outgoing {
	return use.Outgoing{
		Method: http.MethodPost, URL: plain.FromString(url), Body: plain.FromString("body"),
		Header: []use.Header{{Name: "authorization", Value: plain.FromString("Bearer key")}},
	}
}

// A request arrives as it was made, and asks for an answer that can be read.
func TestSend(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer key" || r.Header.Get("Accept-Encoding") != "identity" || r.ContentLength != 4 {
			t.Errorf("sent were %v and %d bytes", r.Header, r.ContentLength)
		}
		w.WriteHeader(http.StatusTeapot)
		_, _ = w.Write([]byte("0123456789"))
	}))
	defer s.Close()
	for limit, want := range map[int]string{10: "0123456789", 4: "0123"} {
		in, err := Courier{Client: s.Client()}.Send(t.Context(), sending(s.URL), limit)
		if err != nil || in.Status != http.StatusTeapot || string(in.Body) != want || in.Cut != (limit == 4) {
			t.Errorf("with a limit of %d: %+v, %v", limit, in, err)
		}
	}
}

// What was encoded all the same is not handed on: a value in it would not be found.
func TestAnEncodedAnswerIsRefused(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "br")
		_, _ = w.Write([]byte("unreadable"))
	}))
	defer s.Close()
	if in, err := (Courier{Client: s.Client()}).Send(t.Context(), sending(s.URL), 100); !errors.Is(err, use.ErrEncoded) {
		t.Errorf("%+v, %v", in, err)
	}
}

// A binding may put its value into the URL, and errors end in logs.
func TestErrorsHaveNoURL(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	for _, url := range []string{s.URL + "/?key=canary", "http://canary\x00/"} {
		_, err := Courier{Client: http.DefaultClient}.Send(t.Context(), sending(url), 100)
		if err == nil || strings.Contains(err.Error(), "canary") {
			t.Errorf("%q: %v", url, err)
		}
	}
}
