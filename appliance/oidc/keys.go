package oidc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	fetchEvery   = 30 * time.Second // at most, whatever tokens come
	freshFor     = time.Hour
	usedFor      = 24 * time.Hour // when they cannot be fetched again
	fetchTimeout = 10 * time.Second
	maxDocument  = 1 << 20
)

// keys are those of one issuer.
type keys struct {
	issuer Issuer
	client *http.Client
	now    func() time.Time
	turn   chan struct{} // who has it fetches

	mu             sync.Mutex
	set            []key
	fetched, tried time.Time
	failed         error // of the last try
}

// find returns the keys that may have made a signature: those with an id, or all
// of a kind if the token names none.
func (k *keys) find(ctx context.Context, id, alg string) (any, error) {
	found, fresh := k.known(id, alg)
	if k.issuer.KeysFile != "" {
		return verifiers(found)
	}
	if len(found) > 0 {
		if !fresh {
			go func() { _ = k.refresh(context.WithoutCancel(ctx), false) }()
		}
		return verifiers(found)
	}
	if err := k.refresh(ctx, true); err != nil {
		return nil, err
	}
	if found, _ = k.known(id, alg); len(found) > 0 {
		return verifiers(found)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fetched.IsZero() {
		return nil, ErrUnreachable.Because(k.failed).After(fetchEvery)
	}
	return nil, ErrUnknownKey
}

func verifiers(found []key) (any, error) {
	if len(found) == 0 {
		return nil, ErrUnknownKey
	}
	var set jwt.VerificationKeySet
	for _, k := range found {
		set.Keys = append(set.Keys, k.public)
	}
	return set, nil
}

// known looks among the keys that are there.
func (k *keys) known(id, alg string) (found []key, fresh bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	age := k.now().Sub(k.fetched)
	if k.issuer.KeysFile == "" && age > usedFor {
		return nil, false
	}
	for _, c := range k.set {
		if contains(c.algorithms, alg) && (id == "" || c.id == "" || c.id == id) {
			found = append(found, c)
		}
	}
	return found, age < freshFor
}

// refresh fetches the keys, unless that was tried a moment ago. Whoever comes
// while somebody does waits for the outcome, or not; an error says that they
// would not wait any longer.
func (k *keys) refresh(ctx context.Context, wait bool) error {
	select {
	case k.turn <- struct{}{}:
	default:
		if !wait {
			return nil
		}
		select {
		case k.turn <- struct{}{}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	defer func() { <-k.turn }()
	k.mu.Lock()
	early := k.now().Sub(k.tried) < fetchEvery
	k.mu.Unlock()
	if early {
		return nil
	}
	// Whoever waits for the same keys must not suffer for a client that left.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
	defer cancel()
	set, err := k.fetch(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tried, k.failed = k.now(), err
	if err == nil {
		k.set, k.fetched = set, k.tried
	}
	return nil
}

// fetch asks the issuer for its keys.
func (k *keys) fetch(ctx context.Context) ([]key, error) {
	text, err := k.get(ctx, strings.TrimRight(k.issuer.URL, "/")+"/.well-known/openid-configuration")
	if err != nil {
		return nil, err
	}
	var doc struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(text, &doc); err != nil {
		return nil, errors.New("the discovery document is not JSON")
	}
	if doc.Issuer != k.issuer.URL {
		return nil, fmt.Errorf("the discovery document is of %q", doc.Issuer)
	}
	u, err := url.Parse(doc.Keys)
	if err != nil || u.Host == "" || u.Scheme != "https" && !strings.HasPrefix(k.issuer.URL, u.Scheme+"://"+u.Host+"/") && k.issuer.URL != u.Scheme+"://"+u.Host {
		return nil, fmt.Errorf("keys are not fetched from %q", doc.Keys)
	}
	if text, err = k.get(ctx, doc.Keys); err != nil {
		return nil, err
	}
	return parseKeys(text)
}

func (k *keys) get(ctx context.Context, from string) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := k.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s answers %s", from, resp.Status)
	}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxDocument+1))
	if err == nil && len(text) > maxDocument {
		err = fmt.Errorf("%s answers too much", from)
	}
	return text, err
}
