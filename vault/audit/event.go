package audit

import (
	"time"

	"github.com/oneclaw/oneclawd/internal/id"
)

// Outcome says how the attempt that an event describes ended.
type Outcome string

// The outcomes.
const (
	Success Outcome = "success"
	Refused Outcome = "refused" // the rules said no
	Failed  Outcome = "failed"  // allowed, but a part of the appliance could not carry it out
)

// Actor is who did it: "user", "agent", "system", or "anonymous" with no ID.
type Actor struct {
	Type string `json:"type"`
	ID   id.ID  `json:"id,omitzero"`
}

// Resource is what it was done to. ID is a UUID or, for things that did not
// exist or have none, the name that was asked for.
type Resource struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

// Event is what a service reports. It holds no secret value, no request body
// and no credential: Details are identifiers, paths, counts and reasons, and
// what the decision looked at beyond those is in Inputs, as a hash.
type Event struct {
	Org      id.ID     // zero: none is known, as when a login names no user
	Actor    Actor     //
	Action   Action    //
	Resource Resource  //
	Outcome  Outcome   // empty means Success
	Reason   string    // of a refusal or failure: its stable code
	Details  Details   // shown in the API
	Inputs   []byte    // SHA-256 of what the decision saw; see InputsHash
	Policies []id.ID   // the policies that matched
	IP       string    // peer address, "" if none
	Request  string    // request id, "" if none
	Time     time.Time // when it was decided, UTC
}

// Details are an event's particulars: JSON scalars and lists of them.
type Details map[string]any
