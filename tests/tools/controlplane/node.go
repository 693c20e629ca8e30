package main

// The components of a real node, and their files: a registry, containerd with a network for pods,
// the kubelet, kube-proxy. They run in the room of room.go and own nothing outside of the folder.

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	podRange         = "10.244.0.0/24"
	registryPort     = 5000
	containerdSocket = "/run/containerd/containerd.sock"
)

// nodeComponents in the order in which they start, after the control plane.
func (p *Plane) nodeComponents() []Component {
	kubeconfig := p.kubeconfig("kube-proxy")
	containerd := []string{"--config", p.nodeFile("containerd.toml"), "--address", containerdSocket}
	return []Component{
		{"docker-registry", []string{"serve", p.nodeFile("registry.yaml")}, p.nodeFiles, p.registryReady},
		{"containerd", containerd, nil, containerdReady},
		{"kubelet", []string{
			"--config", p.nodeFile("kubelet.yaml"), "--kubeconfig", p.kubeconfig("kubelet"),
			"--root-dir", p.nodeFile("kubelet"), "--cert-dir", p.pki(),
			"--hostname-override", nodeName(0), "--node-ip", p.nodeAddress(),
		}, p.nodeCertificate, p.nodesReady},
		{"kube-proxy", []string{
			"--kubeconfig", kubeconfig, "--hostname-override", nodeName(0), "--proxy-mode", "iptables",
			"--cluster-cidr", podRange,
			// These limits are the whole machine's and not to be set from here.
			"--conntrack-max-per-core", "0", "--conntrack-tcp-timeout-established", "0",
			"--conntrack-tcp-timeout-close-wait", "0",
		}, nil, nil},
	}
}

func (p *Plane) nodeFile(name string) string { return filepath.Join(p.Dir, "node", name) }

// registry is how pods and people name it: the same address, from either side.
func (p *Plane) registry() string { return fmt.Sprintf("%s:%d", p.nodeAddress(), registryPort) }

// sayRegistry writes the address of the registry into the file DIR/registry.
func (p *Plane) sayRegistry() error {
	return os.WriteFile(filepath.Join(p.Dir, "registry"), []byte(p.registry()+"\n"), 0o644)
}

// nodeFiles writes what the programs of the node read.
func (p *Plane) nodeFiles() error {
	plugins, err := networkPlugins()
	if err != nil {
		return err
	}
	files := map[string]string{
		"registry.yaml":                         fmt.Sprintf(registryConfig, p.nodeFile("registry"), registryPort),
		"containerd.toml":                       fmt.Sprintf(containerdConfig, p.nodeFile(""), plugins, p.registry()),
		"hosts/" + p.registry() + "/hosts.toml": fmt.Sprintf(hostsConfig, p.registry()),
		"network/10-pods.conflist":              fmt.Sprintf(networkConfig, podRange),
		"kubelet.yaml":                          fmt.Sprintf(kubeletConfig, p.pki(), p.roomName(), p.nodeFile("pods"), p.volumePlugins()),
	}
	for name, text := range files {
		path := p.nodeFile(name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

const registryConfig = `version: 0.1
log: {level: warn}
storage:
  filesystem: {rootdirectory: %s}
  delete: {enabled: true}
http: {addr: ":%d"}
`

// The snapshotter copies files: unlike overlays it works on whatever the folder is stored on.
// Without restrict_oom_score_adj no container starts where the machine does not let scores be lowered. With AppArmor a profile would be loaded into the machine's kernel, and stay.
const containerdConfig = `version = 2
root = "%[1]s/containerd"
state = "/run/containerd"
[plugins."io.containerd.internal.v1.opt"]
path = "%[1]s/opt"
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "%[3]s/pause:node"
restrict_oom_score_adj = true
disable_apparmor = true
[plugins."io.containerd.grpc.v1.cri".containerd]
snapshotter = "native"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = %[2]q
conf_dir = "%[1]s/network"
[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "%[1]s/hosts"
`

// The registry speaks plain HTTP.
const hostsConfig = `server = "http://%[1]s"
[host."http://%[1]s"]
capabilities = ["pull", "resolve"]
`

// Point to point: all traffic between pods is routed, so that services work without br_netfilter.
const networkConfig = `{
  "cniVersion": "0.4.0",
  "name": "pods",
  "plugins": [{
    "type": "ptp",
    "ipMasq": false,
    "ipam": {"type": "host-local", "ranges": [[{"subnet": %q}]], "routes": [{"dst": "0.0.0.0/0"}]}
  }]
}
`

// syncFrequency is how soon a changed Secret comes to a mounted file; its default is a minute.
const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication:
  anonymous: {enabled: false}
  webhook: {enabled: true}
  x509: {clientCAFile: %[1]s/ca.crt}
authorization: {mode: Webhook}
tlsCertFile: %[1]s/kubelet.crt
tlsPrivateKeyFile: %[1]s/kubelet.key
containerRuntimeEndpoint: unix://` + containerdSocket + `
cgroupDriver: cgroupfs
cgroupRoot: /%[2]s
failCgroupV1: false
failSwapOn: false
enforceNodeAllocatable: []
evictionHard: {memory.available: 50Mi, nodefs.available: 1%%, nodefs.inodesFree: 1%%, imagefs.available: 1%%}
imageGCHighThresholdPercent: 100
podLogsDir: %[3]s
protectKernelDefaults: true
resolvConf: ""
syncFrequency: 10s
volumePluginDir: %[4]s
`

// nodeCertificate is what the kubelet shows to the API server.
func (p *Plane) nodeCertificate() error {
	authority, err := loadAuthority(p.pki())
	if err != nil {
		return err
	}
	return authority.writeServer(p.pki(), "kubelet", []string{nodeName(0)}, p.nodeAddress())
}

// kubeletClient is whom the API server is to the kubelet when it asks for logs.
func (p *Plane) kubeletClient(authority *Authority) error {
	der, key, err := authority.sign(template("kube-apiserver-kubelet-client", []string{"system:masters"}))
	if err != nil {
		return err
	}
	return writePair(p.pki(), "kubelet-client", der, key)
}

// packages is the folder with what tests/tools/node-packages has unpacked; the script beside it tells.
func packages() string { return os.Getenv("CONTROL_PLANE_PACKAGES") }

// withPackages lets programs of the node be found: the machine's own, else those that were unpacked.
func withPackages() {
	folders, _ := filepath.Glob(filepath.Join(packages(), "*", "usr", "*bin"))
	path := append([]string{os.Getenv("PATH"), "/usr/sbin", "/sbin"}, folders...)
	_ = os.Setenv("PATH", strings.Join(path, ":"))
}

// networkPlugins finds the folder of the CNI plugins: Debian's, that of other distributions, or what was
// unpacked.
func networkPlugins() (string, error) {
	unpacked := filepath.Join(packages(), "containernetworking-plugins/usr/lib/cni")
	folders := []string{"/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni", unpacked}
	for _, folder := range folders {
		if _, err := os.Stat(filepath.Join(folder, "ptp")); err == nil {
			return folder, nil
		}
	}
	return "", fmt.Errorf("CNI plugins are in none of %s", strings.Join(folders, ", "))
}

// systemProgram gives the path of a program of the distribution.
func systemProgram(name string) (string, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%w: tests/tools/node-packages brings it", err)
	}
	return path, nil
}

func (p *Plane) registryReady() error {
	return answers(&http.Client{Timeout: time.Second}, "http://"+p.registry()+"/v2/")
}

func containerdReady() error {
	connection, err := net.DialTimeout("unix", containerdSocket, time.Second)
	if err == nil {
		_ = connection.Close()
	}
	return err
}
