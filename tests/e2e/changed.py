"""Values of the chart of which every single one differs from its default, but for those that say why
not. A value that is new in the chart must be added here."""

from typing import NamedTuple

import yaml

from github import Record
from release import CHART
from workloads import CONTAINER, container

# What is left as it is, and why.
LEFT = {
    "global.imageRegistry": "it would replace the registry of the test by another one",
    "namespaceOverride": "the ledger would stay in the other namespace",
    "image.digest": "image.tag is given, and one of them is enough",
    "config.namespace": "another spelling of config.namespaces",
    "config.dnTemplate": "another spelling of config.nameTemplate",
    "config.dryRun": "GitHub would be told nothing",
    "config.workers": "taken and ignored",
    "config.bulkClusterSync": "taken and ignored",
    "lifecycle": "taken and ignored",
    "auth.apiToken": "another way of auth.existingSecret",
    "auth.apiTokenSecret": "another way of auth.existingSecret",
    "auth.githubApp": "another way to sign in",
    "auth.secretKeys.privateKey": "of a GitHub App",
    "auth.secretKeys.appId": "of a GitHub App",
    "auth.secretKeys.installationId": "of a GitHub App",
    "serviceAccount.create": "without it there is none",
    "automountServiceAccountToken": "without it nobody signs in to the API server",
    "rbac": "without it there are no rights; rbac.namespaced is a step of its own",
    "leaderElection": "two replicas need it",
    "caBundle.existingSecret": "another way of caBundle.existingConfigMap",
    "caBundle.key": "the key of what is there in every namespace",
    "proxy.existingSecret": "another way of proxy.httpsProxy",
    "service.enabled": "without it the test would not reach /api/status",
    "service.port": "without a name for ports it is what the test asks",
    "serviceMonitor": "needs the kinds of the Prometheus operator",
    "podMonitor": "needs the kinds of the Prometheus operator",
    "prometheusRule": "needs the kinds of the Prometheus operator",
    "dashboards.namespace": "there is no other namespace to put it into",
    "podDisruptionBudget.minAvailable": "excludes maxUnavailable",
    "sandbox": "test_first_try.py",
    "tests": "helm test is a step",
    "decommissionOnUninstall": "the next install has it",
    "decommissionJob": "of decommissionOnUninstall",
    "enabled": "of charts that contain this one",
}


class Changed(NamedTuple):
    """The values, what they name, and what they do to records."""

    values: dict
    objects: "list[dict]"
    full_name: str
    cluster: str

    def records(self, story) -> "dict[str, Record]":
        """What GitHub is to hold of the new cluster: of the same workloads, by the new names."""
        held = {}
        for name, record in story.expected.items():
            if record.status == "deployed" and name.startswith("shop-"):
                held[name.replace("-", ".")] = self.mirrored(story, record)
        itself = next(record for name, record in story.expected.items() if not name.startswith("shop-"))
        return held | {
            "shop.reindex.reindex": self.mirrored(story, story.runs("reindex")),
            f"deployment-recorder.{self.full_name}.recorder": itself,
            f"deployment-recorder.{self.full_name}.helper": self.mirrored(story, story.runs("helper")),
        }

    def ends(self, story, old: "dict[str, Record]") -> "dict[str, Record]":
        """What GitHub is to hold of the old cluster. What runs is one artifact with one name, also where
        an old record of it ends; what ended before is as it was."""
        deployed = {name: record for name, record in old.items() if record.status == "deployed"}
        ended = {
            name: self.mirrored(story, record)._replace(status="decommissioned")
            for name, record in deployed.items()
        }
        return old | ended

    def mirrored(self, story, record: Record) -> Record:
        """As config.imageMap names its image."""
        return record._replace(
            image=record.image.replace(f"{story.cluster.images}/acme", "registry.example.com/acme")
        )


