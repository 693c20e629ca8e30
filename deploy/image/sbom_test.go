package main

import (
	"bytes"
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
2axum v0.8.9|MIT|https://github.com/tokio-rs/axum (*)
`

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
		"axum":                "pkg:cargo/bytes@1.12.2", "bytes": "", "hyper": "pkg:cargo/axum@0.8.9",
	}
	for crate, those := range want {
		if needs[crate] != those {
			t.Errorf("%s needs %q", crate, needs[crate])
		}
	}
	if len(crates) != 4 || crates[0].Name != "deployment-recorder" || crates[3].Licence != "MIT OR Apache-2.0" {
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
	if want := []string{"pkg:cargo/axum@0.8.9", "pkg:cargo/bytes@1.12.2", "pkg:cargo/hyper@1.9.0", libc.BOMRef}; !slices.Equal(refs, want) {
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
