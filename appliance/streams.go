package appliance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/oneclaw/oneclawd/appliance/auditstream"
	"github.com/oneclaw/oneclawd/appliance/httpapi"
	"github.com/oneclaw/oneclawd/store"
)

// AuditConfig sets how the log is signed and kept, and where else it goes.
type AuditConfig struct {
	CheckpointEvents   int      `toml:"checkpoint_events" doc:"Sign a checkpoint after this many events..."`
	CheckpointInterval Duration `toml:"checkpoint_interval" doc:"...or this long after the first unsigned one."`
	Retention          Duration `toml:"retention" doc:"How long events stay in the archive. 0 means for ever."`

	StreamFile       string   `toml:"stream_file" doc:"File that every event is appended to as well, one line of JSON each. Made with mode 0600. Empty: none."`
	StreamFileMaxMB  int      `toml:"stream_file_max_mb" doc:"Size in MiB at which it is put aside, under its name and the time, and another begun."`
	StreamFileMaxAge Duration `toml:"stream_file_max_age" doc:"Time that one file spans at most, from its first event to its last. 0 means any."`
	StreamFileKeep   int      `toml:"stream_file_keep" doc:"How many files that were put aside are kept."`

	Syslog           string `toml:"syslog" doc:"Syslog server that every event is sent to as well: tls://host:6514, or tcp://127.0.0.1:514 on this machine. Empty: none."`
	SyslogCAFile     string `toml:"syslog_ca_file" doc:"Certificates, PEM, of whom its certificate has to be. Empty: those that the system trusts."`
	SyslogCertFile   string `toml:"syslog_cert_file" doc:"Certificate to show to it, PEM, if it asks for one."`
	SyslogKeyFile    string `toml:"syslog_key_file" doc:"Its private key, PEM."`
	SyslogAllowPlain bool   `toml:"syslog_allow_plain" doc:"Let tcp:// go to other machines too. Everybody on the way reads along, and can change what arrives."`
}

func defaultAudit() AuditConfig {
	return AuditConfig{
		CheckpointEvents: 10000, CheckpointInterval: Duration(10 * time.Second),
		StreamFileMaxMB: 100, StreamFileMaxAge: Duration(24 * time.Hour), StreamFileKeep: 30,
	}
}

func (c Config) checkStreams() error {
	a := c.Audit
	switch {
	case a.StreamFile != "" && !filepath.IsAbs(a.StreamFile):
		return bad("audit.stream_file", "%q is not an absolute path", a.StreamFile)
	case a.StreamFileMaxMB < 1 || a.StreamFileMaxMB > 1<<20:
		return bad("audit.stream_file_max_mb", "%d is not between 1 and 1048576", a.StreamFileMaxMB)
	case a.StreamFileMaxAge < 0:
		return bad("audit.stream_file_max_age", "must not be negative")
	case a.StreamFileKeep < 1:
		return bad("audit.stream_file_keep", "must be at least 1")
	case (a.SyslogCertFile == "") != (a.SyslogKeyFile == ""):
		return bad("audit.syslog_cert_file", "syslog_cert_file and syslog_key_file come together")
	}
	if a.Syslog == "" {
		return nil
	}
	if _, err := auditstream.SyslogAddress(a.Syslog, a.SyslogAllowPlain); err != nil {
		return bad("audit.syslog", "%v", err)
	}
	return nil
}

// Names of the sinks: of their cursors, and in metrics.
const (
	sinkFile   = "file"
	sinkSyslog = "syslog"
)

// openStreams makes ready what sends the audit log elsewhere.
func (c *core) openStreams() error {
	a := c.cfg.Audit
	if a.StreamFile != "" {
		c.stream(sinkFile, &auditstream.File{
			Path: a.StreamFile, MaxBytes: int64(a.StreamFileMaxMB) << 20, MaxAge: time.Duration(a.StreamFileMaxAge), Keep: a.StreamFileKeep,
		})
	}
	if a.Syslog == "" {
		return nil
	}
	address, err := auditstream.SyslogAddress(a.Syslog, a.SyslogAllowPlain)
	if err != nil {
		return err
	}
	ways, err := c.cfg.Egress.waysOut(c.allowsPrivate, address)
	if err != nil {
		return err
	}
	hostname, err := os.Hostname()
	if err != nil {
		c.log.Warn("this machine does not say its name; syslog messages have none", "err", err)
	}
	server, err := auditstream.NewSyslog(auditstream.SyslogConfig{
		URL: a.Syslog, AllowPlain: a.SyslogAllowPlain, CAFile: a.SyslogCAFile, CertFile: a.SyslogCertFile, KeyFile: a.SyslogKeyFile,
		Hostname: hostname, Process: strconv.Itoa(os.Getpid()), Dial: ways.dialContext,
	})
	if err != nil {
		return fmt.Errorf("audit.syslog: %w", err)
	}
	c.stream(sinkSyslog, server)
	return nil
}

func (c *core) stream(name string, to auditstream.Sink) {
	c.streams = append(c.streams, &auditstream.Streamer{
		DB: store.Runner[auditstream.Tx](c.db), Events: c.audit, Encode: httpapi.EncodeEvent, Sink: to, Name: name, Log: c.log,
	})
}

// runStreams sends until ctx ends. No sink waits for another.
func (c *core) runStreams(ctx context.Context) error {
	var g errgroup.Group
	for _, s := range c.streams {
		g.Go(func() error { return ended(s.Run(ctx)) })
	}
	return g.Wait()
}

// streamLag is how many events each sink has not taken yet.
func (c *core) streamLag(ctx context.Context) (map[string]uint64, error) {
	behind := map[string]uint64{}
	var failed error
	for _, s := range c.streams {
		n, err := s.Lag(ctx)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		behind[s.Name] = n
	}
	return behind, failed
}
