package main

// What the images are: who runs in them, where the program stands, what they say of themselves. The
// chart and deploy/Dockerfile rely on it; dockerfile_test.go holds the latter to it.

import (
	"fmt"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// The user and group that the program runs as: neither root nor anyone whom a node knows. Kubernetes'
// runAsNonRoot needs a number.
const user = "65532:65532"

// Where the programs stand.
const programs = "usr/local/bin"

const repository = "https://github.com/deployment-recorder/deployment-recorder"

// Image is what differs between the images.
type Image struct {
	Title, Description, Documentation string
	// Port that it listens on.
	Port string
	// Environment beside PATH.
	Environment []string
}

var images = map[string]Image{
	"deployment-recorder": {
		Title:         "deployment-recorder",
		Description:   "Keeps GitHub's deployment records true to what runs in a Kubernetes cluster",
		Documentation: repository + "#readme",
		Port:          "8080/tcp",
	},
	"github-sandbox": {
		Title:         "github-sandbox",
		Description:   "Stands in for GitHub's artifact metadata endpoints, to try deployment-recorder without an organization",
		Documentation: repository + "/blob/main/docs/sandbox.md",
		Port:          "8090/tcp",
		// Its own default is loopback, where nobody outside of the container would reach it.
		Environment: []string{"GITHUB_SANDBOX_LISTEN=0.0.0.0:8090"},
	},
}

// Build is one program and where it comes from.
type Build struct {
	// Program is the path of the built file.
	Program string
	// Licences is the path of their texts.
	Licences string
	// Name is a key of images.
	Name string
	// Version and Revision are those of the package and of the commit.
	Version, Revision string
	// Created is the time of the commit in seconds since 1970, so that it is no fact about the build.
	Created int64
}

func (build Build) image() (Image, error) {
	image, known := images[build.Name]
	if !known {
		return Image{}, fmt.Errorf("no image is called %q", build.Name)
	}
	if build.Program == "" || build.Version == "" || build.Revision == "" || build.Created <= 0 {
		return Image{}, fmt.Errorf("--program, --version, --revision and --created are needed for %s", build.Name)
	}
	return image, nil
}

func (build Build) time() time.Time { return time.Unix(build.Created, 0).UTC() }

// licences is the path of their texts in its image.
func (build Build) licences() string { return "/usr/share/licenses/" + build.Name + ".txt" }

// entryPoint is the path of the program in its image.
func (build Build) entryPoint() string { return "/" + programs + "/" + build.Name }

// labels are those of https://github.com/opencontainers/image-spec/blob/v1.1.1/annotations.md
func (image Image) labels(build Build) map[string]string {
	const prefix = "org.opencontainers.image."
	return map[string]string{
		prefix + "title":         image.Title,
		prefix + "description":   image.Description,
		prefix + "url":           repository,
		prefix + "source":        repository,
		prefix + "documentation": image.Documentation,
		prefix + "licenses":      "Apache-2.0",
		prefix + "version":       build.Version,
		prefix + "revision":      build.Revision,
		prefix + "created":       build.time().Format(time.RFC3339),
	}
}

// config is how a container of the image is started.
func (image Image) config(build Build) v1.Config {
	return v1.Config{
		User:         user,
		Entrypoint:   []string{build.entryPoint()},
		Env:          append([]string{"PATH=/" + programs}, image.Environment...),
		ExposedPorts: map[string]struct{}{image.Port: {}},
		WorkingDir:   "/",
		Labels:       image.labels(build),
	}
}
