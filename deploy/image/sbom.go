package main

// The bill of materials: what is linked into a program, as CycloneDX 1.6. Cargo itself says which
// crates these are, for this target and these features, without procedural macros, build scripts and
// what only tests use. Beside them stands what is in no list of cargo's (unlisted.go).

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// Crate is a line of cargo's tree.
type Crate struct {
	Name, Version, Licence, Repository string
	// Needs are the purls of the crates that it links.
	Needs []string
	// Brings is the C library that it carries along and compiles.
	Brings *cdx.Component
}

func (crate Crate) purl() string {
	// https://github.com/package-url/purl-spec: of what is escaped, Go's PathEscape leaves the plus sign.
	return "pkg:cargo/" + crate.Name + "@" + strings.ReplaceAll(url.PathEscape(crate.Version), "+", "%2B")
}

func writeBill(build Build, target, features, path string) error {
	bill, err := billOf(build, target, features)
	if err != nil {
		return err
	}
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	encoder := cdx.NewBOMEncoder(file, cdx.BOMFileFormatJSON).SetPretty(true)
	return errors.Join(encoder.EncodeVersion(bill, cdx.SpecVersion1_6), file.Close())
}

func billOf(build Build, target, features string) (*cdx.BOM, error) {
	about, err := build.image()
	if err != nil {
		return nil, err
	}
	program, err := os.ReadFile(build.Program)
	if err != nil {
		return nil, err
	}
	lock, err := os.ReadFile("Cargo.lock")
	if err != nil {
		return nil, fmt.Errorf("from within the checkout, please: %w", err)
	}
	crates, err := linked(target, features)
	if err != nil {
		return nil, err
	}
	folders, err := sources(target, features)
	if err != nil {
		return nil, err
	}
	for at, crate := range crates {
		if crates[at].Brings, err = brought(crate, folders[crate.Name+" "+crate.Version]); err != nil {
			return nil, err
		}
	}
	unlisted, err := beside()
	if err != nil {
		return nil, err
	}
	return bill(build, about, program, crates, checksums(string(lock)), unlisted), nil
}

// linked are the crates of the program for target with these features; the first is its own.
func linked(target, features string) ([]Crate, error) {
	tree, err := output("cargo", "tree", "--locked", "--target", target, "--features", features,
		"--edges", "normal,no-proc-macro", "--prefix", "depth", "--format", "{p}|{l}|{r}")
	if err != nil {
		return nil, err
	}
	return parseTree(tree)
}

// bill puts it together; the first of crates is the program's own.
func bill(build Build, about Image, program []byte, crates []Crate, sums map[string]string, unlisted []cdx.Component) *cdx.BOM {
	sum := sha256.Sum256(program)
	root := component(crates[0], "")
	root.Type, root.Name, root.Version, root.Description = cdx.ComponentTypeApplication, build.Name, build.Version, about.Description
	root.BOMRef = build.Name
	root.PackageURL = "pkg:cargo/" + crates[0].Name + "@" + build.Version + "?vcs_url=" + url.QueryEscape("git+"+repository+"@"+build.Revision)
	root.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: hex.EncodeToString(sum[:])}}

	components, dependencies := unlisted, []cdx.Dependency{}
	needs := slices.Clone(crates[0].Needs)
	for _, part := range unlisted {
		needs = append(needs, part.BOMRef)
	}
	dependencies = append(dependencies, cdx.Dependency{Ref: root.BOMRef, Dependencies: &needs})
	for _, crate := range crates[1:] {
		components = append(components, component(crate, sums[crate.Name+" "+crate.Version]))
		needs := slices.Clone(crate.Needs)
		if library := crate.Brings; library != nil {
			components = append(components, *library)
			needs = append(needs, library.BOMRef)
		}
		dependencies = append(dependencies, cdx.Dependency{Ref: crate.purl(), Dependencies: &needs})
	}
	slices.SortFunc(components, func(a, b cdx.Component) int { return strings.Compare(a.BOMRef, b.BOMRef) })

	bill := cdx.NewBOM()
	bill.SerialNumber = serial(sum)
	bill.Metadata = &cdx.Metadata{Timestamp: build.time().Format(time.RFC3339), Component: &root}
	bill.Components, bill.Dependencies = &components, &dependencies
	return bill
}