def changed_values(story) -> Changed:
    images = story.cluster.images
    address = story.github_url.partition("://")[2]
    where = {"namespace": "deployment-recorder"}
    everywhere = {"ipBlock": {"cidr": "0.0.0.0/0"}}
    user = {"runAsUser": 10001, "runAsGroup": 10001}
    values = {
        "global": {"imagePullSecrets": ["nobody"]},
        "nameOverride": "renamed",
        "fullnameOverride": "renamed-recorder",
        "commonLabels": {"e2e/common": "label"},
        "image": {
            "registry": "",
            "repository": f"{images}/deployment-recorder/deployment-recorder",
            "tag": "e2e",
            "pullPolicy": "Always",
        },
        "imagePullSecrets": [{"name": "nobody-else"}],
        "config": {
            "org": "acme-two",
            "cluster": "e2e-two",
            "logicalEnvironment": "staging",
            "physicalEnvironment": "laboratory",
            "logicalEnvironmentLabel": "e2e/environment",
            "physicalEnvironmentLabel": "e2e/place",
            "organizationLabel": "e2e/organization",
            "organizationMap": ["nowhere.example.com/(.*)/.*=$1"],
            "namespaces": ["*"],
            "excludeNamespaces": "kube-*,github,team-*",
            "namespaceSelector": "kubernetes.io/metadata.name",
            "selector": "!e2e/never",
            "images": [f"{images}/*", "registry.example.com/*"],
            "excludeImages": ["docker.io/*"],
            "imageMap": {f"{images}/acme": "registry.example.com/acme"},
            # No image of the test has such a name.
            "repositoryMap": ["nowhere.example.com/(.*)=$1"],
            # No image of the test has a label.
            "readImageLabels": True,
            "usePullSecrets": True,
            "registryAllowHttp": [images],
            "kinds": [
                "cronjobs",
                "deployments",
                "daemonsets",
                "statefulsets",
                "replicasets",
                "replicationcontrollers",
                "others",
            ],
            "addKinds": ["jobs"],
            # Nothing of the story is reached from outside.
            "inferRisks": ["loadbalancer", "ingress", "gateway"],
            "nameTemplate": "{namespace}.{workload}.{container}",
            "storageRecords": True,
            "events": True,
            "storageExcludeRegistries": ["docker.io"],
            "interval": "45s",
            "idleAfter": "never",
            "massDecommissionHold": "1m",
            "baseUrl": story.github_url,
            "apiVersion": "2026-03-10",
            "timeout": "20s",
            "allowHttp": True,
            # The ledger goes by this name whatever the release is called.
            "ledgerName": "deployment-recorder",
            "metricsPort": 9090,
            "logLevel": "debug",
            "logFormat": "json",
        },
        "auth": {
            "existingSecret": "github-two",
            "secretKeys": {"token": "pat"},
            "organizations": {"nobody": {"existingSecret": "github-two", "key": "pat"}},
        },
        "serviceAccount": {
            "name": "renamed-account",
            "annotations": {"e2e/an": "annotation"},
            "labels": {"e2e/a": "label"},
            "automountServiceAccountToken": True,
        },
        "replicaCount": 2,
        "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
        "revisionHistoryLimit": 2,
        "deploymentAnnotations": {"e2e/an": "annotation"},
        "podAnnotations": {"e2e/an": "annotation"},
        "podLabels": {"e2e/a": "label"},
        "podSecurityContext": {
            "runAsNonRoot": True,
            **user,
            "fsGroup": 10001,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "securityContext": {**CONTAINER, **user, "readOnlyRootFilesystem": True},
        "resources": {"requests": {"cpu": "20m", "memory": "40Mi"}, "limits": {"memory": "96Mi"}},
        "livenessProbe": {"httpGet": {"path": "/livez", "port": "http"}, "periodSeconds": 5},
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 2},
        "startupProbe": {"httpGet": {"path": "/livez", "port": "http"}, "periodSeconds": 1},
        "terminationGracePeriodSeconds": 25,
        "nodeSelector": {"kubernetes.io/os": "linux"},
        "tolerations": [{"key": "e2e/none", "operator": "Exists"}],
        "affinity": {
            "podAntiAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [
                    {
                        "weight": 1,
                        "podAffinityTerm": {
                            "topologyKey": "kubernetes.io/hostname",
                            "labelSelector": {"matchLabels": {"e2e/a": "label"}},
                        },
                    }
                ]
            }
        },
        "topologySpreadConstraints": [
            {"maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "ScheduleAnyway"}
        ],
        "priorityClassName": "e2e",
        "runtimeClassName": "e2e",
        "schedulerName": "default-scheduler",
        "dnsPolicy": "None",
        "dnsConfig": {"nameservers": ["192.0.2.53"]},
        "hostAliases": [{"ip": "192.0.2.80", "hostnames": ["nowhere.example"]}],
        "extraEnv": [{"name": "E2E", "value": "extra"}],
        "extraEnvFrom": [{"configMapRef": {"name": "nothing", "optional": True}}],
        "extraArgs": ["--ledger-namespace=deployment-recorder"],
        "extraVolumes": [{"name": "extra", "emptyDir": {}}],
        "extraVolumeMounts": [{"name": "extra", "mountPath": "/extra"}],
        "initContainers": [container("prepare", f"{images}/acme/helper:1.0", args=["once"])],
        "extraContainers": [container("helper", f"{images}/acme/helper:1.0")],
        "extraObjects": [
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "extra-of-{{ .Release.Name }}"}}
        ],
        # Nothing is at these addresses: that the recorder works shows that it goes past them.
        "proxy": {
            "httpProxy": "http://192.0.2.1:3128",
            "httpsProxy": "http://192.0.2.1:3128",
            "noProxy": address,
        },
        "caBundle": {"existingConfigMap": "kube-root-ca.crt"},
        "service": {
            "type": "NodePort",
            "annotations": {"e2e/an": "annotation"},
            "labels": {"e2e/a": "label"},
            "prometheusScrape": True,
        },
        # Everywhere by addresses, which is what it would be without.
        "networkPolicy": {
            "enabled": True,
            "annotations": {"e2e/an": "annotation"},
            "from": [everywhere],
            "ingress": [{"from": [everywhere]}],
            "egress": [{"to": [everywhere]}],
            "dns": {"to": [everywhere], "ports": [53, 5353]},
            "apiServer": {"to": [everywhere], "ports": [443, 6443, 8443]},
            "github": {"to": [everywhere], "ports": [80, 8090]},
            "registries": {"to": [everywhere], "ports": [5000]},
            "proxy": {"to": [everywhere], "ports": [3128]},
        },
        "dashboards": {
            "enabled": True,
            "labels": {"e2e/dashboard": "1"},
            "annotations": {"e2e/an": "annotation"},
        },
        "podDisruptionBudget": {
            "enabled": True,
            "force": True,
            "annotations": {"e2e/an": "annotation"},
            "maxUnavailable": 2,
            "unhealthyPodEvictionPolicy": "IfHealthyBudget",
        },
    }
    same = unchanged(yaml.safe_load((CHART / "values.yaml").read_text()), values)
    assert same == [], "values that do not differ from their default, nor are listed in LEFT"
    objects = [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {**where, "name": "github-two"},
            "stringData": {"pat": "the-second-token"},
        },
        {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": {"name": "e2e"},
            "value": 1000,
        },
        {
            "apiVersion": "node.k8s.io/v1",
            "kind": "RuntimeClass",
            "metadata": {"name": "e2e"},
            "handler": "runc",
        },
    ]
    return Changed(values, objects, "renamed-recorder", "e2e-two")


def unchanged(defaults: dict, values: dict, path: str = "") -> "list[str]":
    """The paths of defaults that `values` leaves as they are, unless LEFT has a reason."""
    found = []
    for key, default in defaults.items():
        here = f"{path}{key}"
        if here in LEFT:
            continue
        if isinstance(default, dict) and default and isinstance(values.get(key), dict) and here not in WHOLE:
            found += unchanged(default, values[key], f"{here}.")
        elif key not in values or values[key] == default:
            found.append(here)
    return found


# Objects of Kubernetes that are given as a whole.
WHOLE = {
    "dashboards.labels",
    "podSecurityContext",
    "securityContext",
    "resources",
    "livenessProbe",
    "readinessProbe",
}
