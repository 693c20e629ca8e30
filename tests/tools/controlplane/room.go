package main

// The room of a control plane with a real node: network, mounts and process ids of its own, held by
// one process. When that one is killed the kernel ends all that runs in the room, containers and
// their shims included, and takes mounts and interfaces away: nothing has to be looked for, however
// badly a run ended. Only control groups are outside and removed by name.
//
// What runs in the room stands in node.go, what it sees of the machine in mounts.go, control groups in groups.go.

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

// The command whose process holds the room; it never ends by itself.
const holder = "hold"

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
	if err := os.MkdirAll(filepath.Dir(p.logFile(holder)), 0o755); err != nil {
		return err
	}
	ended, err := p.startHolder()
	if err != nil {
		return err
	}
	return p.wait(holder, ended, func() error {
		_, err := os.Stat(p.roomReady())
		return err
	})
}

// startHolder makes what of the room is outside, in one go: nodes that start at the same time must not
// choose the same network, nor take a new group for one that nobody needs.
func (p *Plane) startHolder() (<-chan struct{}, error) {
	unlock, err := lockMachine()
	if err != nil {
		return nil, err
	}
	defer unlock()
	removeStaleGroups()
	if err := makeGroups(p.roomName()); err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	command := exec.Command(self, holder, p.Dir)
	log, err := os.Create(p.logFile(holder))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	command.Stdout, command.Stderr = log, log
	command.SysProcAttr = &syscall.SysProcAttr{
		Setsid:     true,
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID | syscall.CLONE_NEWNET | syscall.CLONE_NEWIPC,
	}
	ended, err := begin(command)
	if err != nil {
		return nil, err
	}
	if p.State.Link, err = chooseLink(); err != nil {
		return nil, err
	}
	return ended, errors.Join(p.connect(command.Process.Pid), p.save())
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
	if err := furnish(); err != nil {
		return err
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
