package appliance

import "testing"

func TestSettingsOfListeners(t *testing.T) {
	for _, c := range []struct{ settings, wrong string }{
		{"api.listen=8200", "api.listen"},
		{"api.listen=0.0.0.0:8200", "api.listen"},
		{"api.listen=0.0.0.0:8200 tls.local_ca=true", ""},
		{"api.listen=0.0.0.0:8200 api.plain_http=true", ""},
		{"metrics.cert_file=a", ""}, // there is no such listener
		{"metrics.listen=9090", "metrics.listen"},
		{"metrics.listen=127.0.0.1:9090", ""},
		{"metrics.listen=[::1]:9090", ""},
		{"metrics.listen=localhost:9090", ""},
		{"metrics.listen=:9090", "metrics.listen"},
		{"metrics.listen=10.0.0.1:9090", "metrics.listen"},
		{"metrics.listen=10.0.0.1:9090 tls.local_ca=true", "metrics.listen"}, // nobody said that it is shared
		{"metrics.listen=10.0.0.1:9090 metrics.plain_http=true", ""},
		{"metrics.listen=10.0.0.1:9090 metrics.cert_file=a metrics.key_file=b", ""},
		{"metrics.listen=10.0.0.1:9090 metrics.cert_file=a", "metrics.cert_file"},
		{"metrics.listen=10.0.0.1:9090 metrics.key_file=a", "metrics.cert_file"},
		{"metrics.listen=10.0.0.1:9090 metrics.shared_cert=true", "metrics.shared_cert"},
		{"metrics.listen=10.0.0.1:9090 metrics.shared_cert=true tls.cert_file=a tls.key_file=b", ""},
		{"metrics.listen=10.0.0.1:9090 metrics.shared_cert=true tls.local_ca=true", ""},
		{"metrics.listen=:9090 metrics.shared_cert=true tls.local_ca=true metrics.cert_file=a metrics.key_file=b", "metrics.shared_cert"},
		{"metrics.listen=127.0.0.1:9090 metrics.client_ca_file=a", "metrics.client_ca_file"},
		{"metrics.listen=:9090 metrics.client_ca_file=a metrics.shared_cert=true tls.local_ca=true", ""},
	} {
		checked(t, c.settings, c.wrong)
	}
}

func TestSettingsOfTraces(t *testing.T) {
	for _, c := range []struct{ settings, wrong string }{
		{"traces.endpoint=https://c.example.com:4318/v1/traces", ""},
		{"traces.endpoint=http://127.0.0.1:4318/v1/traces", ""},
		{"traces.endpoint=http://10.0.0.1:4318/v1/traces", "traces.endpoint"},
		{"traces.endpoint=c.example.com:4318", "traces.endpoint"},
		{"traces.endpoint=https://user:pw@c.example.com/", "traces.endpoint"},
		{"traces.endpoint=https://c.example.com/?key=1", "traces.endpoint"},
		{"traces.endpoint=grpc://c.example.com", "traces.endpoint"},
		{"traces.ratio=-0.1", "traces.ratio"},
		{"traces.ratio=1.1", "traces.ratio"},
		{"traces.ratio=NaN", "traces.ratio"},
		{"traces.ratio=0.25", ""},
		{"traces.incoming=yes", "traces.incoming"},
		{"traces.incoming=link", ""},
	} {
		checked(t, c.settings, c.wrong)
	}
}
