package main

// The control plane as a whole: its folder, its ports, and the order of things.

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// How often ports are chosen anew when somebody else was quicker.
	attempts = 5
	// A component that is not ready by then never will be; a busy machine takes a minute.
	startPatience = 2 * time.Minute
	watcher       = "watcher"
)

// Settings are what the caller of `up` asked for.
type Settings struct {
	Controllers, Scheduler, Kwok, Node bool
	Nodes                              int
	ApiserverArgs                      []string
}

// State is kept in DIR/state.json, for the commands that follow.
type State struct {
	Settings                          Settings
	EtcdPort, PeerPort, ApiserverPort int
	// With a real node: which network leads to it.
	Link int `json:",omitempty"`
}

// Plane is a control plane in a folder.
type Plane struct {
	Dir   string
	State State
	// Whether this process is in the room of a real node.
	inside bool
	// An interrupted start takes back what it started. Nil, and never ready, for other commands.
	interrupt <-chan os.Signal
}

func (p *Plane) pki() string                { return filepath.Join(p.Dir, "pki") }
func (p *Plane) pidFile(name string) string { return filepath.Join(p.Dir, "pids", name+".pid") }
func (p *Plane) logFile(name string) string { return filepath.Join(p.Dir, "logs", name+".log") }
func (p *Plane) server() string {
	host := "127.0.0.1"
	if p.State.Settings.Node {
		host = p.nodeAddress()
	}
	return fmt.Sprintf("https://%s:%d", host, p.State.ApiserverPort)
}

// kubeconfig of a user of the control plane itself; the administrator's is the one people use.
func (p *Plane) kubeconfig(user string) string {
	if user == "admin" {
		return filepath.Join(p.Dir, "kubeconfig")
	}
	return filepath.Join(p.Dir, "pki", user+".kubeconfig")
}

func (p *Plane) stateFile() string { return filepath.Join(p.Dir, "state.json") }

