package mcp

import (
	"iter"
	"sync"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// seats are the places for sessions. An agent has a share of them: when that is taken, the
// session of its own which was used the longest ago makes room for the next. Clients that
// go without a word leave sessions behind, and no agent is to keep another out.
type seats struct {
	most, share int
	idle        time.Duration                       // after which a session that nobody uses ends
	live        func() iter.Seq[*sdk.ServerSession] // those that have not ended

	mu    sync.Mutex
	taken map[string]*seat // by the session's id
	held  map[string]int   // by the agent, for sessions that are about to begin
	about int              // all of these
	next  *time.Timer      // of the next look at idle ones; nil while there are none
}

type seat struct {
	agent   string
	session *sdk.ServerSession
	used    time.Time
}

// hold keeps a place for a session that is about to begin, or says that there is none.
func (s *seats) hold(agent string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of(agent) >= s.share || len(s.taken)+s.about >= s.most {
		s.tidy()
	}
	if s.of(agent) >= s.share {
		s.evict(agent)
	}
	if s.of(agent) >= s.share || len(s.taken)+s.about >= s.most {
		return errSessions.After(time.Minute)
	}
	s.held[agent]++
	s.about++
	return nil
}

// begun gives the place that was held to a session, or back where none began.
func (s *seats) begun(agent, id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.about--
	if s.held[agent]--; s.held[agent] == 0 {
		delete(s.held, agent)
	}
	if id == "" {
		return
	}
	for session := range s.live() {
		if session.ID() == id {
			s.taken[id] = &seat{agent, session, time.Now()}
		}
	}
	if s.next == nil {
		s.next = time.AfterFunc(s.idle, s.sweep)
	}
}

// use notes that an agent asks for something in a session of its own, and returns it; nil
// if it has none of that name.
func (s *seats) use(agent, id string) *sdk.ServerSession {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := s.taken[id]
	if k == nil || k.agent != agent {
		return nil
	}
	k.used = time.Now()
	return k.session
}

// sweep ends the sessions that nobody has used for long, and looks again when the next one
// may be due.
func (s *seats) sweep() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tidy()
	now, oldest := time.Now(), time.Now()
	for id, k := range s.taken {
		if now.Sub(k.used) >= s.idle {
			s.end(id)
		} else if k.used.Before(oldest) {
			oldest = k.used
		}
	}
	if s.next = nil; len(s.taken) > 0 {
		s.next = time.AfterFunc(oldest.Add(s.idle).Sub(now), s.sweep)
	}
}

// close lets go of all.
func (s *seats) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.taken)
	if s.next != nil {
		s.next.Stop()
	}
}

// of is how many an agent has.
func (s *seats) of(agent string) int {
	n := s.held[agent]
	for _, k := range s.taken {
		if k.agent == agent {
			n++
		}
	}
	return n
}

// tidy gives up the places of sessions that have ended.
func (s *seats) tidy() {
	open := make(map[*sdk.ServerSession]bool, len(s.taken))
	for session := range s.live() {
		open[session] = true
	}
	for id, k := range s.taken {
		if !open[k.session] {
			delete(s.taken, id)
		}
	}
}

// evict ends the session of an agent that was used the longest ago.
func (s *seats) evict(agent string) {
	oldest := ""
	for id, k := range s.taken {
		if k.agent == agent && (oldest == "" || k.used.Before(s.taken[oldest].used)) {
			oldest = id
		}
	}
	if oldest != "" {
		s.end(oldest)
	}
}

func (s *seats) end(id string) {
	session := s.taken[id].session
	delete(s.taken, id)
	go func() { _ = session.Close() }() // which waits for what is under way in it
}
