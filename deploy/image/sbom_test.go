package main

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

const tree = `0deployment-recorder v0.1.0 (/somewhere/of/mine)|Apache-2.0|https://github.com/deployment-recorder/deployment-recorder
1axum v0.8.9|MIT|https://github.com/tokio-rs/axum
2bytes v1.12.2|MIT|https://github.com/tokio-rs/bytes
1bytes v1.12.2|MIT|https://github.com/tokio-rs/bytes
1hyper v1.9.0|MIT/Apache-2.0|
2tikv-jemalloc-sys v0.7.1+5.3.1-0-g81034ce|MIT|
2axum v0.8.9|MIT|https://github.com/tokio-rs/axum (*)
`

// A plus sign is a space to some who read purls.
const jemalloc = "pkg:cargo/tikv-jemalloc-sys@0.7.1%2B5.3.1-0-g81034ce"

const lock = `version = 4

[[package]]
name = "axum"
version = "0.8.9"
source = "registry+https://github.com/rust-lang/crates.io-index"
checksum = "00aa"
dependencies = [
 "bytes",
]

[[package]]
name = "deployment-recorder"
version = "0.1.0"
`

func TestATreeOfCargoBecomesCratesWithWhatTheyNeed(t *testing.T) {
	crates, err := parseTree(tree)
	if err != nil {
		t.Fatal(err)
	}
	needs := map[string]string{}
	for _, crate := range crates {
		needs[crate.Name] = strings.Join(crate.Needs, " ")
	}
	want := map[string]string{
		"deployment-recorder": "pkg:cargo/axum@0.8.9 pkg:cargo/bytes@1.12.2 pkg:cargo/hyper@1.9.0",
		"axum":                "pkg:cargo/bytes@1.12.2", "bytes": "", "hyper": "pkg:cargo/axum@0.8.9 " + jemalloc,
		"tikv-jemalloc-sys": "",
	}
	for crate, those := range want {
		if needs[crate] != those {
			t.Errorf("%s needs %q", crate, needs[crate])
		}
	}
	if len(crates) != 5 || crates[0].Name != "deployment-recorder" || crates[3].Licence != "MIT OR Apache-2.0" {
		t.Errorf("%+v", crates)
	}
	for _, broken := range []string{"", "axum v0.8.9|MIT|", "0axum|MIT|", "0axum v1|MIT", "3axum v1|MIT|"} {
		if _, err := parseTree(broken); err == nil {
			t.Errorf("%q is taken for a tree", broken)
		}
	}
}

func TestABillNamesEachPartOnceAndNoPathOfThisMachine(t *testing.T) {
	crates, err := parseTree(tree)
	if err != nil {
		t.Fatal(err)
	}
	if crates[4].Brings, err = brought(crates[4], ""); err != nil {
		t.Fatal(err)
	}
	told := build("")
	libc := cdx.Component{Type: cdx.ComponentTypeLibrary, Name: "glibc", BOMRef: "pkg:generic/glibc@2.36"}
	write := func(program string) string {
		var text bytes.Buffer
		made := bill(told, images[told.Name], []byte(program), crates, checksums(lock), []cdx.Component{libc})
		if err := cdx.NewBOMEncoder(&text, cdx.BOMFileFormatJSON).EncodeVersion(made, cdx.SpecVersion1_6); err != nil {
			t.Fatal(err)
		}
		return text.String()
	}
	text := write("program")
	if write("program") != text {
		t.Error("the same build gives another bill")
	}
	if write("another") == text {
		t.Error("another program gives the same bill")
	}
	if strings.Contains(text, "somewhere") {
		t.Error("it says where the checkout is")
	}
	var read cdx.BOM
	if err := cdx.NewBOMDecoder(strings.NewReader(text), cdx.BOMFileFormatJSON).Decode(&read); err != nil {
		t.Fatal(err)
	}
	var refs []string
	for _, part := range *read.Components {
		refs = append(refs, part.BOMRef)
	}
	if want := []string{"pkg:cargo/axum@0.8.9", "pkg:cargo/bytes@1.12.2", "pkg:cargo/hyper@1.9.0", jemalloc, libc.BOMRef, "pkg:github/jemalloc/jemalloc@5.3.1"}; !slices.Equal(refs, want) {
		t.Errorf("it names %q", refs)
	}
	if sums := (*read.Components)[0].Hashes; sums == nil || (*sums)[0].Value != "00aa" {
		t.Errorf("axum has %v", sums)
	}
	known := append(refs, told.Name)
	for _, dependency := range *read.Dependencies {
		if dependency.Dependencies == nil {
			continue
		}
		for _, ref := range *dependency.Dependencies {
			if !slices.Contains(known, ref) {
				t.Errorf("%s needs %s, which is not there", dependency.Ref, ref)
			}
		}
	}
}

func TestWhatCratesCarryIsKnownByItsOwnVersion(t *testing.T) {
	dir := t.TempDir()
	header := filepath.Join(dir, "aws-lc/include/openssl/base.h")
	if err := os.MkdirAll(filepath.Dir(header), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(header, []byte("#define AWSLC_VERSION_NUMBER_STRING \"1.2.3\"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	crate := Crate{Name: "aws-lc-sys", Version: "0.47.0", Licence: "ISC"}
	part, err := brought(crate, dir)
	if err != nil || part.PackageURL != "pkg:github/aws/aws-lc@v1.2.3" || (*part.Licenses)[0].Expression != "ISC" {
		t.Errorf("%+v, %v", part, err)
	}
	if _, err := brought(crate, t.TempDir()); err == nil {
		t.Error("there is no header, and it has a version")
	}
	if _, err := brought(Crate{Name: "tikv-jemalloc-sys", Version: "0.8.0"}, dir); err == nil {
		t.Error("there is no version, and it has one")
	}
	if part, err := brought(Crate{Name: "axum", Version: "0.8.9"}, dir); part != nil || err != nil {
		t.Errorf("%+v, %v", part, err)
	}
}

func TestTheLibrariesOfTheSystemAreNamed(t *testing.T) {
	parts, err := beside()
	if err != nil {
		t.Fatal(err)
	}
	licences := map[string]bool{}
	for _, part := range parts {
		licences[(*part.Licenses)[0].Expression] = true
		if part.Version == "" || part.Version == "." || part.PackageURL == "" {
			t.Errorf("%+v", part)
		}
	}
	for _, want := range []string{"LGPL-2.1-or-later", "GPL-3.0-or-later WITH GCC-exception-3.1", "MPL-2.0"} {
		if !licences[want] {
			t.Errorf("nothing is under %s: %v", want, licences)
		}
	}
}
