package main

// What is linked in, or lies beside the program, and is in no list of cargo's: the standard library of
// Rust, the C libraries of the system and of crates, the certificate authorities.

import (
	"cmp"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// beside is what cargo does not list.
func beside() ([]cdx.Component, error) {
	compiler, err := output("rustc", "--version")
	if err != nil {
		return nil, err
	}
	words := strings.Fields(compiler)
	if len(words) < 2 {
		return nil, fmt.Errorf("rustc says of itself %q", compiler)
	}
	standard := Crate{Name: "std", Version: words[1], Licence: "MIT OR Apache-2.0", Repository: "https://github.com/rust-lang/rust"}
	rust := component(standard, "")
	rust.BOMRef = "pkg:github/rust-lang/rust@" + standard.Version
	libc, err := libc()
	if err != nil {
		return nil, err
	}
	compilers, err := libgcc()
	if err != nil {
		return nil, err
	}
	roots := cdx.Component{Type: cdx.ComponentTypeLibrary, Name: rootsModule, Version: rootsVersion(), Scope: cdx.ScopeRequired,
		Description: "Mozilla's list of certificate authorities", Licenses: &cdx.Licenses{{Expression: "MPL-2.0"}}}
	roots.BOMRef = "pkg:golang/" + roots.Name + "@" + roots.Version
	parts := []cdx.Component{rust, libc, compilers, roots}
	for at := range parts {
		parts[at].PackageURL = parts[at].BOMRef
	}
	return parts, nil
}

// library is a C library of the system.
func library(name, version, licence string) cdx.Component {
	return cdx.Component{Type: cdx.ComponentTypeLibrary, Name: name, Version: version, Scope: cdx.ScopeRequired,
		BOMRef: "pkg:generic/" + name + "@" + version, Licenses: &cdx.Licenses{{Expression: licence}}}
}

// packaged names a library as the package of Debian or Ubuntu that it came in, if it did, for that is what
// advisories name.
func packaged(part cdx.Component, name string) cdx.Component {
	told, err := output("dpkg-query", "--showformat", "${Version} ${Architecture}", "--show", name)
	if err != nil {
		return part
	}
	version, architecture, _ := strings.Cut(told, " ")
	system, release := distribution()
	part.Name, part.Version = name, version
	part.BOMRef = fmt.Sprintf("pkg:deb/%s/%s@%s?arch=%s&distro=%s-%s", system, name, url.QueryEscape(version), architecture, system, release)
	return part
}

// libc is the C library that was linked.
func libc() (cdx.Component, error) {
	version, err := output("getconf", "GNU_LIBC_VERSION")
	if err != nil {
		return cdx.Component{}, err
	}
	version = strings.TrimSpace(strings.TrimPrefix(version, "glibc "))
	return packaged(library("glibc", version, "LGPL-2.1-or-later"), "libc6-dev"), nil
}

// libgcc is the library that a C compiler adds to what it links, here by the standard library's wish: it unwinds
// the stack (libgcc_eh), and computes what the processor has no instruction for (libgcc).
func libgcc() (cdx.Component, error) {
	file, err := output("cc", "-print-libgcc-file-name")
	if err != nil {
		return cdx.Component{}, err
	}
	file = strings.TrimSpace(file) // .../12/libgcc.a
	part := library("libgcc", filepath.Base(filepath.Dir(file)), "GPL-3.0-or-later WITH GCC-exception-3.1")
	if owner, err := output("dpkg-query", "--search", file); err == nil {
		name, _, _ := strings.Cut(owner, ":") // libgcc-12-dev:amd64: /usr/...
		return packaged(part, name), nil
	}
	return part, nil
}

// carried are the C libraries that crates carry along and compile: advisories are about these, by other versions
// than the crate's. The version stands in one of the crate's files, or else in the crate's own version; the licence
// is the crate's where none is named.
var carried = map[string]struct {
	name, licence, purl, file string
	version                   *regexp.Regexp
}{
	"aws-lc-sys": {"AWS-LC", "", "pkg:github/aws/aws-lc@v", "aws-lc/include/openssl/base.h",
		regexp.MustCompile(`#define AWSLC_VERSION_NUMBER_STRING "([0-9.]+)"`)},
	"tikv-jemalloc-sys": {"jemalloc", "BSD-2-Clause", "pkg:github/jemalloc/jemalloc@", "", regexp.MustCompile(`\+(\d+\.\d+\.\d+)`)},
}

// brought is the C library that a crate carries along, if it is known to; folder is where the crate's source is.
func brought(crate Crate, folder string) (*cdx.Component, error) {
	about, does := carried[crate.Name]
	if !does {
		return nil, nil
	}
	text := crate.Version
	if about.file != "" {
		read, err := os.ReadFile(filepath.Join(folder, about.file))
		if err != nil {
			return nil, err
		}
		text = string(read)
	}
	version := about.version.FindStringSubmatch(text)
	if version == nil {
		return nil, fmt.Errorf("%s %s does not say which %s it carries", crate.Name, crate.Version, about.name)
	}
	part := library(about.name, version[1], cmp.Or(about.licence, crate.Licence))
	part.BOMRef = about.purl + version[1]
	part.PackageURL = part.BOMRef
	return &part, nil
}

// distribution is the system that the program is built on and its release, as in debian and 12.
func distribution() (system, release string) {
	text, err := os.ReadFile("/etc/os-release")
	if err != nil {
		return "debian", ""
	}
	for _, line := range strings.Split(string(text), "\n") {
		switch key, value, _ := strings.Cut(line, "="); key {
		case "ID":
			system = strings.Trim(value, `"`)
		case "VERSION_ID":
			release = strings.Trim(value, `"`)
		}
	}
	return system, release
}

// rootsVersion is the one that go.mod pins.
func rootsVersion() string {
	if built, ok := debug.ReadBuildInfo(); ok {
		for _, module := range built.Deps {
			if module.Path == rootsModule {
				return module.Version
			}
		}
	}
	return "unknown"
}
