package main

// The files of an image, and the layers that they become. Two layers: what every image of every
// version has, which nodes and registries keep once, and the program.

import (
	"archive/tar"
	"bytes"
	"io"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"
)

// File is one file of an image; folders follow from the paths. All belong to root, who does not run.
type File struct {
	Path string // without a leading slash
	Mode int64
	Data []byte
}

// base is what an image holds beside its program.
func base() ([]File, error) {
	roots, err := authorities()
	if err != nil {
		return nil, err
	}
	return []File{
		{"etc/ssl/certs/ca-certificates.crt", 0o644, roots},
		// Only so that what looks for a name finds one.
		{"etc/passwd", 0o644, []byte("root:x:0:0:root:/:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n")},
		{"etc/group", 0o644, []byte("root:x:0:\nnonroot:x:65532:\n")},
		// What the kubelet writes into /etc/hosts (hostAliases) comes first.
		{"etc/nsswitch.conf", 0o644, []byte("hosts: files dns\n")},
	}, nil
}

// writeBase writes base into a folder.
func writeBase(dir string) error {
	files, err := base()
	if err != nil {
		return err
	}
	for _, file := range files {
		to := filepath.Join(dir, file.Path)
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(to, file.Data, os.FileMode(file.Mode)); err != nil {
			return err
		}
	}
	return nil
}

// archive is files as a tar that depends on nothing but them: sorted, without names of users, all
// from 1970, so that a layer is the same as long as its files are.
func archive(files []File) ([]byte, error) {
	var packed bytes.Buffer
	writer := tar.NewWriter(&packed)
	entry := func(header tar.Header, data []byte) error {
		header.ModTime = time.Unix(0, 0)
		header.Format = tar.FormatUSTAR
		if err := writer.WriteHeader(&header); err != nil {
			return err
		}
		_, err := writer.Write(data)
		return err
	}
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	written := map[string]bool{}
	for _, file := range files {
		for _, folder := range folders(file.Path) {
			if written[folder] {
				continue
			}
			written[folder] = true
			if err := entry(tar.Header{Typeflag: tar.TypeDir, Name: folder + "/", Mode: 0o755}, nil); err != nil {
				return nil, err
			}
		}
		header := tar.Header{Typeflag: tar.TypeReg, Name: file.Path, Mode: file.Mode, Size: int64(len(file.Data))}
		if err := entry(header, file.Data); err != nil {
			return nil, err
		}
	}
	err := writer.Close() // writes the end of the archive
	return packed.Bytes(), err
}

// folders are those above a path, the uppermost first.
func folders(file string) []string {
	var above []string
	for folder := path.Dir(file); folder != "."; folder = path.Dir(folder) {
		above = append([]string{folder}, above...)
	}
	return above
}

// layer compresses files with gzip, which every registry and runtime reads. The compressor is a
// pinned module: that of Go's standard library gives other bytes with another Go.
func layer(files []File) (v1.Layer, error) {
	packed, err := archive(files)
	if err != nil {
		return nil, err
	}
	var compressed bytes.Buffer
	writer, err := gzip.NewWriterLevel(&compressed, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := writer.Write(packed); err != nil {
		return nil, err
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	open := func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(compressed.Bytes())), nil }
	return tarball.LayerFromOpener(open, tarball.WithMediaType(types.OCILayer))
}