func (p *Plane) save() error {
	text, err := json.MarshalIndent(p.State, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(p.stateFile(), append(text, '\n'), 0o644)
}

func (p *Plane) load() error {
	text, err := os.ReadFile(p.stateFile())
	if err != nil {
		return fmt.Errorf("no control plane is in %s: %w", p.Dir, err)
	}
	return json.Unmarshal(text, &p.State)
}

func (p *Plane) up(settings Settings, parent int) error {
	for _, name := range p.everybody() {
		if pid, ok := p.running(name); ok {
			return fmt.Errorf("%s already runs in %s (process %d)", name, p.Dir, pid)
		}
	}
	if pid := p.holderPid(); pid != 0 {
		return fmt.Errorf("a node already runs in %s (process %d)", p.Dir, pid)
	}
	p.State.Settings = settings
	if err := p.save(); err != nil {
		return err
	}
	for _, component := range p.components() { // a missing program is told before anything starts
		if _, err := program(component.Name); err != nil {
			return err
		}
	}
	for _, old := range []string{"etcd", "node", "logs", "pids", "pki", "kubeconfig", "volume-plugins", "audit.log"} {
		if err := os.RemoveAll(filepath.Join(p.Dir, old)); err != nil {
			return err
		}
	}
	if parent != 0 {
		self, err := os.Executable()
		if err != nil {
			return err
		}
		if _, err := p.spawn(watcher, self, []string{"watch", p.Dir, strconv.Itoa(parent)}); err != nil {
			return err
		}
	}
	if settings.Node {
		return p.upInRoom()
	}
	return p.upAtLast()
}

// upInRoom makes the room of a real node and starts everything there.
func (p *Plane) upInRoom() error {
	failure := p.leaveRoom() // a killed run may have left control groups
	if failure == nil {
		failure = p.makeRoom()
	}
	if failure == nil {
		failure = p.commandInRoom("up")
	}
	if failure != nil {
		return errors.Join(failure, p.down(true))
	}
	return errors.Join(p.load(), p.sayRegistry()) // the ports were chosen there
}

// upAtLast tries until all ports could be had.
func (p *Plane) upAtLast() error {
	var failure error
	for range attempts {
		if failure = p.tryUp(); failure == nil {
			return nil
		}
		taken := errors.Is(failure, errPortTaken)
		if err := p.down(!taken); err != nil || !taken {
			return errors.Join(failure, err)
		}
	}
	return errors.Join(failure, p.down(true))
}

func (p *Plane) tryUp() error {
	ports, err := freePorts(3)
	if err != nil {
		return err
	}
	p.State.EtcdPort, p.State.PeerPort, p.State.ApiserverPort = ports[0], ports[1], ports[2]
	if err := p.save(); err != nil {
		return err
	}
	var addresses []string
	if p.State.Settings.Node {
		addresses = append(addresses, p.nodeAddress())
	}
	authority, err := makePki(p.pki(), addresses...)
	if err != nil {
		return err
	}
	if err := p.kubeletClient(authority); err != nil {
		return err
	}
	for user, identity := range map[string]struct {
		name   string
		groups []string
	}{
		"admin":                   {"admin", []string{"system:masters"}},
		"kube-controller-manager": {"system:kube-controller-manager", nil},
		"kube-scheduler":          {"system:kube-scheduler", nil},
		"kube-proxy":              {"system:kube-proxy", nil},
		"kubelet":                 {"system:node:" + nodeName(0), []string{"system:nodes"}},
	} {
		if err := authority.writeKubeconfig(p.kubeconfig(user), p.server(), identity.name, identity.groups); err != nil {
			return err
		}
	}
	for _, component := range p.components() {
		if err := p.start(component); err != nil {
			return err
		}
	}
	return p.usable()
}

// start runs a component and waits until it is ready.
func (p *Plane) start(component Component) error {
	path, err := program(component.Name)
	if err != nil {
		return err
	}
	if component.Before != nil {
		if err := component.Before(); err != nil {
			return err
		}
	}
	ended, err := p.spawn(component.Name, path, component.Args)
	if err != nil {
		return err
	}
	if component.Ready == nil {
		return nil
	}
	return p.wait(component.Name, ended, component.Ready)
}

func (p *Plane) startOne(name string) error {
	if pid, ok := p.running(name); ok {
		return fmt.Errorf("%s already runs (process %d)", name, pid)
	}
	components := p.components()
	index := slices.IndexFunc(components, func(c Component) bool { return c.Name == name })
	return p.start(components[index])
}

// down ends everything, the last started first; the watcher too unless more is to come.
func (p *Plane) down(watcherToo bool) error {
	var failures []error
	if p.State.Settings.Node && !p.inside {
		// Their ids are those of the room, and mean somebody else out here.
		failures = append(failures, p.leaveRoom(), p.forgetAllBut(watcher))
	}
	for _, name := range p.everybody() {
		if name == watcher {
			continue
		}
		failures = append(failures, p.stop(name))
	}
	if pid, _ := p.running(watcher); watcherToo && pid != os.Getpid() {
		failures = append(failures, p.stop(watcher))
	} else if watcherToo { // it is the watcher itself that does this
		failures = append(failures, os.Remove(p.pidFile(watcher)))
	}
	for _, data := range []string{"etcd", "node", "volume-plugins"} {
		failures = append(failures, os.RemoveAll(filepath.Join(p.Dir, data)))
	}
	return errors.Join(failures...)
}

// everybody who may have a process here, in the order of ending: clients before servers.
func (p *Plane) everybody() []string {
	return []string{
		"kube-proxy", "kubelet", "containerd", "docker-registry", "kwok",
		"kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd", watcher,
	}
}

var errPortTaken = errors.New("a port was taken meanwhile")

// wait asks until the answer is yes, the process ends or patience does; it then shows the log.
func (p *Plane) wait(name string, ended <-chan struct{}, ready func() error) error {
	var failure error
	for begin := time.Now(); time.Since(begin) < startPatience; time.Sleep(50 * time.Millisecond) {
		select {
		case <-ended:
			tail := p.tail(name)
			if strings.Contains(tail, "address already in use") {
				return fmt.Errorf("%w: %s ended:\n%s", errPortTaken, name, tail)
			}
			return fmt.Errorf("%s ended; %s:\n%s", name, p.logFile(name), tail)
		default:
		}
		select {
		case <-p.interrupt:
			return errors.New("interrupted")
		default:
		}
		if failure = ready(); failure == nil {
			return nil
		}
	}
	return fmt.Errorf("%s is not ready after %s: %w; %s:\n%s", name, startPatience, failure, p.logFile(name), p.tail(name))
}

func (p *Plane) tail(name string) string {
	text, _ := os.ReadFile(p.logFile(name))
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	return "    " + strings.Join(lines[max(0, len(lines)-15):], "\n    ")
}

// freePorts are outside of the range from which the kernel serves outgoing connections:
// a component that is stopped for a while must find its port free again.
func freePorts(count int) ([]int, error) {
	var ports []int
	for range 1000 {
		port := 15000 + rand.IntN(17000)
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil || slices.Contains(ports, port) {
			continue
		}
		_ = listener.Close()
		if ports = append(ports, port); len(ports) == count {
			return ports, nil
		}
	}
	return nil, errors.New("no free ports between 15000 and 32000")
}
