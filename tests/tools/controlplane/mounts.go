package main

// What the room sees in place of the machine's own folders and kernel settings, so that programs of the
// node can change neither. All of it goes with the room, and nothing is made outside.

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// What programs of the node write at places that no flag moves.
var covered = []string{"/run", "/var/lib/cni", "/var/lib/kubelet", "/var/log/containers"}

// What a kubelet wants of the kernel, and would set for the whole machine: setupKernelTunables in
// k8s.io/kubernetes/pkg/kubelet/cm. Here it finds it, and protectKernelDefaults keeps it from writing.
var wanted = map[string]string{
	"vm/overcommit_memory":      "1",
	"vm/panic_on_oom":           "0",
	"kernel/panic":              "10",
	"kernel/panic_on_oops":      "1",
	"kernel/keys/root_maxkeys":  "1000000",
	"kernel/keys/root_maxbytes": "25000000",
}

const plain = syscall.MS_NOSUID | syscall.MS_NODEV

// furnish prepares the mounts of the room that this process is the first one in.
func furnish() error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making mounts private: %w", err)
	}
	if err := syscall.Mount("proc", "/proc", "proc", plain|syscall.MS_NOEXEC, ""); err != nil {
		return fmt.Errorf("mounting /proc: %w", err)
	}
	copied := map[string]bool{}
	for _, path := range covered {
		if err := cover(path, copied); err != nil {
			return fmt.Errorf("covering %s: %w", path, err)
		}
	}
	return coverSettings()
}

// cover puts an empty folder where `path` is. Where it is not, nothing is made on the machine: the folder
// above is first covered by a copy, and `copied` remembers that.
func cover(path string, copied map[string]bool) error {
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		return syscall.Mount("tmpfs", path, "tmpfs", plain, "mode=755")
	}
	if above := filepath.Dir(path); !copied[above] {
		copied[above] = true
		if err := coverByCopy(above); err != nil {
			return err
		}
	}
	return os.Mkdir(path, 0o755)
}

// coverByCopy covers a folder by one that holds the same, and to which more can be added.
func coverByCopy(folder string) error {
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	original, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer original.Close()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", plain, "mode=755"); err != nil {
		return err
	}
	for _, entry := range entries {
		old := fmt.Sprintf("/proc/self/fd/%d/%s", original.Fd(), entry.Name())
		if err := show(old, filepath.Join(folder, entry.Name()), entry); err != nil {
			return err
		}
	}
	return nil
}

func show(old, path string, entry os.DirEntry) error {
	switch {
	case entry.Type()&os.ModeSymlink != 0:
		target, err := os.Readlink(old)
		if err != nil {
			return err
		}
		return os.Symlink(target, path)
	case entry.IsDir():
		if err := os.Mkdir(path, 0o755); err != nil {
			return err
		}
	default:
		if err := os.WriteFile(path, nil, 0o600); err != nil {
			return err
		}
	}
	return syscall.Mount(old, path, "", syscall.MS_BIND|syscall.MS_REC, "")
}

// coverSettings lets only settings of the network be written, which are the room's own, and shows the
// kubelet what it wants.
func coverSettings() error {
	const settings = "/proc/sys"
	for _, step := range []struct {
		path  string
		flags uintptr
	}{
		{settings, syscall.MS_RDONLY},
		{filepath.Join(settings, "net"), 0},
	} {
		if err := bind(step.path, step.path); err != nil {
			return err
		}
		flags := syscall.MS_BIND | syscall.MS_REMOUNT | plain | syscall.MS_NOEXEC | step.flags
		if err := syscall.Mount("", step.path, "", flags, ""); err != nil {
			return fmt.Errorf("mounting %s anew: %w", step.path, err)
		}
	}
	for name, value := range wanted {
		file := filepath.Join("/run/settings", name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(value+"\n"), 0o444); err != nil {
			return err
		}
		if err := bind(file, filepath.Join(settings, name)); err != nil {
			return err
		}
	}
	return nil
}

func bind(old, path string) error {
	if err := syscall.Mount(old, path, "", syscall.MS_BIND, ""); err != nil {
		return fmt.Errorf("mounting %s over %s: %w", old, path, err)
	}
	return nil
}
