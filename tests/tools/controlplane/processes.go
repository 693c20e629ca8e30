package main

// Processes: started in sessions of their own, known by a file with their id, and ended
// only while that id still is a program of this folder.

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Patience with a component that was asked to end, before it is killed.
const endPatience = 20 * time.Second

// spawn starts a program whose output goes to DIR/logs/NAME.log. The channel closes when
// it ends, so that a failed start is seen at once.
func (p *Plane) spawn(name, program string, args []string) (<-chan struct{}, error) {
	if err := os.MkdirAll(filepath.Dir(p.pidFile(name)), 0o755); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Dir(p.logFile(name)), 0o755); err != nil {
		return nil, err
	}
	log, err := os.OpenFile(p.logFile(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	command := exec.Command(program, args...)
	command.Dir = p.Dir
	command.Stdout, command.Stderr = log, log
	// kwok and kubectl would read and write below the developer's home.
	command.Env = append(os.Environ(), "HOME="+p.Dir)
	// A session of its own: an interrupt at the terminal must not end it behind our back.
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	ended, err := begin(command)
	if err != nil {
		return nil, err
	}
	return ended, os.WriteFile(p.pidFile(name), fmt.Appendln(nil, command.Process.Pid), 0o644)
}

// begin starts a command; the channel is closed when it has ended.
func begin(command *exec.Cmd) (<-chan struct{}, error) {
	if err := command.Start(); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() {
		_ = command.Wait()
		close(ended)
	}()
	return ended, nil
}

// running gives the process id of a component, if it runs and is ours.
func (p *Plane) running(name string) (int, bool) {
	text, err := os.ReadFile(p.pidFile(name))
	if err != nil {
		return 0, false
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, false
	}
	// Process ids are used again: every program here has DIR or a path below it among its arguments.
	line := commandLine(pid)
	return pid, pid > 1 && (strings.Contains(line, p.Dir+"/") || strings.Contains(line, p.Dir+" "))
}

// stop ends one component: politely, then not.
func (p *Plane) stop(name string) error {
	if pid, ok := p.running(name); ok {
		_ = syscall.Kill(pid, syscall.SIGTERM)
		_ = syscall.Kill(pid, syscall.SIGCONT) // a test may have halted it
		if !p.ended(name, endPatience) {
			_ = syscall.Kill(pid, syscall.SIGKILL)
			if !p.ended(name, endPatience) {
				return fmt.Errorf("%s (process %d) does not end", name, pid)
			}
		}
	}
	err := os.Remove(p.pidFile(name))
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	return err
}

// forgetAllBut one the ids of processes that are known to be gone.
func (p *Plane) forgetAllBut(kept string) error {
	var failures []error
	for _, name := range p.everybody() {
		if name == kept {
			continue
		}
		if err := os.Remove(p.pidFile(name)); !errors.Is(err, os.ErrNotExist) {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

func (p *Plane) ended(name string, patience time.Duration) bool {
	for begin := time.Now(); time.Since(begin) < patience; time.Sleep(20 * time.Millisecond) {
		if _, ok := p.running(name); !ok {
			return true
		}
	}
	return false
}

// commandLine of a process that lives; nothing for one that is gone or a zombie.
func commandLine(pid int) string {
	if _, alive := birth(pid); !alive {
		return ""
	}
	if text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err == nil {
		return string(bytes.ReplaceAll(text, []byte{0}, []byte{' '}))
	}
	text, _ := exec.Command("ps", "-ww", "-o", "command=", "-p", strconv.Itoa(pid)).Output()
	return string(text)
}

// birth tells when a process began, in words that only compare, and whether it lives.
// Linux says it in /proc (proc_pid_stat(5), fields 3 and 22), others by ps.
func birth(pid int) (string, bool) {
	if _, err := os.Stat("/proc/self/stat"); err == nil {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			return "", false
		}
		fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
		if len(fields) < 20 {
			return "", false
		}
		return fields[19], fields[0] != "Z" && fields[0] != "X"
	}
	text, err := exec.Command("ps", "-o", "stat=,lstart=", "-p", strconv.Itoa(pid)).Output()
	state, began, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	return began, err == nil && !strings.HasPrefix(state, "Z")
}

// lock makes commands on one folder wait for each other.
func (p *Plane) lock() (func(), error) {
	file, err := os.OpenFile(filepath.Join(p.Dir, ".lock"), os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX); err != nil {
		return nil, err
	}
	return func() { _ = file.Close() }, nil
}
