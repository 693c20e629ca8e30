// Command image makes container images of the project's programs without a container engine, the same
// bytes from the same program, and sends them to a registry.
//
// This file is the command line. What is in an image stands in programs.go, files.go and roots.go, how
// it is put together in assemble.go, what its program is made of in sbom.go and licences.go.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

const usage = `Usage: image COMMAND ...

  assemble BUILD --platform linux/ARCH --licences FILE LAYOUT
        Write the image of one program as an OCI layout.
  index --out LAYOUT LAYOUT...
        Put images of one program for several platforms into one index.
  push [--insecure] LAYOUT REFERENCE...
        Send an image or an index to a registry under each reference, and print each with its digest.
        Who signs in is what docker, crane or oras left in ~/.docker/config.json. --insecure: plain HTTP.
  find [--insecure] REFERENCE
        Print the digest that a registry has under a reference, and nothing if it has none.
  inspect [--digest] [--limit BYTES] LAYOUT
        Say what is in it, how large it is and its digest. --digest: only that. --limit: fail if what
        one platform downloads is larger.
  sbom BUILD --target TRIPLE [--features LIST] FILE
        Write what is in the program, crate by crate, as CycloneDX; from within the checkout.
  licences BUILD --target TRIPLE [--features LIST] FILE
        Write the licences of that, for assemble; from within the checkout.
  base DIR
        Write the files of every image, for deploy/Dockerfile.

BUILD is --name NAME --program FILE --version V --revision R --created SECONDS: NAME is
deployment-recorder or github-sandbox, SECONDS what SOURCE_DATE_EPOCH is, the commit's since 1970.
`

func main() {
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(64)
	}
	if err := run(os.Args[1], os.Args[2:], os.Stdout); err != nil {
		if errors.Is(err, errUsage) || errors.Is(err, flag.ErrHelp) {
			fmt.Fprint(os.Stderr, usage)
			os.Exit(64)
		}
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("usage")

func run(command string, args []string, out io.Writer) error {
	flags := flag.NewFlagSet(command, flag.ContinueOnError)
	flags.Usage = func() {}
	switch command {
	case "assemble":
		var build Build
		build.flags(flags)
		flags.StringVar(&build.Licences, "licences", "", "")
		architecture := flags.String("platform", "", "")
		rest, err := parse(flags, args, 1, 1)
		if err != nil {
			return err
		}
		system, architectureName, _ := strings.Cut(*architecture, "/")
		if system != "linux" || machines[architectureName] == 0 {
			return fmt.Errorf("--platform %q is none of linux/amd64, linux/arm64", *architecture)
		}
		return assemble(build, architectureName, rest[0])
	case "index":
		layout := flags.String("out", "", "")
		rest, err := parse(flags, args, 1, len(args))
		if err != nil || *layout == "" {
			return errors.Join(err, errUsage)
		}
		return joinPlatforms(rest, *layout)
	case "push":
		insecure := flags.Bool("insecure", false, "")
		rest, err := parse(flags, args, 2, len(args))
		if err != nil {
			return err
		}
		return push(rest[0], rest[1:], *insecure, out)
	case "find":
		insecure := flags.Bool("insecure", false, "")
		rest, err := parse(flags, args, 1, 1)
		if err != nil {
			return err
		}
		return find(rest[0], *insecure, out)
	case "inspect":
		digest := flags.Bool("digest", false, "")
		limit := flags.Int64("limit", 0, "")
		rest, err := parse(flags, args, 1, 1)
		if err != nil {
			return err
		}
		return inspect(rest[0], *digest, *limit, out)
	case "sbom", "licences":
		var build Build
		build.flags(flags)
		target := flags.String("target", "", "")
		features := flags.String("features", "", "")
		rest, err := parse(flags, args, 1, 1)
		if err != nil || *target == "" {
			return errors.Join(err, errUsage)
		}
		if command == "licences" {
			return writeLicences(build, *target, *features, rest[0])
		}
		return writeBill(build, *target, *features, rest[0])
	case "base":
		rest, err := parse(flags, args, 1, 1)
		if err != nil {
			return err
		}
		return writeBase(rest[0])
	}
	return errUsage
}

// parse reads flags, then between least and most arguments.
func parse(flags *flag.FlagSet, args []string, least, most int) ([]string, error) {
	flags.SetOutput(os.Stderr)
	if err := flags.Parse(args); err != nil {
		return nil, errors.Join(err, errUsage)
	}
	if flags.NArg() < least || flags.NArg() > most {
		return nil, errUsage
	}
	return flags.Args(), nil
}

// flags declares what assemble, sbom and licences are told about a build.
func (build *Build) flags(flags *flag.FlagSet) {
	flags.StringVar(&build.Program, "program", "", "")
	flags.StringVar(&build.Name, "name", "", "")
	flags.StringVar(&build.Version, "version", "", "")
	flags.StringVar(&build.Revision, "revision", "", "")
	flags.Int64Var(&build.Created, "created", 0, "")
}