func component(crate Crate, sum string) cdx.Component {
	part := cdx.Component{
		Type: cdx.ComponentTypeLibrary, BOMRef: crate.purl(), PackageURL: crate.purl(),
		Name: crate.Name, Version: crate.Version, Scope: cdx.ScopeRequired,
	}
	if crate.Licence != "" {
		part.Licenses = &cdx.Licenses{{Expression: crate.Licence}}
	}
	if sum != "" {
		part.Hashes = &[]cdx.Hash{{Algorithm: cdx.HashAlgoSHA256, Value: sum}}
	}
	if crate.Repository != "" {
		part.ExternalReferences = &[]cdx.ExternalReference{{Type: cdx.ERTypeVCS, URL: crate.Repository}}
	}
	return part
}

// serial names a bill by the program that it is about: the same program, the same bill.
func serial(sum [32]byte) string {
	id := sum[:16]
	id = slices.Clone(id)
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80 // RFC 9562, version 8
	return fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", id[:4], id[4:6], id[6:8], id[8:10], id[10:])
}

// parseTree reads what `cargo tree --prefix depth --format {p}|{l}|{r}` says: a depth before each
// crate, "(*)" behind one whose own lines came before.
func parseTree(tree string) ([]Crate, error) {
	var order []string
	crates := map[string]*Crate{}
	var above []*Crate
	lines := bufio.NewScanner(strings.NewReader(tree))
	for lines.Scan() {
		line := strings.TrimSuffix(lines.Text(), " (*)")
		if line == "" {
			continue
		}
		rest := strings.TrimLeft(line, "0123456789")
		depth := 0
		fields := strings.Split(rest, "|")
		words := strings.Fields(fields[0])
		if _, err := fmt.Sscan(strings.TrimSuffix(line, rest), &depth); err != nil || len(fields) != 3 || len(words) < 2 || depth > len(above) {
			return nil, fmt.Errorf("cargo's tree has a line that is not understood: %q", line)
		}
		crate := Crate{
			Name: words[0], Version: strings.TrimPrefix(words[1], "v"),
			Licence: strings.ReplaceAll(fields[1], "/", " OR "), Repository: fields[2],
		}
		key := crate.purl()
		if crates[key] == nil {
			crates[key] = &crate
			order = append(order, key)
		}
		if depth > 0 {
			parent := above[depth-1]
			if !slices.Contains(parent.Needs, key) {
				parent.Needs = append(parent.Needs, key)
			}
		}
		above = append(above[:depth], crates[key])
	}
	if len(order) == 0 {
		return nil, errors.New("cargo's tree is empty")
	}
	all := make([]Crate, len(order))
	for at, key := range order {
		slices.Sort(crates[key].Needs)
		all[at] = *crates[key]
	}
	return all, lines.Err()
}

// checksums are those of the crates' archives in Cargo.lock, by "name version".
func checksums(lock string) map[string]string {
	sums := map[string]string{}
	for _, block := range strings.Split(lock, "[[package]]") {
		values := map[string]string{}
		for _, line := range strings.Split(block, "\n") {
			if key, value, found := strings.Cut(line, " = "); found {
				values[key] = strings.Trim(value, `"`)
			}
		}
		if sum := values["checksum"]; sum != "" {
			sums[values["name"]+" "+values["version"]] = sum
		}
	}
	return sums
}

func output(name string, args ...string) (string, error) {
	command := exec.Command(name, args...)
	var complaint strings.Builder
	command.Stderr = &complaint
	text, err := command.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, complaint.String())
	}
	return string(text), nil
}
