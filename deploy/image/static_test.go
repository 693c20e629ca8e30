package main

// What deploy/image/static lets through to cargo, told by one that only says how it was started.

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func TestWhatTheEnvironmentSaysIsNotInAProgram(t *testing.T) {
	dir := t.TempDir()
	cargo := "#!/bin/sh\necho called: \"$@\" >&2\nenv >&2\n"
	if err := os.WriteFile(filepath.Join(dir, "cargo"), []byte(cargo), 0o755); err != nil {
		t.Fatal(err)
	}
	host, err := output("rustc", "--version", "--verbose")
	if err != nil {
		t.Fatal(err)
	}
	_, host, _ = strings.Cut(host, "host: ")
	host, _, _ = strings.Cut(host, "\n")
	command := exec.Command("./static", "deployment-recorder")
	command.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"), "CARGO_TARGET_DIR="+dir, "PROFILE=release")
	for _, name := range []string{
		"CFLAGS", "CXXFLAGS", "TARGET_CFLAGS", "HOST_CXXFLAGS", "CFLAGS_" + host, "RUSTFLAGS",
		"CARGO_PROFILE_RELEASE_LTO", "AWS_LC_SYS_NO_ASM", "JEMALLOC_SYS_WITH_LG_PAGE",
	} {
		command.Env = append(command.Env, name+"=of-mine")
	}
	text, err := command.CombinedOutput()
	if err != nil || !strings.Contains(string(text), "called: build --locked --profile release --target "+host) {
		t.Fatalf("%v: %s", err, text)
	}
	for _, line := range strings.Split(string(text), "\n") {
		if strings.HasSuffix(line, "=of-mine") {
			t.Errorf("cargo sees %s", line)
		}
	}
}
