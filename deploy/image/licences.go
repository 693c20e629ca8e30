package main

// The licences of what is linked into a program, which it must carry with it: the texts and notices
// that the crates bring along, each text once, above it the crates that it is of. What comes from
// elsewhere than a crate has its text in texts/.

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// unbundled names what is no crate, or has its text elsewhere.
const unbundled = `Linked in as well:
  the standard library of Rust: MIT OR Apache-2.0, https://github.com/rust-lang/rust
  the GNU C library: LGPL-2.1-or-later, https://sourceware.org/glibc/
  GCC's own library, libgcc and libgcc_eh: GPL-3.0-or-later with the GCC Runtime Library Exception 3.1,
    which lets a program that they are a part of have any licence, https://gcc.gnu.org
The source of this program and the script that links it are at
%s, revision %s:
deploy/image/static links it with another GNU C library where one is installed.
In the image besides: Mozilla's list of certificate authorities, MPL-2.0,
https://hg.mozilla.org/projects/nss/file/tip/lib/ckfw/builtins/certdata.txt
`

// Texts as the Free Software Foundation and Mozilla publish them.
var (
	//go:embed texts/LGPL-2.1.txt
	lgpl string
	//go:embed texts/MPL-2.0.txt
	mpl string
)

// notice is how a file with a licence is called, shelf a folder of nothing else, and source a file that is only
// about licences.
var notice = regexp.MustCompile(`(?i)^(licen[cs]e|copying|copyright|notice|unlicense)([-._][a-z0-9._-]+)?$`)
var shelf = regexp.MustCompile(`(?i)^\.?licen[cs]es$`)
var source = regexp.MustCompile(`(?i)\.(rs|c|h|go|py|toml|json|html)$`)

func writeLicences(build Build, target, features, path string) error {
	crates, err := linked(target, features)
	if err != nil {
		return err
	}
	folders, err := sources(target, features)
	if err != nil {
		return err
	}
	own, err := os.ReadFile("LICENSE")
	if err != nil {
		return err
	}
	text, err := licences(build, string(own), crates[1:], folders)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}

// licences is the text; folders are where the crates' sources are, by "name version".
func licences(build Build, own string, crates []Crate, folders map[string]string) ([]byte, error) {
	var text bytes.Buffer
	fmt.Fprintf(&text, "%s %s is under this licence:\n\n%s\n", build.Name, build.Version, strings.TrimSpace(own))
	fmt.Fprintf(&text, "\n%s\n"+unbundled, line, repository, build.Revision)

	crates = slices.Clone(crates)
	slices.SortFunc(crates, func(a, b Crate) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Version, b.Version))
	})
	fmt.Fprintf(&text, "\n%s\nThe crates in it:\n\n", line)
	type part struct{ text, of string }
	var parts []*part
	known := map[string]*part{} // by the words of the text, however they are wrapped
	for _, crate := range crates {
		folder, found := folders[crate.Name+" "+crate.Version]
		if !found {
			return nil, fmt.Errorf("cargo does not say where the source of %s %s is", crate.Name, crate.Version)
		}
		texts, err := notices(folder)
		if err != nil {
			return nil, err
		}
		about := strings.TrimSpace(crate.Licence + " " + crate.Repository)
		if len(texts) == 0 {
			about += " (it brings no text)"
		}
		fmt.Fprintf(&text, "%s %s: %s\n", crate.Name, crate.Version, about)
		for _, one := range texts {
			words := strings.Join(strings.Fields(one), " ")
			if known[words] == nil {
				known[words] = &part{text: one}
				parts = append(parts, known[words])
			}
			if of := " " + crate.Name + " " + crate.Version + ","; !strings.Contains(known[words].of, of) {
				known[words].of += of
			}
		}
	}
	parts = append(parts, &part{lgpl, " the GNU C library"}, &part{mpl, " Mozilla's list of certificate authorities"})
	for _, part := range parts {
		fmt.Fprintf(&text, "\n%s\nOf%s:\n\n%s\n", line, strings.TrimSuffix(part.of, ","), strings.TrimSpace(part.text))
	}
	return text.Bytes(), nil
}

const line = "--------------------------------------------------------------------------------"

// notices are the licence texts in a crate's source, in the order of their paths.
func notices(folder string) ([]string, error) {
	var texts []string
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() || source.MatchString(entry.Name()) {
			return err
		}
		if !notice.MatchString(entry.Name()) && !shelf.MatchString(filepath.Base(filepath.Dir(path))) {
			return nil
		}
		text, err := os.ReadFile(path)
		texts = append(texts, strings.TrimSpace(strings.ReplaceAll(string(text), "\r\n", "\n")))
		return err
	})
	return texts, err
}

// sources are the folders of the crates' sources, by "name version".
func sources(target, features string) (map[string]string, error) {
	text, err := output("cargo", "metadata", "--locked", "--format-version", "1", "--filter-platform", target, "--features", features)
	if err != nil {
		return nil, err
	}
	var metadata struct {
		Packages []struct {
			Name, Version string
			Manifest      string `json:"manifest_path"`
		}
	}
	if err := json.Unmarshal([]byte(text), &metadata); err != nil {
		return nil, errors.Join(errors.New("cargo's metadata is not understood"), err)
	}
	folders := map[string]string{}
	for _, one := range metadata.Packages {
		folders[one.Name+" "+one.Version] = filepath.Dir(one.Manifest)
	}
	return folders, nil
}
