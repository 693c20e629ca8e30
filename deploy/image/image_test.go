package main

import (
	"archive/tar"
	"bytes"
	"crypto/x509"
	"debug/elf"
	"encoding/binary"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// program writes the smallest file that says of itself that it is a program for machine, with one
// segment.
func program(t *testing.T, machine elf.Machine, segment elf.ProgType) string {
	t.Helper()
	var file bytes.Buffer
	header := elf.Header64{
		Ident: [elf.EI_NIDENT]byte{0x7f, 'E', 'L', 'F', byte(elf.ELFCLASS64), byte(elf.ELFDATA2LSB), byte(elf.EV_CURRENT)},
		Type:  uint16(elf.ET_DYN), Machine: uint16(machine), Version: uint32(elf.EV_CURRENT),
		Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: 1,
	}
	for _, part := range []any{header, elf.Prog64{Type: uint32(segment)}} {
		if err := binary.Write(&file, binary.LittleEndian, part); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, file.Bytes(), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func build(program string) Build {
	return Build{Program: program, Licences: "../../LICENSE", Name: "deployment-recorder", Version: "1.2.3", Revision: "0123abc", Created: 1_800_000_000}
}

// assembled is the layout of an image for an architecture.
func assembled(t *testing.T, architecture string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), architecture)
	if err := assemble(build(program(t, machines[architecture], elf.PT_LOAD)), architecture, dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

func said(t *testing.T, command string, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	if err := run(command, args, &out); err != nil {
		t.Fatal(command, err)
	}
	return out.String()
}

func imageIn(t *testing.T, dir string) v1.Image {
	t.Helper()
	root, descriptor, err := only(dir)
	if err != nil {
		t.Fatal(err)
	}
	image, err := root.Image(descriptor.Digest)
	if err != nil {
		t.Fatal(err)
	}
	return image
}

func TestOneProgramGivesOneDigest(t *testing.T) {
	file := program(t, elf.EM_X86_64, elf.PT_LOAD)
	digests := map[string]bool{}
	for _, dir := range []string{filepath.Join(t.TempDir(), "one"), filepath.Join(t.TempDir(), "a", "longer", "way")} {
		copied := filepath.Join(t.TempDir(), "copy")
		data, _ := os.ReadFile(file)
		if err := os.WriteFile(copied, data, 0o700); err != nil {
			t.Fatal(err)
		}
		said(t, "assemble", "--program", copied, "--name", "deployment-recorder", "--platform", "linux/amd64",
			"--licences", "../../LICENSE", "--version", "1.2.3", "--revision", "0123abc", "--created", "1800000000", dir)
		digests[said(t, "inspect", "--digest", dir)] = true
	}
	if len(digests) != 1 {
		t.Fatalf("two images of one program differ: %v", digests)
	}
}

func TestWhatAnImageSaysOfItselfIsInItsDigest(t *testing.T) {
	file := program(t, elf.EM_X86_64, elf.PT_LOAD)
	digests := map[v1.Hash]bool{}
	for _, change := range []func(*Build){
		func(*Build) {}, func(b *Build) { b.Version = "1.2.4" },
		func(b *Build) { b.Revision = "4567def" }, func(b *Build) { b.Created++ },
	} {
		told := build(file)
		change(&told)
		image, err := newImage(told, "amd64")
		if err != nil {
			t.Fatal(err)
		}
		digest, err := image.Digest()
		if err != nil {
			t.Fatal(err)
		}
		digests[digest] = true
	}
	if len(digests) != 4 {
		t.Fatalf("%d digests for four builds", len(digests))
	}
}

func TestTheConfigurationIsWhatTheChartReliesOn(t *testing.T) {
	config, err := imageIn(t, assembled(t, "amd64")).ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	if got := config.Config.User; got != "65532:65532" {
		t.Errorf("runs as %q", got)
	}
	if got := config.Config.Entrypoint; !slices.Equal(got, []string{"/usr/local/bin/deployment-recorder"}) {
		t.Errorf("starts %q", got)
	}
	if config.Config.Cmd != nil {
		t.Errorf("has arguments of its own: %q", config.Config.Cmd)
	}
	if config.OS != "linux" || config.Architecture != "amd64" {
		t.Errorf("is for %s/%s", config.OS, config.Architecture)
	}
	for _, label := range []string{"title", "description", "source", "url", "documentation", "version", "revision", "licenses", "created"} {
		if config.Config.Labels["org.opencontainers.image."+label] == "" {
			t.Errorf("has no label %s", label)
		}
	}
	if got := config.Config.Labels["org.opencontainers.image.created"]; got != "2027-01-15T08:00:00Z" {
		t.Errorf("was created %s", got)
	}
}

// content is the files of an image by their paths, and their entries in the archive.
func content(t *testing.T, image v1.Image) (map[string]string, []*tar.Header) {
	t.Helper()
	files, headers := map[string]string{}, []*tar.Header{}
	flat := mutate.Extract(image)
	defer flat.Close()
	for reader := tar.NewReader(flat); ; {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return files, headers
		}
		if err != nil {
			t.Fatal(err)
		}
		headers = append(headers, header)
		if header.Typeflag == tar.TypeReg {
			data, err := io.ReadAll(reader)
			if err != nil {
				t.Fatal(err)
			}
			files[header.Name] = string(data)
		}
	}
}

func TestAnImageHoldsItsProgramAndFilesThatNobodyElseMayWrite(t *testing.T) {
	files, headers := content(t, imageIn(t, assembled(t, "amd64")))
	want := []string{"etc/group", "etc/nsswitch.conf", "etc/passwd", "etc/ssl/certs/ca-certificates.crt", "usr/local/bin/deployment-recorder", "usr/share/licenses/deployment-recorder.txt"}
	var got []string
	for file := range files {
		got = append(got, file)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("it holds %q", got)
	}
	for _, header := range headers {
		if header.Uid != 0 || header.Gid != 0 || header.Mode&0o022 != 0 {
			t.Errorf("%s belongs to %d:%d with mode %o", header.Name, header.Uid, header.Gid, header.Mode)
		}
		if header.ModTime.Unix() != 0 {
			t.Errorf("%s has a time: %v", header.Name, header.ModTime)
		}
	}
}

func TestTheAuthoritiesAreAListThatClientsRead(t *testing.T) {
	text, err := authorities()
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	count := 0
	for rest := text; ; count++ {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		certificate, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			t.Fatal(err)
		}
		pool.AddCert(certificate)
	}
	if count < 100 || count > 200 {
		t.Errorf("there are %d authorities", count)
	}
	for _, known := range []string{"USERTrust ECC Certification Authority", "ISRG Root X1", "DigiCert Global Root G2"} {
		if !strings.Contains(string(text), known) {
			t.Errorf("%s is missing", known)
		}
	}
}

func TestAProgramThatAnEmptyImageCannotStartIsRefused(t *testing.T) {
	for want, file := range map[string]string{
		"is not static":              program(t, elf.EM_X86_64, elf.PT_INTERP),
		"is for EM_AARCH64, not for": program(t, elf.EM_AARCH64, elf.PT_LOAD),
		"bad magic number":           "image_test.go",
		"no such file":               "nothing",
	} {
		dir := filepath.Join(t.TempDir(), "layout")
		err := assemble(build(file), "amd64", dir)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%s: a layout was written", want)
		}
	}
}

