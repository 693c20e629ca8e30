// Command control-plane starts and ends a real Kubernetes control plane that owns nothing
// outside of one folder: ports are free ones, keys, state, logs and process ids are in it.
//
// This file is the command line; what a component is stands in components.go.
package main

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const usage = `Usage: control-plane COMMAND DIR ...

  up DIR [--controllers] [--scheduler] [--kwok] [--nodes N] [--parent PID] [--apiserver-arg ARG]...
        Start etcd and kube-apiserver, and what is asked for; print the path of the
        administrator's kubeconfig when the cluster can be used.
        --controllers    kube-controller-manager (else pods need no service account)
        --scheduler      kube-scheduler
        --kwok           kwok, which pretends to be the kubelets of N nodes (default 1)
        --node           a real node instead, with all of the above and a registry, in a network of
                         its own; needs root and what tests/tools/node-packages gets. Pods run
                         as soon as the image pause:node is pushed to the registry (DIR/registry)
        --parent PID     end everything when that process is gone
        --apiserver-arg  one more argument for kube-apiserver; repeatable
  down DIR              end everything; keys, kubeconfig, logs and audit.log stay
  stop DIR NAME         end one component (etcd, kube-apiserver, ...)
  start DIR NAME        start it again, on the same port
  enter DIR PROGRAM ARG...
                        run a program where the real node runs
  user DIR NAME [--group GROUP]... --kubeconfig OUT
        write a kubeconfig for that user, who has no rights yet
  kubectl DIR ARG...    kubectl as the administrator
`

func main() {
	if len(os.Args) < 3 || strings.HasPrefix(os.Args[2], "-") {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(64)
	}
	// Nothing here is reached by a proxy, neither by us nor by what we start.
	for _, name := range []string{"NO_PROXY", "no_proxy"} {
		_ = os.Setenv(name, "*")
	}
	if packages() != "" {
		withPackages()
	}
	if err := run(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, "control-plane:", err)
		os.Exit(1)
	}
}

func run(command, dir string, args []string) error {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return err
	}
	plane := &Plane{Dir: dir}
	if command == "inside" { // what commandInRoom starts
		plane.inside = true
		command, args = args[0], args[1:]
	}
	switch command {
	case "up":
		if plane.inside {
			return upInside(plane)
		}
		return up(plane, args)
	case "down":
		return down(plane)
	case "stop", "start":
		if len(args) != 1 {
			return errors.New("which component?")
		}
		return one(plane, command, args[0])
	case "user":
		return user(plane, args)
	case "kubectl":
		return kubectl(plane, args)
	case "enter":
		return enter(plane, args)
	case holder: // what makeRoom starts
		return holdRoom(plane)
	case "watch": // what --parent starts
		return watch(plane, args)
	}
	return fmt.Errorf("no command is called %q", command)
}

func up(plane *Plane, args []string) error {
	var settings Settings
	parent := 0
	flags := flag.NewFlagSet("up", flag.ExitOnError)
	flags.Usage = func() { fmt.Fprint(os.Stderr, usage) }
	flags.BoolVar(&settings.Controllers, "controllers", false, "")
	flags.BoolVar(&settings.Scheduler, "scheduler", false, "")
	flags.BoolVar(&settings.Kwok, "kwok", false, "")
	flags.BoolVar(&settings.Node, "node", false, "")
	flags.IntVar(&settings.Nodes, "nodes", 1, "")
	flags.IntVar(&parent, "parent", 0, "")
	flags.Func("apiserver-arg", "", func(arg string) error {
		settings.ApiserverArgs = append(settings.ApiserverArgs, arg)
		return nil
	})
	_ = flags.Parse(args)
	if flags.NArg() > 0 {
		return fmt.Errorf("what is %q?", flags.Arg(0))
	}
	if settings.Node {
		if settings.Kwok {
			return errors.New("nodes are either real (--node) or pretended (--kwok)")
		}
		settings.Controllers, settings.Scheduler, settings.Nodes = true, true, 1
	}
	if err := os.MkdirAll(plane.Dir, 0o755); err != nil {
		return err
	}
	// What is in the folder will be removed, so it must be nobody else's.
	if entries, _ := os.ReadDir(plane.Dir); len(entries) > 0 {
		if _, err := os.Stat(plane.stateFile()); err != nil {
			return fmt.Errorf("%s is not empty and no control plane was in it", plane.Dir)
		}
	}
	interrupt := make(chan os.Signal, 1)
	signal.Notify(interrupt, os.Interrupt, syscall.SIGTERM)
	plane.interrupt = interrupt
	unlock, err := plane.lock()
	if err != nil {
		return err
	}
	defer unlock()
	begin := time.Now()
	if err := plane.up(settings, parent); err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "control plane: up in %.1f s\n", time.Since(begin).Seconds())
	fmt.Println(plane.kubeconfig("admin"))
	return nil
}

// upInside is the part of `up` that runs in the room of a real node.
func upInside(plane *Plane) error {
	if err := plane.load(); err != nil {
		return err
	}
	return plane.upAtLast()
}

func down(plane *Plane) error {
	if err := plane.load(); errors.Is(err, os.ErrNotExist) {
		if plane.holderPid() != 0 { // somebody removed the folder and left the node
			return plane.leaveRoom()
		}
		return nil
	} else if err != nil {
		return err
	}
	unlock, err := plane.lock()
	if err != nil {
		return err
	}
	defer unlock()
	return plane.down(true)
}

func one(plane *Plane, command, name string) error {
	if err := plane.load(); err != nil {
		return err
	}
	if !plane.inside { // else the command outside has locked it
		unlock, err := plane.lock()
		if err != nil {
			return err
		}
		defer unlock()
	}
	if plane.State.Settings.Node && !plane.inside {
		return plane.commandInRoom(command, name)
	}
	if !slices.Contains(plane.names(), name) {
		return fmt.Errorf("this control plane has no %s; it has %s", name, strings.Join(plane.names(), ", "))
	}
	if command == "stop" {
		return plane.stop(name)
	}
	return plane.startOne(name)
}

func enter(plane *Plane, args []string) error {
	if len(args) == 0 {
		return errors.New("which program?")
	}
	command, err := plane.inRoom(args[0], args[1:]...)
	if err != nil {
		return err
	}
	return command.Run()
}

func user(plane *Plane, args []string) error {
	if len(args) == 0 {
		return errors.New("which user?")
	}
	var groups []string
	out := ""
	flags := flag.NewFlagSet("user", flag.ExitOnError)
	flags.StringVar(&out, "kubeconfig", "", "")
	flags.Func("group", "", func(group string) error {
		groups = append(groups, group)
		return nil
	})
	_ = flags.Parse(args[1:])
	if out == "" {
		return errors.New("--kubeconfig OUT is missing")
	}
	if err := plane.load(); err != nil {
		return err
	}
	authority, err := loadAuthority(plane.pki())
	if err != nil {
		return err
	}
	return authority.writeKubeconfig(out, plane.server(), args[0], groups)
}

func watch(plane *Plane, args []string) error {
	if len(args) != 1 {
		return errors.New("which process?")
	}
	pid, err := strconv.Atoi(args[0])
	if err != nil {
		return err
	}
	born, alive := birth(pid)
	for alive {
		time.Sleep(500 * time.Millisecond)
		var now string
		now, alive = birth(pid)
		alive = alive && now == born
	}
	return down(plane)
}
