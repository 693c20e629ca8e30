package main

// What each component is: its program, its arguments, and how it is known to be ready.

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

const (
	serviceRange   = "10.96.0.0/16"
	serviceAddress = "10.96.0.1"
	// Requests a second that our own components may make: clusters of tests are small and in a hurry.
	componentRate = "1000"
)

// Component is one process of the control plane.
type Component struct {
	Name   string
	Args   []string
	Before func() error // nil: nothing has to be prepared
	Ready  func() error // nil: it has no sign of its own
}

// components in the order in which they start.
func (p *Plane) components() []Component {
	list := []Component{
		{"etcd", p.etcd(), nil, p.etcdReady},
		{"kube-apiserver", p.apiserver(), nil, p.apiserverReady},
	}
	if p.State.Settings.Controllers {
		list = append(list, Component{"kube-controller-manager", p.controllerManager(), nil, nil})
	}
	if p.State.Settings.Scheduler {
		list = append(list, Component{"kube-scheduler", p.scheduler(), nil, nil})
	}
	if p.State.Settings.Kwok {
		list = append(list, Component{"kwok", p.kwok(), p.makeNodes, p.nodesReady})
	}
	if p.State.Settings.Node {
		list = append(list, p.nodeComponents()...)
	}
	return list
}

func (p *Plane) names() []string {
	var names []string
	for _, component := range p.components() {
		names = append(names, component.Name)
	}
	return names
}

func (p *Plane) etcd() []string {
	client := fmt.Sprintf("http://127.0.0.1:%d", p.State.EtcdPort)
	peer := fmt.Sprintf("http://127.0.0.1:%d", p.State.PeerPort)
	return []string{
		"--data-dir", filepath.Join(p.Dir, "etcd"),
		"--unsafe-no-fsync", // nothing here has to survive a power cut
		"--listen-client-urls", client, "--advertise-client-urls", client,
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer,
		"--initial-cluster", "default=" + peer,
		"--quota-backend-bytes", "8589934592",
		"--log-level", "warn",
	}
}

func (p *Plane) apiserver() []string {
	pki := p.pki()
	args := []string{
		"--etcd-servers", fmt.Sprintf("http://127.0.0.1:%d", p.State.EtcdPort),
		"--secure-port", fmt.Sprint(p.State.ApiserverPort),
		"--tls-cert-file", filepath.Join(pki, "apiserver.crt"),
		"--tls-private-key-file", filepath.Join(pki, "apiserver.key"),
		"--cert-dir", pki,
		"--client-ca-file", filepath.Join(pki, "ca.crt"),
		"--authorization-mode", "Node,RBAC",
		"--service-account-issuer", "https://kubernetes.default.svc",
		"--service-account-key-file", filepath.Join(pki, "service-accounts.pub"),
		"--service-account-signing-key-file", filepath.Join(pki, "service-accounts.key"),
		"--service-cluster-ip-range", serviceRange,
		"--allow-privileged=true",
		// Else a stop waits a minute for clients to end their watches.
		"--shutdown-send-retry-after=true",
		"--audit-policy-file", p.auditPolicy(),
		"--audit-log-path", filepath.Join(p.Dir, "audit.log"),
		"--audit-log-maxsize", "2000",
	}
	if p.State.Settings.Node {
		args = append(args,
			"--bind-address", p.nodeAddress(), "--advertise-address", p.nodeAddress(),
			"--kubelet-preferred-address-types", "InternalIP",
			"--kubelet-certificate-authority", filepath.Join(pki, "ca.crt"),
			"--kubelet-client-certificate", filepath.Join(pki, "kubelet-client.crt"),
			"--kubelet-client-key", filepath.Join(pki, "kubelet-client.key"),
		)
	} else {
		args = append(args,
			"--bind-address", "127.0.0.1",
			// Nothing runs at this address; without it the server looks for a default route.
			"--advertise-address", "192.0.2.1", "--endpoint-reconciler-type", "none",
		)
	}
	if !p.State.Settings.Controllers {
		// Nobody would make the service accounts that pods need, nor take away the taint of new nodes.
		args = append(args, "--disable-admission-plugins", "ServiceAccount,TaintNodesByCondition")
	}
	return append(args, p.State.Settings.ApiserverArgs...)
}

func (p *Plane) controllerManager() []string {
	config := p.kubeconfig("kube-controller-manager")
	return []string{
		"--kubeconfig", config, "--authentication-kubeconfig", config, "--authorization-kubeconfig", config,
		"--use-service-account-credentials",
		"--root-ca-file", filepath.Join(p.pki(), "ca.crt"),
		"--service-account-private-key-file", filepath.Join(p.pki(), "service-accounts.key"),
		"--leader-elect=false", "--secure-port", "0",
		"--flex-volume-plugin-dir", p.volumePlugins(), // else it makes one below /usr
		"--kube-api-qps", componentRate, "--kube-api-burst", componentRate,
		"--concurrent-deployment-syncs", "20", "--concurrent-replicaset-syncs", "20",
	}
}

func (p *Plane) volumePlugins() string { return filepath.Join(p.Dir, "volume-plugins") }

func (p *Plane) scheduler() []string {
	config := p.kubeconfig("kube-scheduler")
	return []string{
		"--kubeconfig", config, "--authentication-kubeconfig", config, "--authorization-kubeconfig", config,
		"--leader-elect=false", "--secure-port", "0",
		"--kube-api-qps", componentRate, "--kube-api-burst", componentRate,
	}
}

func (p *Plane) kwok() []string {
	return []string{
		"--kubeconfig", p.kubeconfig("admin"),
		"--config", filepath.Join(toolsDir(), "kwok", "stages.yaml"),
		"--manage-all-nodes=true",
		// Without leases the controllers find the nodes unreachable after 40 seconds.
		"--node-lease-duration-seconds", "40",
		"--cidr", "10.0.0.1/8", "--node-ip", "192.0.2.2",
		"--server-address", "",
	}
}

// auditPolicy writes the policy: who asked for what, no bodies, one line for each request.
func (p *Plane) auditPolicy() string {
	path := filepath.Join(p.Dir, "audit-policy.yaml")
	policy := "apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules:\n- level: Metadata\n"
	_ = os.WriteFile(path, []byte(policy), 0o644) // the server says it when it cannot read it
	return path
}

// toolsDir is tests/tools, where `build` and the Stages are; the script beside it tells.
func toolsDir() string {
	return os.Getenv("CONTROL_PLANE_TOOLS")
}

// program gives the path of a program that `make tools` built or the developer brought.
func program(name string) (string, error) {
	if name == "containerd" || name == "docker-registry" {
		return systemProgram(name)
	}
	if toolsDir() == "" {
		return "", errors.New("start this by tests/tools/control-plane")
	}
	out, err := exec.Command(filepath.Join(toolsDir(), "build"), "--where", name).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return "", errors.New(strings.TrimSpace(string(exit.Stderr)))
	}
	return strings.TrimSpace(string(out)), err
}

func kubectl(p *Plane, args []string) error {
	path, err := program("kubectl")
	if err != nil {
		return err
	}
	env := append(os.Environ(), "KUBECACHEDIR="+filepath.Join(p.Dir, "kubectl-cache"))
	return syscall.Exec(path, append([]string{path, "--kubeconfig", p.kubeconfig("admin")}, args...), env)
}
