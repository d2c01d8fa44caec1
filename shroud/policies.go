package shroud

import (
	"encoding/json"
	"sync"
)

// policies has the policies of agents' configurations ready: to make one costs as much
// as to inspect a prompt. A configuration that changes is another one. The zero value is
// ready.
type policies struct {
	mu   sync.Mutex
	made map[string]Policy
}

// Bounds of what is kept.
const (
	maxPolicies   = 1024
	maxConfigKept = 16 << 10 // bytes of a configuration
)

// of is ParsePolicy.
func (p *policies) of(config json.RawMessage) (Policy, error) {
	p.mu.Lock()
	have, ok := p.made[string(config)]
	p.mu.Unlock()
	if ok {
		return have, nil
	}
	made, err := ParsePolicy(config)
	if err != nil || len(config) > maxConfigKept {
		return made, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.made == nil || len(p.made) >= maxPolicies {
		p.made = map[string]Policy{}
	}
	p.made[string(config)] = made
	return made, nil
}
