package appliance

import (
	"encoding/json"
	"net/http"
	"sync/atomic"

	"github.com/oneclaw/oneclawd/appliance/httpapi"
	"github.com/oneclaw/oneclawd/appliance/operator"
	"github.com/oneclaw/oneclawd/hsm"
)

// front is the handler of the API's listener. It says how far the appliance has
// come, always, and lets everything else through once it is unsealed.
type front struct {
	progress func() operator.State
	sealed   http.Handler
	behind   atomic.Pointer[unsealed]
}

// unsealed is what a front lets through to.
type unsealed struct {
	api     http.Handler
	monitor *hsm.Watch
}

func newFront(progress func() operator.State, version string) *front {
	return &front{progress: progress, sealed: httpapi.Sealed(version)}
}

// open lets requests through from now on.
func (f *front) open(api http.Handler, monitor *hsm.Watch) {
	f.behind.Store(&unsealed{api: api, monitor: monitor})
}

// ServeHTTP implements http.Handler. /livez and /readyz are for whatever
// watches the process: the first says that it runs, the second that it serves.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	behind := f.behind.Load()
	switch {
	case r.URL.Path == "/livez":
		f.say(w, http.StatusOK)
	case r.URL.Path == "/readyz":
		status := http.StatusServiceUnavailable
		if behind != nil && f.progress() == operator.Unsealed && behind.monitor.State().Status != hsm.StatusUnavailable {
			status = http.StatusOK
		}
		f.say(w, status)
	case behind == nil:
		f.sealed.ServeHTTP(w, r)
	default:
		behind.api.ServeHTTP(w, r)
	}
}

func (f *front) say(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]operator.State{"state": f.progress()})
}
