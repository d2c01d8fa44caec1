package httpapi

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/internal/fault"
)

var errSealed = fault.New(fault.Sealed, "sealed", "The appliance is sealed: its operator has to unseal it before it can serve")

// sealedRetry is when clients of a sealed appliance may ask again.
const sealedRetry = 10 * time.Second

// Sealed is the API of an appliance whose keys are not open: it says so, and
// nothing else.
func Sealed(version string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /v1/health", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, api.HealthResponse{Status: api.Degraded, Version: version})
	})
	mux.HandleFunc("GET /v1/health/hsm", func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, api.HSMHealthResponse{Status: api.HSMUnavailable, Module: "sealed", Notes: []string{errSealed.Msg}})
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, toProblem(errSealed.After(sealedRetry)))
	})
	return mux
}

func writeJSON(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_ = json.NewEncoder(w).Encode(body)
}
