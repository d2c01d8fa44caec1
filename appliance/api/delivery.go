package api

// Delivery says what an agent gets when it reads a secret: its value, or a refusal
// with code handle_only and the use of the value in requests.
type Delivery struct {
	Mode string `json:"mode" enum:"value,handle"`
}
