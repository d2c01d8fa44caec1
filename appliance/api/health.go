package api

// HealthResponse says whether the appliance serves.
type HealthResponse struct {
	Status  string `json:"status" enum:"healthy,degraded"`
	Version string `json:"version"`
}

// Values of HealthResponse.Status.
const (
	Healthy  = "healthy"
	Degraded = "degraded" // also a value of HSMHealthResponse.Status
)

// HSMHealthResponse says whether keys can be used, and what holds them.
type HSMHealthResponse struct {
	Status string   `json:"status" enum:"ok,degraded,unavailable"`
	Module string   `json:"module" doc:"What holds the keys: pkcs11, local or sealed"`
	IsHSM  bool     `json:"is_hsm" doc:"Whether the root key is inside a PKCS#11 token"`
	Notes  []string `json:"notes" doc:"What an operator should know, worst first"`
}

// Values of HSMHealthResponse.Status; Degraded is the third.
const (
	HSMOK          = "ok"
	HSMUnavailable = "unavailable"
)
