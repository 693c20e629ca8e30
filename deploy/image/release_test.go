package main

// What deploy/release sends to a registry: once, and never anything else under the same name.

import (
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
)

// registryOf is the address of an empty registry that lives as long as the test.
func registryOf(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	return strings.Replace(strings.TrimPrefix(server.URL, "http://"), "127.0.0.1", "localhost", 1)
}

// release runs a script of deploy/release against a registry: what it prints and what it complains about.
func release(t *testing.T, registry, target string, words ...string) (string, string, error) {
	t.Helper()
	command := exec.Command("../release/"+words[0], words[1:]...)
	command.Env = append(os.Environ(), "REGISTRY="+registry, "CARGO_TARGET_DIR="+target)
	var complaint strings.Builder
	command.Stderr = &complaint
	out, err := command.Output()
	return string(out), complaint.String(), err
}

// built is a folder as `make image` leaves it.
func built(t *testing.T, architecture, revision string) string {
	t.Helper()
	dir := t.TempDir()
	for name := range images {
		one := build(program(t, machines[architecture], 1))
		one.Name, one.Revision = name, revision
		if err := assemble(one, architecture, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestATagIsSetOnceAndNeverMoves(t *testing.T) {
	if _, err := exec.LookPath("jq"); err != nil {
		t.Skip("deploy/release/images needs jq")
	}
	registry, target := registryOf(t), t.TempDir()
	tag := func(revision string) (string, error) {
		if _, said, err := release(t, registry, target, "images", "join", built(t, "amd64", revision), built(t, "arm64", revision)); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
		_, said, err := release(t, registry, target, "images", "tag", "1.2.3")
		return said, err
	}
	for range 2 { // the second time it is there as it is
		if said, err := tag("one"); err != nil {
			t.Fatalf("%v: %s", err, said)
		}
	}
	if said, err := tag("another"); err == nil || !strings.Contains(said, "no tag moves") {
		t.Errorf("%v: %s", err, said)
	}
	if said, err := tag("one"); err != nil {
		t.Errorf("it has moved: %s", said)
	}
}

func TestAVersionOfTheChartIsPushedOnceAndNeverChanges(t *testing.T) {
	if text, err := exec.Command("../../tests/tools/build", "--where", "helm4").CombinedOutput(); err != nil {
		t.Skipf("deploy/release/chart needs helm4, and `make chart` builds it: %s", text)
	}
	registry, target := registryOf(t), t.TempDir()
	push := func(digit string) (string, string, error) {
		digest := "sha256:" + strings.Repeat(digit, 64)
		path, said, err := release(t, registry, target, "chart", "package", digest, digest, t.TempDir())
		if err != nil {
			t.Fatalf("%v: %s", err, said)
		}
		return release(t, registry, target, "chart", "push", strings.TrimSpace(path))
	}
	first, said, err := push("1")
	if err != nil || !strings.HasPrefix(first, "digest=sha256:") {
		t.Fatalf("%q, %v: %s", first, err, said)
	}
	if again, said, err := push("1"); err != nil || again != first {
		t.Errorf("%q, %v: %s", again, err, said)
	}
	if other, said, err := push("2"); err == nil || !strings.Contains(said, "no version changes") {
		t.Errorf("%q, %v: %s", other, err, said)
	}
}

func TestOnlyAPlainNoOfARegistryIsNothingThere(t *testing.T) {
	var out strings.Builder
	if err := run("find", []string{"--insecure", registryOf(t) + "/a/b:1"}, &out); err != nil || out.String() != "" {
		t.Errorf("%q, %v", out.String(), err)
	}
	closed := httptest.NewServer(nil)
	closed.Close()
	if err := run("find", []string{"--insecure", strings.TrimPrefix(closed.URL, "http://") + "/a/b:1"}, &out); err == nil {
		t.Error("a registry that does not answer has nothing")
	}
}
