package main

// The images that were built, unpacked into a folder and started there as their own user with that
// folder for a root: no file of this machine is within reach. Only root may do so.

import (
	"archive/tar"
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

const digest = "acme/web@sha256:0000000000000000000000000000000000000000000000000000000000000001"

// Root is an unpacked image.
type Root struct {
	dir    string
	config v1.Config
}

// unpacked is the image of that name in the folder that IMAGES names.
func unpacked(t *testing.T, name string) Root {
	t.Helper()
	from := os.Getenv("IMAGES")
	if from == "" {
		t.Skip("IMAGES names no folder with images: `make image-test` builds them and does")
	}
	if os.Geteuid() != 0 {
		t.Skip("only root may change its root")
	}
	image := imageIn(t, filepath.Join(from, name))
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	syscall.Umask(0o022) // the user of the image must get into the folder; what is above it is no concern of a chroot
	root := Root{dir: t.TempDir(), config: config.Config}
	flat := mutate.Extract(image)
	defer flat.Close()
	for reader := tar.NewReader(flat); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return root
		}
		if err != nil {
			t.Fatal(err)
		}
		if header.Typeflag == tar.TypeReg {
			data, err := io.ReadAll(reader)
			if err != nil {
				t.Fatal(err)
			}
			root.put(t, header.Name, data, header.FileInfo().Mode())
		}
	}
}

// put writes a file into the root, as a kubelet mounts one.
func (root Root) put(t *testing.T, path string, data []byte, mode os.FileMode) {
	t.Helper()
	to := filepath.Join(root.dir, path)
	if err := errors.Join(os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, data, mode)); err != nil {
		t.Fatal(err)
	}
}

// command starts the image's program as a runtime does.
func (root Root) command(environment []string, args ...string) *exec.Cmd {
	return &exec.Cmd{
		Path: root.config.Entrypoint[0], Args: append([]string{root.config.Entrypoint[0]}, args...), Dir: "/",
		Env: append(append([]string{}, root.config.Env...), environment...),
		SysProcAttr: &syscall.SysProcAttr{
			Chroot: root.dir, Credential: &syscall.Credential{Uid: 65532, Gid: 65532}, Pdeathsig: syscall.SIGKILL,
		},
	}
}

// says is what the program prints and whether it exits with 0.
func (root Root) says(t *testing.T, environment []string, args ...string) (string, bool) {
	t.Helper()
	command := root.command(environment, args...)
	end := time.AfterFunc(time.Minute, func() { _ = command.Process.Kill() })
	defer end.Stop()
	text, err := command.CombinedOutput()
	if failed := new(exec.ExitError); err != nil && !errors.As(err, &failed) {
		t.Fatal(err)
	}
	return string(text), err == nil
}

func (root Root) must(t *testing.T, want string, args ...string) {
	t.Helper()
	if text, ok := root.says(t, nil, args...); !ok || !strings.Contains(text, want) {
		t.Errorf("%q says\n%s", args, text)
	}
}

func TestTheRecorderWorksInAnImageWithNothingElse(t *testing.T) {
	root := unpacked(t, "deployment-recorder")
	root.must(t, "deployment-recorder ", "--version")
	root.must(t, "Usage:", "--help")
	cluster, err := os.ReadFile("../../examples/cluster.yaml")
	if err != nil {
		t.Fatal(err)
	}
	root.put(t, "cluster.yaml", cluster, 0o644)
	root.must(t, "NAMESPACE", "snapshot", "--from", "/cluster.yaml")
}

