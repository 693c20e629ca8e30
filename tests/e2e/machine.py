"""What programs of a node would change on the machine that it runs on, were they let."""

from pathlib import Path

# For the whole machine; a kubelet sets them (setupKernelTunables in k8s.io/kubernetes/pkg/kubelet/cm).
SETTINGS = (
    "vm/overcommit_memory",
    "vm/panic_on_oom",
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxkeys",
    "kernel/keys/root_maxbytes",
)
# Where kubelet, kube-controller-manager, containerd and CNI keep things that nobody tells them to keep elsewhere.
FOLDERS = (
    "/etc/cni",
    "/opt/containerd",
    "/run/containerd",
    "/usr/libexec/kubernetes",
    "/var/lib/cni",
    "/var/lib/containerd",
    "/var/lib/kubelet",
    "/var/log/containers",
    "/var/log/pods",
)


def state() -> "dict[str, object]":
    """The values of those settings, and which of those folders there are."""
    files = {name: Path("/proc/sys", name) for name in SETTINGS}
    told: "dict[str, object]" = {name: file.read_text() for name, file in files.items() if file.exists()}
    return {**told, "folders": [folder for folder in FOLDERS if Path(folder).exists()]}
