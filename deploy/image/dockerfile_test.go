package main

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// stages reads a Dockerfile: the instructions of each stage, after those of the stage that it is from.
func stages(t *testing.T, text string) map[string][][2]string {
	t.Helper()
	text = regexp.MustCompile(`(?m)^#.*\n`).ReplaceAllString(text, "")
	text = strings.ReplaceAll(text, "\\\n", " ")
	found, current := map[string][][2]string{}, ""
	for _, line := range strings.Split(text, "\n") {
		instruction, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		if instruction == "" {
			continue
		}
		if instruction == "FROM" {
			words := strings.Fields(rest)
			current = words[len(words)-1]
			found[current] = append(slices.Clone(found[words[len(words)-3]]), [2]string{"FROM", rest})
			continue
		}
		found[current] = append(found[current], [2]string{instruction, strings.Join(strings.Fields(rest), " ")})
	}
	return found
}

// all are the arguments of an instruction in a stage.
func all(stage [][2]string, instruction string) []string {
	var arguments []string
	for _, line := range stage {
		if line[0] == instruction {
			arguments = append(arguments, line[1])
		}
	}
	return arguments
}

func dockerfile(t *testing.T) map[string][][2]string {
	t.Helper()
	text, err := os.ReadFile("../Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	return stages(t, string(text))
}

func TestTheDockerfileMakesImagesThatStartLikeOurs(t *testing.T) {
	found := dockerfile(t)
	for name, image := range images {
		build := Build{Name: name, Version: "$VERSION", Revision: "$REVISION"}
		config, stage := image.config(build), found[name]
		if stage == nil {
			t.Errorf("no stage makes %s", name)
			continue
		}
		entry := fmt.Sprintf("[%q]", config.Entrypoint[0])
		for instruction, want := range map[string][]string{
			"USER": {config.User}, "ENTRYPOINT": {entry}, "ENV": config.Env, "WORKDIR": {config.WorkingDir}, "CMD": config.Cmd,
			"COPY": {"--from=base /base /", "--from=build-" + name + " /out /"},
		} {
			if got := all(stage, instruction); !slices.Equal(got, want) {
				t.Errorf("%s has %s %q, ours %q", name, instruction, got, want)
			}
		}
		made := strings.Join(all(found["build-"+name], "RUN"), " ")
		for _, path := range []string{config.Entrypoint[0], build.licences()} {
			if !strings.Contains(made+" ", " /out"+path+" ") {
				t.Errorf("%s has no %s: %s", name, path, made)
			}
		}
		for _, port := range all(stage, "EXPOSE") {
			if _, ours := config.ExposedPorts[port+"/tcp"]; !ours {
				t.Errorf("%s exposes %s, ours %v", name, port, config.ExposedPorts)
			}
		}
		if from := all(stage, "FROM")[0]; !strings.HasPrefix(from, "scratch ") {
			t.Errorf("%s is made from %s", name, from)
		}
		labels := map[string]string{}
		for _, line := range all(stage, "LABEL") {
			for _, pair := range regexp.MustCompile(`(\S+)="([^"]*)"`).FindAllStringSubmatch(line, -1) {
				labels[pair[1]] = pair[2]
			}
		}
		want := config.Labels
		want["org.opencontainers.image.created"] = "$CREATED"
		if !maps.Equal(labels, want) {
			t.Errorf("%s has the labels %v, ours %v", name, labels, want)
		}
	}
}

func TestTheDockerfileBuildsWithThePinnedCompilers(t *testing.T) {
	found := dockerfile(t)
	toolchain, err := os.ReadFile("../../rust-toolchain.toml")
	if err != nil {
		t.Fatal(err)
	}
	rust := regexp.MustCompile(`channel = "(.*)"`).FindSubmatch(toolchain)
	if rust == nil {
		t.Fatal("rust-toolchain.toml names no channel")
	}
	if from := all(found["source"], "FROM")[0]; !strings.Contains(from, " rust:"+string(rust[1])+"-") {
		t.Errorf("rust-toolchain.toml says %s, the Dockerfile %s", rust[1], from)
	}
	if environment := all(found["source"], "ENV"); !slices.Contains(environment, "RUSTUP_TOOLCHAIN="+string(rust[1])) {
		t.Errorf("rust-toolchain.toml says %s, the Dockerfile %s", rust[1], environment)
	}
	module, err := os.ReadFile("go.mod")
	if err != nil {
		t.Fatal(err)
	}
	minor := regexp.MustCompile(`(?m)^go (\d+\.\d+)`).FindSubmatch(module)
	if from := all(found["base"], "FROM")[0]; minor == nil || !strings.Contains(from, " golang:"+string(minor[1])+"-") {
		t.Errorf("go.mod says %s, the Dockerfile %s", minor, from)
	}
}

func TestTheDockerfileCopiesWhatCargoAsksFor(t *testing.T) {
	found := dockerfile(t)
	ignored, err := os.ReadFile("../Dockerfile.dockerignore")
	if err != nil {
		t.Fatal(err)
	}
	sent := strings.Split(strings.ReplaceAll(string(ignored), "!", ""), "\n")
	into := t.TempDir()
	for _, arguments := range append(all(found["source"], "COPY"), all(found["base"], "COPY")...) {
		paths := strings.Fields(arguments)
		if strings.HasPrefix(paths[0], "--from") {
			continue
		}
		for _, path := range paths[:len(paths)-1] {
			if !slices.ContainsFunc(sent, func(one string) bool { return one == path || strings.HasPrefix(path, one+"/") }) {
				t.Errorf("%s is copied, and Dockerfile.dockerignore holds it back", path)
			}
			if strings.Contains(path, "*") {
				continue
			}
			from, to := "../../"+path, into+"/"+path
			info, err := os.Stat(from)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
				t.Fatal(err)
			}
			if info.IsDir() {
				err = os.CopyFS(to, os.DirFS(from))
			} else {
				var data []byte
				if data, err = os.ReadFile(from); err == nil {
					err = os.WriteFile(to, data, info.Mode())
				}
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	if copied := all(found["base"], "COPY"); !slices.Contains(copied, "deploy/image/texts texts") {
		t.Errorf("what licences.go embeds is not there: %q", copied)
	}
	// Of what does not compile only this command fails, as a build does, where a file lacks that Cargo.toml names.
	cargo := exec.Command("cargo", "fetch", "--locked")
	cargo.Dir = into
	if text, err := cargo.CombinedOutput(); err != nil {
		t.Errorf("with only what is copied: %v: %s", err, text)
	}
}
