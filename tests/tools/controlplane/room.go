package main

// The room of a control plane with a real node: network, mounts and process ids of its own, held by
// one process. When that one is killed the kernel ends all that runs in the room, containers and
// their shims included, and takes mounts and interfaces away: nothing has to be looked for, however
// badly a run ended. Only control groups are outside and removed by name.
//
// What runs in the room stands in node.go.

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const (
	// The command whose process holds the room; it never ends by itself.
	holder = "hold"
	// Where the kernel shows control groups (cgroups(7)).
	groupsRoot = "/sys/fs/cgroup"
)

// What programs of the node write at places that no flag moves. In the room something else is
// mounted there, so that the machine's own files are neither seen nor touched.
// Those that the machine has not are made, and removed again.
var covered = []string{"/run", "/var/lib/cni", "/var/lib/kubelet", "/var/log/containers"}

// roomName is what control group and interface outside are called: short, and the same for a folder
// each time, so that what a killed run left is found again.
func (p *Plane) roomName() string {
	return fmt.Sprintf("node-%x", sha256.Sum256([]byte(p.Dir)))[:13]
}

// The two ends of the only way into the room. No route leads out of it.
func (p *Plane) outerAddress() string { return fmt.Sprintf("10.213.%d.1", p.State.Link) }
func (p *Plane) nodeAddress() string  { return fmt.Sprintf("10.213.%d.2", p.State.Link) }

// holderPid finds the process that holds the room of this folder; 0 if there is none.
func (p *Plane) holderPid() int {
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, line := range lines {
		text, err := os.ReadFile(line)
		if err != nil || !strings.HasSuffix(string(text), "\x00"+holder+"\x00"+p.Dir+"\x00") {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(line)))
		if _, alive := birth(pid); err == nil && alive {
			return pid
		}
	}
	return 0
}

// makeRoom starts the holder and connects its network with the machine's.
func (p *Plane) makeRoom() error {
	if os.Geteuid() != 0 {
		return errors.New("a real node needs root: for namespaces, mounts and control groups")
	}
	for _, path := range covered {
		if err := os.MkdirAll(path, 0o755); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(filepath.Dir(p.logFile(holder)), 0o755); err != nil {
		return err
	}
	if err := makeGroups(p.roomName()); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	command := exec.Command(self, holder, p.Dir)
	log, err := os.Create(p.logFile(holder))
	if err != nil {
		return err
	}
	defer log.Close()
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = &syscall.SysProcAttr{
		Setsid:     true,
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC,
	}
	if err := command.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		_ = command.Wait()
		close(ended)
	}()
	if err := p.connect(command.Process.Pid); err != nil {
		return err
	}
	return p.wait(holder, ended, func() error {
		_, err := os.Stat(p.roomReady())
		return err
	})
}

func (p *Plane) roomReady() string { return filepath.Join(p.Dir, "room-is-ready") }

// connect lays a pair of virtual interfaces: `eth0` in the room, the other outside.
func (p *Plane) connect(pid int) error {
	inside := []string{"nsenter", "--target", strconv.Itoa(pid), "--net", "ip"}
	outside := []string{"ip"}
	for _, step := range []struct {
		program []string
		args    string
	}{
		{outside, fmt.Sprintf("link add %s type veth peer name eth0 netns %d", p.roomName(), pid)},
		{outside, fmt.Sprintf("address add %s/30 dev %s", p.outerAddress(), p.roomName())},
		{outside, fmt.Sprintf("link set %s up", p.roomName())},
		{inside, fmt.Sprintf("address add %s/30 dev eth0", p.nodeAddress())},
		{inside, "link set lo up"},
		{inside, "link set eth0 up"},
		// A packet for a service needs some route before kube-proxy's rules give it another target.
		{inside, "route add " + serviceRange + " dev eth0"},
	} {
		words := append(step.program, strings.Fields(step.args)...)
		if text, err := exec.Command(words[0], words[1:]...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", strings.Join(words, " "), err, text)
		}
	}
	return nil
}

// holdRoom is the holder itself, the first process of its room. It prepares the mounts, and then
// takes leave of children that nobody else waits for.
func holdRoom(p *Plane) error {
	children := make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making mounts private: %w", err)
	}
	for _, path := range covered {
		if err := syscall.Mount("tmpfs", path, "tmpfs", syscall.MS_NOSUID|syscall.MS_NODEV, "mode=755"); err != nil {
			return fmt.Errorf("mounting over %s: %w", path, err)
		}
	}
	if err := syscall.Mount("proc", "/proc", "proc", syscall.MS_NOSUID|syscall.MS_NODEV|syscall.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mounting /proc: %w", err)
	}
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(p.roomReady(), nil, 0o644); err != nil {
		return err
	}
	for range children {
		for {
			if pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); pid <= 0 || err != nil {
				break
			}
		}
	}
	return nil
}

// inRoom is a command that runs in the room of this folder.
func (p *Plane) inRoom(program string, args ...string) (*exec.Cmd, error) {
	pid := p.holderPid()
	if pid == 0 {
		return nil, fmt.Errorf("no node runs in %s", p.Dir)
	}
	words := []string{"--target", strconv.Itoa(pid), "--mount", "--net", "--ipc", "--pid", "--", program}
	command := exec.Command("nsenter", append(words, args...)...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	return command, nil
}

// commandInRoom runs a command of this program in the room.
func (p *Plane) commandInRoom(args ...string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	command, err := p.inRoom(self, append([]string{"inside", p.Dir}, args...)...)
	if err != nil {
		return err
	}
	command.Stdout = os.Stderr // the caller's output is a path
	if err := command.Start(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- command.Wait() }()
	select {
	case err := <-done:
		return err
	case <-p.interrupt:
		return errors.Join(errors.New("interrupted"), p.leaveRoom())
	}
}

// leaveRoom ends everything in the room and removes what of it is outside.
func (p *Plane) leaveRoom() error {
	for begin := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		pid := p.holderPid()
		if pid == 0 {
			break
		}
		// The kernel lets the first process of a namespace go last, when all others are gone.
		_ = syscall.Kill(pid, syscall.SIGKILL)
		if time.Since(begin) > endPatience {
			return fmt.Errorf("what runs in %s (holder: process %d) does not end", p.Dir, pid)
		}
	}
	_ = os.Remove(p.roomReady())
	// It goes with the namespace, but not at once, and the next room's has the same name.
	_ = exec.Command("ip", "link", "delete", p.roomName()).Run()
	for _, path := range covered[1:] { // what was made for the room is empty; what is not stays
		_ = os.Remove(path)
	}
	return removeGroups(p.roomName())
}

// chooseLink picks a network of four addresses that no interface of this machine is in.
func chooseLink() (int, error) {
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return 0, err
	}
next:
	for range 1000 {
		link := rand.IntN(256)
		for _, address := range addresses {
			known, ok := address.(*net.IPNet)
			if ok && known.Contains(net.IPv4(10, 213, byte(link), 1)) {
				continue next
			}
		}
		return link, nil
	}
	return 0, errors.New("no free network in 10.213.0.0/16")
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

// removeGroups removes the control group from every hierarchy, the inner ones first. What ran in
// them is dead, but the kernel may need a moment to see it.
func removeGroups(name string) error {
	roots, _ := filepath.Glob(filepath.Join(groupsRoot, "*", name))
	roots = append(roots, filepath.Join(groupsRoot, name))
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
