package main

// One program into one image: checked, put into layers, configured, written as an OCI layout.

import (
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// machines are the architectures that images are made for, and what a program for each says it is.
var machines = map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64}

func assemble(build Build, architecture, dir string) error {
	image, err := newImage(build, architecture)
	if err != nil {
		return err
	}
	platform := v1.Platform{OS: "linux", Architecture: architecture}
	return writeLayout(dir, func(to layout.Path) error {
		return to.AppendImage(image, layout.WithPlatform(platform))
	})
}

func newImage(build Build, architecture string) (v1.Image, error) {
	about, err := build.image()
	if err != nil {
		return nil, err
	}
	if err := runsAlone(build.Program, machines[architecture]); err != nil {
		return nil, err
	}
	program, err := os.ReadFile(build.Program)
	if err != nil {
		return nil, err
	}
	licences, err := os.ReadFile(build.Licences)
	if err != nil {
		return nil, fmt.Errorf("--licences: %w", err)
	}
	shared, err := base()
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	created := v1.Time{Time: build.time()}
	config := &v1.ConfigFile{
		Created:      created,
		OS:           "linux",
		Architecture: architecture,
		Config:       about.config(build),
		RootFS:       v1.RootFS{Type: "layers", DiffIDs: []v1.Hash{}},
	}
	if image, err = mutate.ConfigFile(image, config); err != nil {
		return nil, err
	}
	parts := []struct {
		files   []File
		comment string
	}{
		{shared, "certificate authorities, names"},
		{[]File{
			{build.entryPoint()[1:], 0o755, program}, {build.licences()[1:], 0o644, licences},
		}, build.Name + " " + build.Version},
	}
	for _, part := range parts {
		layer, err := layer(part.files)
		if err != nil {
			return nil, err
		}
		history := v1.History{Created: created, CreatedBy: "deploy/image", Comment: part.comment}
		if image, err = mutate.Append(image, mutate.Addendum{Layer: layer, History: history}); err != nil {
			return nil, err
		}
	}
	return image, nil
}

// runsAlone fails for a program that an empty image cannot start: one for another machine, or one
// that asks for a loader and its libraries.
func runsAlone(program string, machine elf.Machine) error {
	file, err := elf.Open(program)
	if err != nil {
		return fmt.Errorf("%s: %w", program, err)
	}
	defer file.Close()
	if file.Machine != machine {
		return fmt.Errorf("%s is for %v, not for %v", program, file.Machine, machine)
	}
	for _, segment := range file.Progs {
		if segment.Type == elf.PT_INTERP {
			return fmt.Errorf("%s is not static: it asks for a loader, which the image has not", program)
		}
	}
	return nil
}

// writeLayout writes a layout beside dir, then puts it there whole.
func writeLayout(dir string, fill func(layout.Path) error) error {
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	unfinished, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+"-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(unfinished)
	if err := os.Chmod(unfinished, 0o755); err != nil {
		return err
	}
	to, err := layout.Write(unfinished, empty.Index)
	if err != nil {
		return err
	}
	if err := fill(to); err != nil {
		return err
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	return os.Rename(unfinished, dir)
}
