"""The Pod Security Standards as Kubernetes publishes them, level by level:
https://kubernetes.io/docs/concepts/security/pod-security-standards/. Each check is a control there."""

CAPABILITIES = {
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE",
    "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
}  # fmt: skip
SYSCTLS = {
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes", "net.ipv4.tcp_rmem", "net.ipv4.tcp_wmem",
}  # fmt: skip
SELINUX = {"", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"}
VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected",
    "secret",
}  # fmt: skip


def _containers(spec: dict) -> list:
    kinds = ("initContainers", "containers", "ephemeralContainers")
    return [container for kind in kinds for container in spec.get(kind) or []]


def _contexts(spec: dict) -> "list[tuple[str, dict]]":
    """The settings of the pod and of each container, by what they are of."""
    own = [(it["name"], it.get("securityContext") or {}) for it in _containers(spec)]
    return [("the pod", spec.get("securityContext") or {}), *own]


def baseline(pod: dict) -> "list[str]":
    """What a pod has that the level "baseline" refuses."""
    spec, found = pod["spec"], []
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(name):
            found.append(name)
    for volume in spec.get("volumes") or []:
        if "hostPath" in volume:
            found.append(f"volume {volume['name']}: hostPath")
    annotations = pod.get("metadata", {}).get("annotations") or {}
    for name, value in annotations.items():
        if name.startswith("container.apparmor.security.beta.kubernetes.io/"):
            if value != "runtime/default" and not value.startswith("localhost/"):
                found.append(f"{name}: {value}")
    for sysctl in (spec.get("securityContext") or {}).get("sysctls") or []:
        if sysctl["name"] not in SYSCTLS:
            found.append(f"sysctl {sysctl['name']}")
    for name, context in _contexts(spec):
        if (context.get("windowsOptions") or {}).get("hostProcess"):
            found.append(f"{name}: hostProcess")
        if (context.get("seccompProfile") or {}).get("type") == "Unconfined":
            found.append(f"{name}: seccompProfile Unconfined")
        if (context.get("appArmorProfile") or {}).get("type") == "Unconfined":
            found.append(f"{name}: appArmorProfile Unconfined")
        selinux = context.get("seLinuxOptions") or {}
        if selinux.get("type", "") not in SELINUX or selinux.get("user") or selinux.get("role"):
            found.append(f"{name}: seLinuxOptions")
    for container in _containers(spec):
        name, context = container["name"], container.get("securityContext") or {}
        if context.get("privileged"):
            found.append(f"{name}: privileged")
        added = set((context.get("capabilities") or {}).get("add") or [])
        found.extend(f"{name}: capability {it}" for it in sorted(added - CAPABILITIES))
        if context.get("procMount", "Default") != "Default":
            found.append(f"{name}: procMount")
        if any(port.get("hostPort") for port in container.get("ports") or []):
            found.append(f"{name}: hostPort")
        for handler in _handlers(container):
            if handler.get("host"):
                found.append(f"{name}: host in a probe or hook")
    return found


def _handlers(container: dict) -> list:
    """What the kubelet calls for a container: its probes and hooks of its life."""
    probes = [container.get(f"{it}Probe") or {} for it in ("liveness", "readiness", "startup")]
    hooks = [it for it in (container.get("lifecycle") or {}).values() if isinstance(it, dict)]
    kinds = ("httpGet", "tcpSocket")
    return [handler[kind] for handler in probes + hooks for kind in kinds if kind in handler]


def restricted(pod: dict) -> "list[str]":
    """What a pod has or lacks that the level "restricted" refuses."""
    spec, found = pod["spec"], baseline(pod)
    for volume in spec.get("volumes") or []:
        if not VOLUMES & volume.keys():
            found.append(f"volume {volume['name']}: {sorted(volume.keys() - {'name'})}")
    whole = spec.get("securityContext") or {}
    for container in _containers(spec):
        name, context = container["name"], container.get("securityContext") or {}
        if context.get("allowPrivilegeEscalation") is not False:
            found.append(f"{name}: allowPrivilegeEscalation")
        if context.get("runAsNonRoot", whole.get("runAsNonRoot")) is not True:
            found.append(f"{name}: runAsNonRoot")
        profile = context.get("seccompProfile") or whole.get("seccompProfile") or {}
        if profile.get("type") not in ("RuntimeDefault", "Localhost"):
            found.append(f"{name}: seccompProfile")
        capabilities = context.get("capabilities") or {}
        if "ALL" not in (capabilities.get("drop") or []):
            found.append(f"{name}: capabilities.drop")
        if set(capabilities.get("add") or []) - {"NET_BIND_SERVICE"}:
            found.append(f"{name}: capabilities.add")
    for name, context in _contexts(spec):
        if context.get("runAsUser") == 0:
            found.append(f"{name}: runAsUser 0")
        if context.get("runAsNonRoot") is False:
            found.append(f"{name}: runAsNonRoot false")
    return found