func TestGitHubIsFoundByDNSAndTrustedByTheAuthoritiesOfTheImage(t *testing.T) {
	root := unpacked(t, "deployment-recorder")
	github := httptest.NewUnstartedServer(http.HandlerFunc(func(writer http.ResponseWriter, _ *http.Request) {
		writer.Header().Set("content-type", "application/json")
		_, _ = io.WriteString(writer, `{"total_count": 0, "deployment_records": []}`)
	}))
	certificate, own := certified(t, "dns.example.com", "hosts.example.com")
	github.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	github.Config.ErrorLog = log.New(io.Discard, "", 0)
	github.StartTLS()
	defer github.Close()
	at, err := url.Parse(github.URL)
	if err != nil {
		t.Fatal(err)
	}
	root.put(t, "own.pem", own, 0o644)
	root.put(t, "etc/resolv.conf", []byte("nameserver 127.0.0.9\noptions timeout:1 attempts:1\n"), 0o644)
	root.put(t, "etc/hosts", []byte("127.0.0.1 hosts.example.com\n"), 0o644)
	asks := func(host string, environment ...string) (string, bool) {
		environment = append(environment, "GITHUB_TOKEN=any")
		return root.says(t, environment, "records", "list", "--org", "acme", "--github-api-url", "https://"+host+":"+at.Port(), digest)
	}

	if text, ok := asks("dns.example.com"); ok || !strings.Contains(text, "lookup") {
		t.Errorf("without DNS it says\n%s", text)
	}
	answerDNS(t, "127.0.0.9:53")
	for _, host := range []string{"dns.example.com", "hosts.example.com"} {
		if text, ok := asks(host, "SSL_CERT_FILE=/own.pem"); !ok {
			t.Errorf("%s, trusted: it says\n%s", host, text)
		}
	}
	// Besides those of the image, as the chart's caBundle does it.
	root.put(t, "etc/ssl/deployment-recorder/00000000.0", own, 0o644)
	both := []string{"SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt", "SSL_CERT_DIR=/etc/ssl/deployment-recorder"}
	if text, ok := asks("dns.example.com", both...); !ok {
		t.Errorf("trusted besides: it says\n%s", text)
	}
	if text, ok := asks("dns.example.com"); ok || !strings.Contains(text, "UnknownIssuer") {
		t.Errorf("of no authority of the image: it says\n%s", text)
	}
	if err := os.Remove(filepath.Join(root.dir, "etc/ssl/certs/ca-certificates.crt")); err != nil {
		t.Fatal(err)
	}
	if text, ok := asks("hosts.example.com"); ok || strings.Contains(text, "UnknownIssuer") {
		t.Errorf("without authorities it says\n%s", text)
	}
}

// certified is a certificate for hosts, and in PEM the authority that it is from.
func certified(t *testing.T, hosts ...string) (tls.Certificate, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := func(name string, serial int64) *x509.Certificate {
		return &x509.Certificate{
			SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: name},
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		}
	}
	authority, leaf := about("an authority of a test", 1), about(hosts[0], 2)
	authority.IsCA, authority.BasicConstraintsValid, authority.KeyUsage = true, true, x509.KeyUsageCertSign
	leaf.DNSNames, leaf.ExtKeyUsage = hosts, []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	signed := func(one *x509.Certificate) []byte {
		der, err := x509.CreateCertificate(rand.Reader, one, authority, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	root := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: signed(authority)})
	return tls.Certificate{Certificate: [][]byte{signed(leaf)}, PrivateKey: key}, root
}

// answerDNS says to every question for an IPv4 address that it is 127.0.0.1, until the test ends.
func answerDNS(t *testing.T, address string) {
	t.Helper()
	socket, err := net.ListenPacket("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	go func() {
		packet := make([]byte, 512)
		for {
			size, from, err := socket.ReadFrom(packet)
			if err != nil {
				return
			}
			_, _ = socket.WriteTo(dnsAnswer(packet[:size]), from)
		}
	}()
}

// dnsAnswer is RFC 1035, section 4: the question with its flags turned, and an address if it is one
// for type A.
func dnsAnswer(question []byte) []byte {
	if len(question) < 12 {
		return nil
	}
	end := 12
	for end < len(question) && question[end] != 0 {
		end += int(question[end]) + 1
	}
	if end += 5; end > len(question) {
		return nil
	}
	answer := append([]byte{}, question[:end]...)
	answer[2], answer[3] = 0x81, 0x80            // an answer without an error
	copy(answer[6:12], []byte{0, 0, 0, 0, 0, 0}) // no records, but for
	if question[end-3] == 1 {
		answer[7] = 1
		answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1)
	}
	return answer
}

func TestTheSandboxServesFromItsImage(t *testing.T) {
	root := unpacked(t, "github-sandbox")
	root.must(t, "github-sandbox ", "--version")
	command := root.command(nil, "--listen", "127.0.0.1:0")
	out, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = command.Wait() }()
	defer func() { _ = command.Process.Kill() }()
	lines := bufio.NewScanner(out)
	lines.Scan()
	answer, err := http.Get(strings.TrimSpace(lines.Text()) + "/sandbox/healthz")
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("it answers %s", answer.Status)
	}
}
