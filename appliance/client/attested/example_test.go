package attested_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/oneclaw/oneclawd/appliance/api"
	"github.com/oneclaw/oneclawd/appliance/attest"
	"github.com/oneclaw/oneclawd/appliance/client"
	"github.com/oneclaw/oneclawd/appliance/client/attested"
)

// A key is given to no appliance but one whose machine and image the policy accepts.
func Example() {
	appliance := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1/attestation" {
			fmt.Println("something was sent:", r.URL.Path)
		}
		write(w, api.AttestationResponse{Reason: "attest.mode is none"})
	}))
	defer appliance.Close()

	// As a rule attest.LoadPolicy("policy.toml"); docs/attestation.md says what is in it.
	policy, err := attest.ParsePolicy([]byte("format = 1\nproducts = [\"Milan\"]\nvmpl = 0\n"+
		"measurements = [\""+strings.Repeat("1a", 48)+"\"]\n"+
		"[tcb]\nbootloader = 4\ntee = 0\nsnp = 22\nmicrocode = 213\n[revocation]\nunchecked = true\n"), nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	through, err := attested.New(appliance.URL, attested.Options{Policy: policy})
	if err != nil {
		fmt.Println(err)
		return
	}
	c, err := client.New(client.Options{BaseURL: appliance.URL, Key: "ocv_…", HTTP: &http.Client{Transport: through}})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = c.ListVaults(context.Background())
	fmt.Println(errors.Is(err, attested.ErrRefused))
	fmt.Println(err)
	// Output:
	// true
	// client: the appliance was not accepted: it is not attested: attest.mode is none
}
