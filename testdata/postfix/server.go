package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	username = "hr"
	realm    = "example.com"
	password = "correct-horse-battery"
)

// options say how a server treats its clients. STARTTLS and a login
// are always offered, and a client that is logged in may mail to any address.
type options struct {
	// next is host:port of the server that gets what was taken.
	next string
	// restrictions come before the login is looked at, in the words of
	// smtpd_recipient_restrictions.
	restrictions []string
	// settings are more lines of main.cf.
	settings []string
}

// server is a Postfix with a configuration, a queue and a list of users of its
// own. The system's is not touched.
type server struct {
	dir    string // all it has
	port   int
	caFile string // what a client must trust
	master *exec.Cmd
	ended  chan struct{}
}

// programs are what a server needs, by the package of Debian that has it.
var programs = map[string]string{"postfix": "postfix", "postconf": "postfix", "saslpasswd2": "sasl2-bin"}

// start starts a server in dir, which must be open to all users of this machine:
// most of Postfix does not run as root.
func start(ctx context.Context, dir string, o options) (*server, error) {
	if os.Geteuid() != 0 {
		return nil, errors.New("postfix must be started by root: run this in a container, for example")
	}
	for program, pkg := range programs {
		if _, err := exec.LookPath(program); err != nil {
			return nil, fmt.Errorf("missing: %s: apt-get install %s libsasl2-modules", program, pkg)
		}
	}
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir, port: port, caFile: filepath.Join(dir, "certificate.pem"), ended: make(chan struct{})}
	if err := errors.Join(s.certificate(), s.configure(ctx, o), s.setPassword(ctx, password)); err != nil {
		return nil, err
	}
	// Without the context: an end in order is stop's.
	s.master = exec.CommandContext(context.WithoutCancel(ctx), "postfix", "-c", s.etc(), "start-fg")
	out, err := os.Create(filepath.Join(dir, "start.log"))
	if err != nil {
		return nil, err
	}
	s.master.Stdout, s.master.Stderr = out, out
	if err := s.master.Start(); err != nil {
		return nil, errors.Join(err, out.Close())
	}
	go func() {
		defer close(s.ended)
		_ = s.master.Wait() // whether it should have ended is for whoever waits to say
		_ = out.Close()
	}()
	return s, s.wait(ctx)
}

// wait returns when the server greets.
func (s *server) wait(ctx context.Context) error {
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", s.addr())
		if err == nil {
			return conn.Close()
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-s.ended:
			return errors.New("postfix ended at once: " + s.log())
		case <-ctx.Done():
			return errors.Join(ctx.Err(), s.stop(), errors.New(s.log()))
		}
	}
}

// stop ends the server, and waits until it has.
func (s *server) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := exec.CommandContext(ctx, "postfix", "-c", s.etc(), "stop").Run()
	select {
	case <-s.ended: // with the status of a process that was told to end
		return nil
	case <-ctx.Done():
		return errors.Join(err, ctx.Err(), s.master.Process.Kill())
	}
}

func (s *server) addr() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }
func (s *server) etc() string  { return filepath.Join(s.dir, "etc") }

// sasl is where Debian's Postfix looks, whatever its setting says.
func (s *server) sasl() string { return filepath.Join(s.etc(), "sasl") }

// log is what the server has said so far.
func (s *server) log() string {
	var all strings.Builder
	for _, name := range []string{"start.log", "mail.log"} {
		text, _ := os.ReadFile(filepath.Join(s.dir, name)) // it may have said nothing
		all.Write(text)
	}
	return all.String()
}

