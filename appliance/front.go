package appliance

import (
	"encoding/json"
	"net/http"
	"sync/atomic"

	"github.com/oneclaw/oneclawd/appliance/httpapi"
	"github.com/oneclaw/oneclawd/appliance/operator"
	"github.com/oneclaw/oneclawd/hsm"
	"github.com/oneclaw/oneclawd/store"
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
	db      *store.DB
}

func newFront(progress func() operator.State, version string) *front {
	return &front{progress: progress, sealed: httpapi.Sealed(version)}
}

// open lets requests through from now on.
func (f *front) open(api http.Handler, monitor *hsm.Watch, db *store.DB) {
	f.behind.Store(&unsealed{api: api, monitor: monitor, db: db})
}

// generation counts the changes of rights and what they are about, 0 while nothing is let
// through: see store.DB.Generation.
func (f *front) generation() uint64 {
	if behind := f.behind.Load(); behind != nil {
		return behind.db.Generation()
	}
	return 0
}

// ServeHTTP implements http.Handler. /livez and /readyz are for whatever
// watches the process: the first says that it runs, the second that it serves.
func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	behind := f.behind.Load()
	switch {
	case r.URL.Path == "/livez":
		f.say(w, http.StatusOK, "")
	case r.URL.Path == "/readyz":
		f.ready(w, behind)
	case behind == nil:
		f.sealed.ServeHTTP(w, r)
	default:
		behind.api.ServeHTTP(w, r)
	}
}

// ready says whether requests are served. On a full disk reads are, as long as the
// audit log has room for them.
func (f *front) ready(w http.ResponseWriter, behind *unsealed) {
	if behind == nil || f.progress() != operator.Unsealed {
		f.say(w, http.StatusServiceUnavailable, "")
		return
	}
	status, storage, s := http.StatusOK, "", behind.db.Stats()
	switch {
	case s.Unwritable:
		status, storage = http.StatusServiceUnavailable, "unwritable"
	case s.ReadOnly && s.Full:
		status, storage = http.StatusServiceUnavailable, "full"
	case s.ReadOnly:
		storage = "read-only"
	}
	if behind.monitor.State().Status == hsm.StatusUnavailable {
		status = http.StatusServiceUnavailable
	}
	f.say(w, status, storage)
}

// say answers with the state, and with how storage is if not well.
func (f *front) say(w http.ResponseWriter, status int, storage string) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(struct {
		State   operator.State `json:"state"`
		Storage string         `json:"storage,omitempty"`
	}{f.progress(), storage})
}