func TestWhatIsMissingOrUnknownIsNamed(t *testing.T) {
	file := program(t, elf.EM_X86_64, elf.PT_LOAD)
	for want, args := range map[string][]string{
		`no image is called "web"`: {"assemble", "--program", file, "--name", "web", "--platform", "linux/amd64", "x"},
		`--revision`:               {"assemble", "--program", file, "--name", "github-sandbox", "--version", "1", "--created", "1", "--platform", "linux/amd64", "x"},
		`"linux/s390x"`:            {"assemble", "--platform", "linux/s390x", "x"},
		`usage`:                    {"assemble", "--platform", "linux/amd64"},
		`flag provided but`:        {"push", "--quick", "x", "y"},
		`no such file`:             {"inspect", filepath.Join(t.TempDir(), "nothing")},
	} {
		if err := run(args[0], args[1:], io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v instead of %s", args, err, want)
		}
	}
}

func TestAnImageAboveItsLimitIsRefused(t *testing.T) {
	dir := assembled(t, "amd64")
	var out bytes.Buffer
	if err := inspect(dir, false, 8<<20, &out); err != nil {
		t.Errorf("below the limit: %v", err)
	}
	if !strings.Contains(out.String(), "MiB compressed") {
		t.Errorf("it says %s", out.String())
	}
	if err := inspect(dir, false, 1<<10, &out); err == nil || !strings.Contains(err.Error(), "more than the 0.00 MiB") {
		t.Errorf("above the limit: %v", err)
	}
}

