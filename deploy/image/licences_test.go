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
		"axum-1/LICENSE": "Permission is\ngranted", "bytes-1/LICENSE-MIT": "Permission is granted\r\n", "bytes-1/src/license.rs": "fn licence()",
		"bytes-1/c/COPYING": "another one", "bytes-1/LICENSES/MIT.txt": "one on a shelf", "bytes-1/LICENSE-Apache-2.0_WITH_LLVM": "one with an exception",
		"hyper-1/README.md": "no licence",
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
		"deployment-recorder 1.2.3 is under this licence:\n\nOurs\n", "revision 0123abc", "hyper 1: MIT (it brings no text)", "bytes 1: MIT\n",
		"libgcc_eh: GPL-3.0-or-later with the GCC Runtime Library Exception",
		"Of the GNU C library:\n\nGNU LESSER GENERAL PUBLIC LICENSE\n",
		"Of Mozilla's list of certificate authorities:\n\nMozilla Public License Version 2.0\n",
		"Of axum 1, bytes 1:\n\nPermission is\ngranted\n", "Of bytes 1:\n\nanother one\n",
		"Of bytes 1:\n\none on a shelf\n", "Of bytes 1:\n\none with an exception\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in\n%s", want, text)
		}
	}
	if strings.Contains(text, "fn licence()") || strings.Contains(text, dir) {
		t.Errorf("there is more in\n%s", text)
	}
	// To their ends.
	for _, last := range []string{"That's all there is to it!", "defined by the Mozilla Public License, v. 2.0."} {
		if !strings.Contains(text, last) {
			t.Errorf("%q is not in\n%s", last, text)
		}
	}
	delete(folders, "axum 1")
	if _, err := licences(build(""), "Ours", crates, folders); err == nil {
		t.Error("a crate whose source is nowhere has a licence")
	}
}