// configure writes the configuration.
func (s *server) configure(ctx context.Context, o options) error {
	host, nextPort, err := net.SplitHostPort(o.next)
	if err != nil {
		return err
	}
	restrictions := strings.Join(append(o.restrictions, "permit_sasl_authenticated", "reject"), ", ")
	main := []string{
		"compatibility_level = 3.6",
		"queue_directory = " + filepath.Join(s.dir, "queue"), "data_directory = " + filepath.Join(s.dir, "data"),
		"maillog_file = " + filepath.Join(s.dir, "mail.log"),
		"maillog_file_prefixes = " + s.dir,
		"myhostname = mail." + realm,
		"mydestination =", "mynetworks =", "inet_interfaces = 127.0.0.1", "inet_protocols = ipv4",
		"smtp_dns_support_level = disabled", // nobody is asked but who is configured
		"smtp_host_lookup = native", "smtpd_peername_lookup = no", "smtpd_error_sleep_time = 0",
		"relayhost = [" + host + "]:" + nextPort, // in brackets: without a look-up of its MX
		"smtpd_tls_security_level = may", "smtpd_tls_auth_only = yes",
		"smtpd_tls_chain_files = " + filepath.Join(s.dir, "key.pem"),
		"smtpd_sasl_auth_enable = yes", "smtpd_sasl_type = cyrus", "smtpd_sasl_path = smtpd",
		"smtpd_sasl_local_domain = " + realm,
		"cyrus_sasl_config_path = " + s.sasl(),
		"smtpd_relay_restrictions = permit_sasl_authenticated, reject",
		"smtpd_recipient_restrictions = " + restrictions,
	}
	main = append(main, o.settings...)
	master := []string{
		s.addr() + " inet n - n - - smtpd", "cleanup unix n - n - 0 cleanup", "qmgr unix n - n 300 1 qmgr",
		"tlsmgr unix - - n 1000? 1 tlsmgr", "rewrite unix - - n - - trivial-rewrite",
		"bounce unix - - n - 0 bounce", "defer unix - - n - 0 bounce",
		"trace unix - - n - 0 bounce", "verify unix - - n - 1 verify", "proxymap unix - - n - - proxymap",
		"smtp unix - - n - - smtp", "relay unix - - n - - smtp",
		"error unix - - n - - error", "retry unix - - n - - error",
		"anvil unix - - n - 1 anvil", "scache unix - - n - 1 scache", "postlog unix-dgram n - n - 1 postlogd",
	}
	sasl := []string{"pwcheck_method: auxprop", "auxprop_plugin: sasldb", "sasldb_path: " + s.users(),
		"mech_list: PLAIN LOGIN SCRAM-SHA-256"}
	err = os.MkdirAll(s.sasl(), 0o755)
	for path, lines := range map[string][]string{
		filepath.Join(s.etc(), "main.cf"):     main,
		filepath.Join(s.etc(), "master.cf"):   master,
		filepath.Join(s.sasl(), "smtpd.conf"): sasl,
	} {
		err = errors.Join(err, os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644))
	}
	if err != nil {
		return err
	}
	for _, dir := range []string{"queue", "data"} {
		err = errors.Join(err, os.Mkdir(filepath.Join(s.dir, dir), 0o755))
	}
	// Its data belongs to the user that Postfix runs as.
	chown := exec.CommandContext(ctx, "chown", "postfix", filepath.Join(s.dir, "data"))
	return errors.Join(err, chown.Run())
}

func (s *server) users() string { return filepath.Join(s.dir, "users.db") }

// setPassword changes the password of the one user there is. Connections that
// are logged in stay so.
func (s *server) setPassword(ctx context.Context, password string) error {
	set := exec.CommandContext(ctx, "saslpasswd2", "-p", "-c", "-f", s.users(), "-u", realm, username)
	set.Stdin = strings.NewReader(password)
	if out, err := set.CombinedOutput(); err != nil {
		return fmt.Errorf("saslpasswd2: %w: %s", err, out)
	}
	return os.Chmod(s.users(), 0o644) // smtpd reads it as another user
}

// certificate makes one for localhost, and writes it with and without its key.
func (s *server) certificate() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{CommonName: "localhost"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour), DNSNames: []string{"localhost"},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	both := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), public...)
	return errors.Join(os.WriteFile(s.caFile, public, 0o644),
		os.WriteFile(filepath.Join(s.dir, "key.pem"), both, 0o600))
}

func freePort(ctx context.Context) (int, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	return port, l.Close()
}