func TestAnIndexHasEachPlatformOnceAndSaysWhatItIs(t *testing.T) {
	amd64, arm64 := assembled(t, "amd64"), assembled(t, "arm64")
	dir := filepath.Join(t.TempDir(), "index")
	said(t, "index", "--out", dir, amd64, arm64)
	root, descriptor, err := only(dir)
	if err != nil {
		t.Fatal(err)
	}
	index, err := root.ImageIndex(descriptor.Digest)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := index.IndexManifest()
	if err != nil {
		t.Fatal(err)
	}
	var platforms []string
	for _, one := range manifest.Manifests {
		platforms = append(platforms, one.Platform.String())
	}
	if !slices.Equal(platforms, []string{"linux/amd64", "linux/arm64"}) || manifest.MediaType != types.OCIImageIndex {
		t.Errorf("%s for %q", manifest.MediaType, platforms)
	}
	if manifest.Annotations["org.opencontainers.image.description"] == "" {
		t.Errorf("it says of itself %v", manifest.Annotations)
	}
	if out := said(t, "inspect", dir); strings.Count(out, "platform ") != 2 {
		t.Errorf("inspect says %s", out)
	}
	if err := run("index", []string{"--out", dir, amd64, amd64}, io.Discard); err == nil {
		t.Error("one platform twice is taken")
	}
	other := filepath.Join(t.TempDir(), "other")
	told := build(program(t, elf.EM_AARCH64, elf.PT_LOAD))
	told.Revision = "4567def"
	if err := assemble(told, "arm64", other); err != nil {
		t.Fatal(err)
	}
	if err := run("index", []string{"--out", dir, amd64, other}, io.Discard); err == nil || !strings.Contains(err.Error(), "not of one build") {
		t.Errorf("two revisions in one index: %v", err)
	}
}

func TestARegistryGetsWhatTheLayoutHolds(t *testing.T) {
	server := httptest.NewServer(registry.New())
	defer server.Close()
	host := strings.TrimPrefix(server.URL, "http://")
	amd64, arm64 := assembled(t, "amd64"), assembled(t, "arm64")
	joined := filepath.Join(t.TempDir(), "index")
	said(t, "index", "--out", joined, amd64, arm64)
	for dir, repository := range map[string]string{amd64: host + "/one", joined: host + "/both"} {
		digest := strings.TrimSpace(said(t, "inspect", "--digest", dir))
		out := said(t, "push", "--insecure", dir, repository+":1.2.3", repository+":latest")
		if want := fmt.Sprintf("%s:1.2.3@%s\n%s:latest@%s\n", repository, digest, repository, digest); out != want {
			t.Errorf("push says %s", out)
		}
		reference, err := name.ParseReference(repository+":latest", name.Insecure)
		if err != nil {
			t.Fatal(err)
		}
		held, err := remote.Get(reference)
		if err != nil {
			t.Fatal(err)
		}
		if held.Digest.String() != digest {
			t.Errorf("the registry has %s, the layout %s", held.Digest, digest)
		}
	}
}
