package shroud

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
)

// decoded is the body of an answer as it was before it was compressed, which some
// servers do though they are asked not to. An answer in any other encoding keeps its
// header, and is refused.
func decoded(res *http.Response, body io.ReadCloser) io.ReadCloser {
	switch strings.ToLower(res.Header.Get("Content-Encoding")) {
	case "gzip", "x-gzip":
		res.Header.Del("Content-Encoding")
		res.Header.Del("Content-Length")
		return &unzipped{ReadCloser: body}
	}
	return body
}

// unzipped decompresses what is read. It begins with the first Read: the body of a
// stream may be a while in coming.
type unzipped struct {
	io.ReadCloser
	from *gzip.Reader
}

func (u *unzipped) Read(p []byte) (n int, err error) {
	if u.from == nil {
		if u.from, err = gzip.NewReader(u.ReadCloser); err != nil {
			return 0, err
		}
	}
	return u.from.Read(p)
}
