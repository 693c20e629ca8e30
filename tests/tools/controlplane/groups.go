package main

// Control groups, the only part of a node that does not go with its room.

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"
)

// Where the kernel shows control groups (cgroups(7)).
const groupsRoot = "/sys/fs/cgroup"

// lockMachine makes nodes that start on one machine wait for each other. The folder is there for all of
// them, so that no file has to be made and left.
func lockMachine() (func(), error) {
	root, err := os.Open(groupsRoot)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(root.Fd()), syscall.LOCK_EX); err != nil {
		return nil, err
	}
	return func() { _ = root.Close() }, nil
}

// makeGroups makes the control group below which the kubelet puts pods: one of its own, since a
// kubelet ends what it does not know. It takes both hierarchies, cgroup v2 and v1.
func makeGroups(name string) error {
	if controllers, err := os.ReadFile(filepath.Join(groupsRoot, "cgroup.controllers")); err == nil {
		if err := os.MkdirAll(filepath.Join(groupsRoot, name), 0o755); err != nil {
			return err
		}
		for _, controller := range strings.Fields(string(controllers)) {
			// One that cannot be given on is the kubelet's to complain about, if it needs it.
			_ = os.WriteFile(filepath.Join(groupsRoot, "cgroup.subtree_control"), []byte("+"+controller), 0o644)
		}
		return nil
	}
	hierarchies, _ := filepath.Glob(filepath.Join(groupsRoot, "*", "cgroup.procs"))
	if len(hierarchies) == 0 {
		return fmt.Errorf("no control groups are mounted at %s", groupsRoot)
	}
	for _, procs := range hierarchies {
		parent := filepath.Dir(procs)
		if err := os.MkdirAll(filepath.Join(parent, name), 0o755); err != nil {
			return err
		}
		for _, file := range []string{"cpuset.cpus", "cpuset.mems"} { // empty in a new group: nothing could run
			if text, err := os.ReadFile(filepath.Join(parent, file)); err == nil {
				_ = os.WriteFile(filepath.Join(parent, name, file), text, 0o644)
			}
		}
	}
	return nil
}

// What roomName gives.
var roomNames = regexp.MustCompile(`^node-[0-9a-f]{8}$`)

// removeStaleGroups removes the groups of nodes that are gone and whose folders nobody has used since:
// there is no interface of their name, and no process in them. The machine is locked. What cannot be
// removed is in nobody's way.
func removeStaleGroups() {
	for _, root := range groupsOf("node-*") {
		name := filepath.Base(root)
		if _, err := net.InterfaceByName(name); err != nil && roomNames.MatchString(name) && !inhabited(root) {
			_ = removeTree(root)
		}
	}
}

// groupsOf gives the groups of a name (or pattern) at the top of every hierarchy: cgroup v2 has one.
func groupsOf(name string) []string {
	pattern := filepath.Join(groupsRoot, "*", name)
	if _, err := os.Stat(filepath.Join(groupsRoot, "cgroup.controllers")); err == nil {
		pattern = filepath.Join(groupsRoot, name)
	}
	groups, _ := filepath.Glob(pattern)
	return groups
}

// inhabited says whether a process is in the group or in one below it.
func inhabited(group string) bool {
	found := false
	_ = filepath.WalkDir(group, func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.Name() == "cgroup.procs" {
			text, _ := os.ReadFile(path)
			found = found || len(text) > 0
		}
		return nil
	})
	return found
}

// removeGroups removes the control group from every hierarchy, the inner ones first. What ran in
// them is dead, but the kernel may need a moment to see it.
func removeGroups(name string) error {
	roots := groupsOf(name)
	var failure error
	for begin := time.Now(); time.Since(begin) < endPatience; time.Sleep(20 * time.Millisecond) {
		failure = nil
		for _, root := range roots {
			failure = errors.Join(failure, removeTree(root))
		}
		if failure == nil {
			return nil
		}
	}
	return failure
}

func removeTree(group string) error {
	entries, err := os.ReadDir(group)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, entry := range entries {
		if entry.IsDir() {
			err = errors.Join(err, removeTree(filepath.Join(group, entry.Name())))
		}
	}
	if err != nil {
		return err
	}
	if err := syscall.Rmdir(group); err != nil && !errors.Is(err, syscall.ENOENT) {
		return fmt.Errorf("removing %s: %w", group, err)
	}
	return nil
}
