"""The workloads of the tests: objects in the shape of the API, each allowed by Pod Security `restricted`."""

# Of a container that asks for nothing, and of its pod: it ends without a grace period that nobody needs.
CONTAINER = {
    "allowPrivilegeEscalation": False,
    "runAsNonRoot": True,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}
RESTRICTED_POD = {
    "terminationGracePeriodSeconds": 5,
    "automountServiceAccountToken": False,
    "enableServiceLinks": False,
}


def container(name: str, image: str, **more) -> dict:
    return {"name": name, "image": image, "securityContext": CONTAINER, **more}


def once(name: str, image: str) -> dict:
    """A container that ends well at once."""
    return container(name, image, args=["once"])


def sidecar(name: str, image: str) -> dict:
    """A native sidecar: an init container that goes on."""
    return container(name, image, restartPolicy="Always")


def pod(*containers: dict, init: "list[dict] | None" = None, restart: str = "Always", **metadata) -> dict:
    """A pod's template."""
    spec = {
        **RESTRICTED_POD,
        "containers": list(containers),
        "initContainers": init or [],
        "restartPolicy": restart,
    }
    return {"metadata": metadata, "spec": spec}


def labelled(name: str, template: dict) -> dict:
    labels = {"app": name}
    template = {**template, "metadata": {**template["metadata"], "labels": labels}}
    return {"selector": {"matchLabels": labels}, "template": template}


def deployment(namespace: str, name: str, template: dict, replicas: int = 1) -> dict:
    spec = {"replicas": replicas, **labelled(name, template)}
    return thing("apps/v1", "Deployment", namespace, name, spec)


def stateful_set(namespace: str, name: str, template: dict) -> dict:
    spec = {"serviceName": name, **labelled(name, template)}
    return thing("apps/v1", "StatefulSet", namespace, name, spec)


def daemon_set(namespace: str, name: str, template: dict) -> dict:
    return thing("apps/v1", "DaemonSet", namespace, name, labelled(name, template))


def job(namespace: str, name: str, template: dict) -> dict:
    return thing("batch/v1", "Job", namespace, name, {"template": template})


def cron_job(namespace: str, name: str, template: dict) -> dict:
    """One that never starts by itself while a test runs."""
    spec = {"schedule": "0 0 1 1 *", "jobTemplate": {"spec": {"template": template}}}
    return thing("batch/v1", "CronJob", namespace, name, spec)


def thing(api: str, kind: str, namespace: str, name: str, spec: dict) -> dict:
    return {"apiVersion": api, "kind": kind, "metadata": {"namespace": namespace, "name": name}, "spec": spec}
