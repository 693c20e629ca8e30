package main

// What is done with layouts that are there, and with what registries have: joined, sent, looked at. A layout of ours holds one image
// or one index.

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// only is the one thing that a layout holds.
func only(dir string) (v1.ImageIndex, v1.Descriptor, error) {
	root, err := layout.ImageIndexFromPath(dir)
	if err != nil {
		return nil, v1.Descriptor{}, fmt.Errorf("%s: %w", dir, err)
	}
	manifest, err := root.IndexManifest()
	if err != nil {
		return nil, v1.Descriptor{}, fmt.Errorf("%s: %w", dir, err)
	}
	if len(manifest.Manifests) != 1 {
		return nil, v1.Descriptor{}, fmt.Errorf("%s holds %d manifests instead of one", dir, len(manifest.Manifests))
	}
	return root, manifest.Manifests[0], nil
}

// joinPlatforms writes an index of the images in layouts. It says of itself what the first image does, but for
// nothing that could differ between them.
func joinPlatforms(layouts []string, dir string) error {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	seen := map[string]bool{}
	var labels map[string]string
	for _, from := range layouts {
		root, descriptor, err := only(from)
		if err != nil {
			return err
		}
		if !descriptor.MediaType.IsImage() || descriptor.Platform == nil {
			return fmt.Errorf("%s is not the image of one platform", from)
		}
		platform := descriptor.Platform.String()
		if seen[platform] {
			return fmt.Errorf("%s: there is one for %s already", from, platform)
		}
		seen[platform] = true
		image, err := root.Image(descriptor.Digest)
		if err != nil {
			return err
		}
		config, err := image.ConfigFile()
		if err != nil {
			return err
		}
		if labels == nil {
			labels = config.Config.Labels
		}
		for key, value := range labels {
			if config.Config.Labels[key] != value {
				return fmt.Errorf("%s and %s are not of one build: %s differs", layouts[0], from, key)
			}
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: descriptor.Platform}})
	}
	// Registries show what an index says of itself: they do not look into the images.
	annotated, ok := mutate.Annotations(index, labels).(v1.ImageIndex)
	if !ok {
		return errors.New("an index with annotations is none any more")
	}
	return writeLayout(dir, func(to layout.Path) error { return to.AppendIndex(annotated) })
}

// signIn is as docker, crane or oras left it.
var signIn = remote.WithAuthFromKeychain(authn.DefaultKeychain)

func refer(text string, insecure bool) (name.Reference, error) {
	if insecure {
		return name.ParseReference(text, name.Insecure)
	}
	return name.ParseReference(text)
}

// find prints what a registry has. Whatever else than a plain no it answers is an error: nobody may take that for
// leave to push.
func find(text string, insecure bool, out io.Writer) error {
	reference, err := refer(text, insecure)
	if err != nil {
		return err
	}
	there, err := remote.Head(reference, signIn)
	if answer := new(transport.Error); errors.As(err, &answer) && answer.StatusCode == http.StatusNotFound {
		return nil
	}
	if err != nil {
		return fmt.Errorf("%s: %w", text, err)
	}
	fmt.Fprintln(out, there.Digest)
	return nil
}

func push(dir string, references []string, insecure bool, out io.Writer) error {
	root, descriptor, err := only(dir)
	if err != nil {
		return err
	}
	for _, text := range references {
		reference, err := refer(text, insecure)
		if err != nil {
			return err
		}
		if descriptor.MediaType.IsIndex() {
			var index v1.ImageIndex
			if index, err = root.ImageIndex(descriptor.Digest); err == nil {
				err = remote.WriteIndex(reference, index, signIn)
			}
		} else {
			var image v1.Image
			if image, err = root.Image(descriptor.Digest); err == nil {
				err = remote.Write(reference, image, signIn)
			}
		}
		if err != nil {
			return fmt.Errorf("%s: %w", text, err)
		}
		fmt.Fprintf(out, "%s@%s\n", text, descriptor.Digest)
	}
	return nil
}

// inspect says what each platform downloads. MiB are of 1,048,576 bytes.
func inspect(dir string, onlyDigest bool, limit int64, out io.Writer) error {
	root, descriptor, err := only(dir)
	if err != nil {
		return err
	}
	if onlyDigest {
		fmt.Fprintln(out, descriptor.Digest)
		return nil
	}
	descriptors := []v1.Descriptor{descriptor}
	if descriptor.MediaType.IsIndex() {
		if root, err = root.ImageIndex(descriptor.Digest); err != nil {
			return err
		}
		manifest, err := root.IndexManifest()
		if err != nil {
			return err
		}
		descriptors = manifest.Manifests
		fmt.Fprintf(out, "index      %s\n", descriptor.Digest)
	}
	var tooLarge error
	for _, one := range descriptors {
		image, err := root.Image(one.Digest)
		if err != nil {
			return err
		}
		size, err := describe(image, one, out)
		if err != nil {
			return err
		}
		if limit > 0 && size > limit {
			over := fmt.Errorf("%s: %s compressed is more than the %s that it may have", dir, mebibytes(size), mebibytes(limit))
			tooLarge = errors.Join(tooLarge, over)
		}
	}
	return tooLarge
}

// describe prints one image, and returns how many bytes a node downloads of it.
func describe(image v1.Image, descriptor v1.Descriptor, out io.Writer) (int64, error) {
	config, err := image.ConfigFile()
	if err != nil {
		return 0, err
	}
	manifest, err := image.Manifest()
	if err != nil {
		return 0, err
	}
	layers, err := image.Layers()
	if err != nil {
		return 0, err
	}
	compressed, unpacked := descriptor.Size+manifest.Config.Size, int64(0)
	fmt.Fprintf(out, "image      %s\n", descriptor.Digest)
	fmt.Fprintf(out, "platform   %s/%s\n", config.OS, config.Architecture)
	fmt.Fprintf(out, "runs       %v as %s\n", config.Config.Entrypoint, config.Config.User)
	for at, layer := range layers {
		content, err := layer.Uncompressed()
		if err != nil {
			return 0, err
		}
		size, err := io.Copy(io.Discard, content)
		if err := errors.Join(err, content.Close()); err != nil {
			return 0, err
		}
		about := manifest.Layers[at]
		fmt.Fprintf(out, "layer      %s  %d bytes, unpacked %d: %s\n", about.Digest, about.Size, size, config.History[at].Comment)
		compressed, unpacked = compressed+about.Size, unpacked+size
	}
	fmt.Fprintf(out, "size       %s compressed, %s unpacked\n", mebibytes(compressed), mebibytes(unpacked))
	return compressed, nil
}

func mebibytes(bytes int64) string { return fmt.Sprintf("%.2f MiB", float64(bytes)/(1<<20)) }
