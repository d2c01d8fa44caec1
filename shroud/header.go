package shroud

import (
	"encoding/json"
	"net/http"

	"github.com/oneclaw/oneclawd/shroud/detect"
)

// headerInspection tells the agent what was found.
const headerInspection = "X-Shroud-Inspection"

// maxListed bounds each list in the header: headers have a size.
const maxListed = 8

// header writes what was found. JSON escapes what is not ASCII where the encoder is
// told to, and nothing of a text is in it.
func (in *inspection) header(h http.Header) {
	raw, err := json.Marshal(struct {
		Unicode    bool     `json:"unicode_normalized"`
		Command    []Threat `json:"command_injection_detected"`
		Social     []Threat `json:"social_engineering_detected"`
		Encoding   []Threat `json:"encoding_detected"`
		Network    []Threat `json:"network_threats_detected"`
		Filesystem []Threat `json:"filesystem_threats_detected"`
		Injection  float64  `json:"injection_score"`
		PII        bool     `json:"pii_detected"`
	}{
		in.unicode, in.of(detect.CommandInjection), in.of(detect.SocialEngineering), in.of(detect.Encoding),
		in.of(detect.Network), in.of(detect.Filesystem), float64(int(in.injection*1e4)) / 1e4, in.pii,
	})
	if err == nil {
		h.Set(headerInspection, ascii(raw))
	}
}

// of lists the threats of a type.
func (in *inspection) of(typ detect.Type) []Threat {
	out := []Threat{}
	for _, t := range in.threats {
		if t.Type == string(typ) && len(out) < maxListed {
			out = append(out, t)
		}
	}
	return out
}

// ascii drops what has no place in a header. Patterns and locations are ours, so
// that there is none but by mistake.
func ascii(raw []byte) string {
	out := raw[:0]
	for _, b := range raw {
		if b >= ' ' && b < 0x7f {
			out = append(out, b)
		}
	}
	return string(out)
}
