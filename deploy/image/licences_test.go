package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEachLicenceStandsOnceAboveItTheCratesThatItIsOf(t *testing.T) {
	dir := t.TempDir()
	for path, text := range map[string]string{
		"axum-1/LICENSE": "Permission is\ngranted", "bytes-1/LICENSE-MIT": "Permission is granted\r\n", "bytes-1/src/license.rs": "code",
		"bytes-1/c/COPYING": "another one", "hyper-1/README.md": "no licence",
	} {
		to := filepath.Join(dir, path)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	crates, folders := []Crate{}, map[string]string{}
	for _, name := range []string{"hyper", "bytes", "axum"} {
		crates = append(crates, Crate{Name: name, Version: "1", Licence: "MIT"})
		folders[name+" 1"] = filepath.Join(dir, name+"-1")
	}
	made, err := licences(build(""), "Ours", crates, folders)
	if err != nil {
		t.Fatal(err)
	}
	text := string(made)
	for _, want := range []string{
		"deployment-recorder 1.2.3 is under this licence:\n\nOurs\n", "revision 0123abc", "hyper 1: MIT",
		"Of axum 1, bytes 1:\n\nPermission is\ngranted\n", "Of bytes 1:\n\nanother one\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if strings.Contains(text, "code") || strings.Contains(text, dir) {
		t.Errorf("there is more in\n%s", text)
	}
	delete(folders, "axum 1")
	if _, err := licences(build(""), "Ours", crates, folders); err == nil {
		t.Error("a crate whose source is nowhere has a licence")
	}
}
