//! What container runtimes report of what people write, the whole way from a pod as the API server
//! gives it to the record: name, version and digest, or why there is none. Each row says where it was
//! seen.

use serde_json::{Value, json};

use super::super::Converter;
use super::slim;
use crate::cluster::Scope;
use crate::model::facts::{Coverage, Facts, View};
use crate::model::inventory::Inventory;
use crate::model::ledger::Ledger;
use crate::model::moment::Moment;
use crate::model::plan::Plan;
use crate::model::selection::{KindGroup, Selection};

/// What it is, where it was seen, the image in the spec, the imageID in the status, and what comes of
/// it: `name version digest`, with `-` for no version, or `gap reason`.
type Row = (
    &'static str,
    &'static str,
    &'static str,
    &'static str,
    &'static str,
);

/// What containerd reports: the digest that was pulled, of an index where there is one.
const CONTAINERD: &[Row] = &[
    (
        "MicroK8s, an index of several platforms",
        "https://github.com/kubernetes/kubernetes/issues/115199",
        "registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.14.0",
        "registry.k8s.io/kube-state-metrics/kube-state-metrics@sha256:37d841299325c23b56e5951176ce8ef317d537447c0f1b2d2437dddbb1f51165",
        "registry.k8s.io/kube-state-metrics/kube-state-metrics v2.14.0 sha256:37d841299325c23b56e5951176ce8ef317d537447c0f1b2d2437dddbb1f51165",
    ),
    (
        "a tag at quay.io",
        "https://github.com/mondoohq/mql/pull/6104",
        "quay.io/jetstack/cert-manager-controller:v1.10.1",
        "quay.io/jetstack/cert-manager-controller@sha256:1143471c90db621faee43ed53f250d0fcec9c86303ca83661c787d59486d2ff4",
        "quay.io/jetstack/cert-manager-controller v1.10.1 sha256:1143471c90db621faee43ed53f250d0fcec9c86303ca83661c787d59486d2ff4",
    ),
    (
        "a manifest of schema 2",
        "https://github.com/containerd/containerd/issues/8408",
        "hub.example.io/app/test:2",
        "hub.example.io/app/test@sha256:2f19ecd88a680fd83a29fcd1ca39f3d2a346ccb9141d3ddf79ccdae911114a9e",
        "hub.example.io/app/test 2 sha256:2f19ecd88a680fd83a29fcd1ca39f3d2a346ccb9141d3ddf79ccdae911114a9e",
    ),
    (
        "a manifest of schema 1: the configuration",
        "https://github.com/containerd/containerd/issues/8408",
        "hub.example.io/app/test:1",
        "sha256:de6028dbf1d456738060f19ca922a3667b75ee9c8291da6270151bd67be1d44b",
        "gap no-digest",
    ),
    (
        "an image that was imported without digests",
        "https://github.com/containerd/containerd/issues/6309",
        "ubuntu:21.10",
        "{A}",
        "gap no-digest",
    ),
    (
        "several references of one image: another one's",
        "https://github.com/containerd/containerd/pull/12787",
        "ghcr.io/acme/web:1",
        "docker.io/acme/web@{B}",
        "ghcr.io/acme/web 1 {B}",
    ),
    (
        "pinned, the tag only in status.image",
        "https://github.com/apecloud/kubeblocks/pull/10199",
        "registry.example.com/apecloud/mssql@sha256:535944003891abfb8e7eb1108e61c63c61936478624f89a5e76a87e9709cbfcd",
        "registry.example.com/apecloud/mssql@sha256:535944003891abfb8e7eb1108e61c63c61936478624f89a5e76a87e9709cbfcd",
        "registry.example.com/apecloud/mssql - sha256:535944003891abfb8e7eb1108e61c63c61936478624f89a5e76a87e9709cbfcd",
    ),
    (
        "a tag and a digest",
        "https://github.com/containerd/cri/issues/1343",
        "kindest/kindnetd:0.5.3@sha256:bc1833b3da442bb639008dd5a62861a0419d3f64b58fce6fb38b749105232555",
        "docker.io/kindest/kindnetd@sha256:bc1833b3da442bb639008dd5a62861a0419d3f64b58fce6fb38b749105232555",
        "docker.io/kindest/kindnetd 0.5.3 sha256:bc1833b3da442bb639008dd5a62861a0419d3f64b58fce6fb38b749105232555",
    ),
    (
        "pinned, and its reference was removed since",
        "https://github.com/containerd/containerd/blob/main/internal/cri/server/container_status.go",
        "ghcr.io/acme/web@{B}",
        "{A}",
        "ghcr.io/acme/web - {B}",
    ),
    (
        "pinned to the index, the platform's manifest in the status",
        "https://github.com/containerd/containerd/blob/main/internal/cri/store/image/image.go",
        "ghcr.io/acme/web@{A}",
        "ghcr.io/acme/web@{B}",
        "ghcr.io/acme/web - {A}",
    ),
    (
        "k3s with a mirror: stored under its own name",
        "https://github.com/rancher/docs/pull/4045",
        "rancher/coredns-coredns:1.6.3",
        "docker.io/rancher/coredns-coredns@{A}",
        "docker.io/rancher/coredns-coredns 1.6.3 {A}",
    ),
    (
        "EKS",
        "https://github.com/aquasecurity/trivy/issues/2540",
        "602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/kube-proxy:v1.22.6-minimal-eksbuild.1",
        "602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/kube-proxy@{A}",
        "602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/kube-proxy v1.22.6-minimal-eksbuild.1 {A}",
    ),
    (
        "Windows, an index of several builds",
        "https://github.com/docker-library/official-images/pull/13874",
        "mcr.microsoft.com/windows/servercore:ltsc2019",
        "mcr.microsoft.com/windows/servercore@sha256:192adcdbbcebf7000d95a0ca34422709127e20b0334e6968381a198c816c9f9f",
        "mcr.microsoft.com/windows/servercore ltsc2019 sha256:192adcdbbcebf7000d95a0ca34422709127e20b0334e6968381a198c816c9f9f",
    ),
    (
        "Windows, a tag that names the build",
        "https://github.com/microsoft/containerregistry/issues/78",
        "mcr.microsoft.com/k8s/core/oss/kubernetes/pause:1.4.1-windows-1809-amd64",
        "mcr.microsoft.com/k8s/core/oss/kubernetes/pause@{B}",
        "mcr.microsoft.com/k8s/core/oss/kubernetes/pause 1.4.1-windows-1809-amd64 {B}",
    ),
    (
        "running, and no image ID at all",
        "https://github.com/podman-desktop/podman-desktop/issues/7521",
        "docker.io/cdrage/helloworldasdf",
        "",
        "gap no-digest",
    ),
];

/// What CRI-O reports: one of several digests, or the bare ID of its own storage.
const CRI_O: &[Row] = &[
    (
        "a repository and its digest",
        "https://github.com/cri-o/cri-o/pull/6924",
        "quay.io/acme/web:1",
        "quay.io/acme/web@{A}",
        "quay.io/acme/web 1 {A}",
    ),
    (
        "the digest of the list",
        "https://github.com/podman-container-tools/podman/issues/24858",
        "docker.io/library/nginx:1.23-alpine",
        "docker.io/library/nginx@sha256:01ccf4035840dd6c25042b2b5f6b09dd265b4ed5aa7b93ccc4714027c0ce5685",
        "docker.io/library/nginx 1.23-alpine sha256:01ccf4035840dd6c25042b2b5f6b09dd265b4ed5aa7b93ccc4714027c0ce5685",
    ),
    (
        "the digest of the platform's manifest",
        "https://github.com/podman-container-tools/podman/issues/24858",
        "docker.io/library/nginx:1.23-alpine",
        "docker.io/library/nginx@sha256:02ffd439b71d9ea9408e449b568f65c0bbbb94bebd8750f1d80231ab6496008e",
        "docker.io/library/nginx 1.23-alpine sha256:02ffd439b71d9ea9408e449b568f65c0bbbb94bebd8750f1d80231ab6496008e",
    ),
    (
        "two names of one image: the other's digest",
        "https://github.com/cri-o/cri-o/pull/9683",
        "quay.io/acme/web:1",
        "quay.io/acme/copy@{B}",
        "quay.io/acme/web 1 {B}",
    ),
    (
        "1.28.0 to 1.28.3 and 1.29.0: a bare ID",
        "https://github.com/cri-o/cri-o/pull/7149",
        "quay.io/acme/web:1",
        "{a}",
        "gap no-digest",
    ),
    (
        "OpenShift 4.15 as it first came",
        "https://github.com/openshift/origin/issues/28535",
        "image-registry.openshift-image-registry.svc:5000/shop/web:1",
        "{b}",
        "gap no-digest",
    ),
    (
        "OpenShift 4.15, pinned",
        "https://github.com/quay/container-security-operator/pull/122",
        "quay.io/openshift-release-dev/ocp-v4.0-art-dev@{A}",
        "{b}",
        "quay.io/openshift-release-dev/ocp-v4.0-art-dev - {A}",
    ),
    (
        "after a restart of CRI-O, never seen before",
        "https://github.com/cri-o/cri-o/pull/9925",
        "quay.io/acme/web:1",
        "{b}",
        "gap no-digest",
    ),
];

/// What cri-dockerd reports, as dockershim did before it.
const DOCKER: &[Row] = &[
    (
        "pulled",
        "https://github.com/kubernetes/kubernetes/issues/95968",
        "marketplace.gcr.io/google/nginx1:latest",
        "docker-pullable://marketplace.gcr.io/google/nginx1@{A}",
        "marketplace.gcr.io/google/nginx1 latest {A}",
    ),
    (
        "pulled from Docker Hub",
        "https://github.com/kubernetes/kubernetes/pull/33014",
        "nginx:1.27",
        "docker-pullable://nginx@{A}",
        "docker.io/library/nginx 1.27 {A}",
    ),
    (
        "a registry in upper case, with a port",
        "https://github.com/aquasecurity/trivy/issues/5791",
        "OUR-PRIVATE-DOCKER-REPO.ap-southeast-2.compute.internal:12376/cilium/cilium:v1",
        "docker-pullable://OUR-PRIVATE-DOCKER-REPO.ap-southeast-2.compute.internal:12376/cilium/cilium@{A}",
        "OUR-PRIVATE-DOCKER-REPO.ap-southeast-2.compute.internal:12376/cilium/cilium v1 {A}",
    ),
    (
        "pulled under another name before",
        "https://github.com/kubernetes/kubernetes/issues/40062",
        "docker.io/ocpqe/hello-pod:latest",
        "docker-pullable://docker.io/deshuai/hello-pod@sha256:90b815d55c95fffafd7b68a997787d0b939cdae1bca785c6f52b5d3ffa70714f",
        "docker.io/ocpqe/hello-pod latest sha256:90b815d55c95fffafd7b68a997787d0b939cdae1bca785c6f52b5d3ffa70714f",
    ),
    (
        "built on the node",
        "https://github.com/Mirantis/cri-dockerd/blob/master/core/convert.go",
        "web:dev",
        "docker://{A}",
        "gap no-digest",
    ),
    (
        "built on the node, pinned all the same",
        "https://github.com/Mirantis/cri-dockerd/blob/master/core/convert.go",
        "web@{B}",
        "docker://{A}",
        "docker.io/library/web - {B}",
    ),
    (
        "Docker 1.10: the bare ID",
        "https://github.com/kubernetes/kubernetes/issues/31621",
        "nginx",
        "docker://{a}",
        "gap no-digest",
    ),
    (
        "a digest without a repository",
        "https://github.com/kubernetes/kubernetes/issues/14047",
        "nginx",
        "docker-pullable://{A}",
        "gap no-digest",
    ),
];

/// What was loaded into a node from an archive: no registry knows its digest.
const LOADED: &[Row] = &[
    (
        "kind, older",
        "https://github.com/kubernetes-sigs/kind/issues/2394",
        "web:dev",
        "{A}",
        "gap no-digest",
    ),
    (
        "kind, newer",
        "https://github.com/kubernetes-sigs/kind/issues/4028",
        "nginx-plus-ingress:jjplus",
        "docker.io/library/import-2023-03-27@sha256:85120b9f157bd6bb8e4469fa4aee3bbeac62c0a494d2707b47daab66b6b0b199",
        "gap no-digest",
    ),
    (
        "kind, newer, a name of Docker Hub",
        "https://github.com/kubernetes-sigs/kind/issues/2734",
        "networkop/init-wait:latest",
        "docker.io/library/import-2023-03-22@sha256:b042a644d6eeaaf21576db428a7aa86927df4cf09645d63ab2bcc0ea4e9b873a",
        "gap no-digest",
    ),
    (
        "kind with podman",
        "https://github.com/kubernetes-sigs/kind/issues/4184",
        "localhost/test:latest",
        "docker.io/library/import-2026-01-31@{B}",
        "gap no-digest",
    ),
    (
        "kind with podman, older",
        "https://github.com/kubernetes-sigs/kind/issues/2729",
        "localhost/test:latest",
        "{B}",
        "gap no-digest",
    ),
    (
        "kind, loaded, pinned",
        "https://github.com/kubernetes-sigs/kind/issues/4028",
        "ghcr.io/acme/web@{B}",
        "docker.io/library/import-2026-01-31@{A}",
        "ghcr.io/acme/web - {B}",
    ),
    (
        "kind with a registry beside it",
        "https://kind.sigs.k8s.io/docs/user/local-registry/",
        "localhost:5001/hello-app:1.0",
        "localhost:5001/hello-app@{A}",
        "localhost:5001/hello-app 1.0 {A}",
    ),
    (
        "a repository that is only called so",
        "https://github.com/kubernetes-sigs/kind/issues/4028",
        "acme/import-tool:1",
        "docker.io/acme/import-tool@{A}",
        "docker.io/acme/import-tool 1 {A}",
    ),
];

/// Images as people write them.
const SPECS: &[Row] = &[
    (
        "no registry, no tag",
        "https://pkg.go.dev/github.com/distribution/reference",
        "nginx",
        "docker.io/library/nginx@{A}",
        "docker.io/library/nginx - {A}",
    ),
    (
        "a user of Docker Hub",
        "https://pkg.go.dev/github.com/distribution/reference",
        "bitnami/redis:7.2.4-debian-12-r9",
        "docker.io/bitnami/redis@{A}",
        "docker.io/bitnami/redis 7.2.4-debian-12-r9 {A}",
    ),
    (
        "Docker Hub by its older name",
        "https://github.com/aquasecurity/starboard/issues/925",
        "index.docker.io/myorg/abc-img:4837",
        "docker.io/myorg/abc-img@{A}",
        "docker.io/myorg/abc-img 4837 {A}",
    ),
    (
        "Docker Hub's official images at AWS",
        "https://docs.aws.amazon.com/AmazonECR/latest/public/public-registries.html",
        "public.ecr.aws/docker/library/nginx:1.27",
        "public.ecr.aws/docker/library/nginx@{A}",
        "public.ecr.aws/docker/library/nginx 1.27 {A}",
    ),
    (
        "Google's older registry",
        "https://github.com/GoogleCloudPlatform/cloud-builders/issues/739",
        "eu.gcr.io/personal-134286/portfolio:6ccad35",
        "eu.gcr.io/personal-134286/portfolio@{A}",
        "eu.gcr.io/personal-134286/portfolio 6ccad35 {A}",
    ),
    (
        "Google's Artifact Registry, pinned",
        "https://github.com/keel-hq/keel/issues/759",
        "europe-west9-docker.pkg.dev/k8s-artifacts-prod/images/ingress-nginx/controller@sha256:42b3f0e5d0846876b1791cd3afeb5f1cbbe4259d6f35651dcc1b5c980925379c",
        "registry.k8s.io/ingress-nginx/controller@sha256:42b3f0e5d0846876b1791cd3afeb5f1cbbe4259d6f35651dcc1b5c980925379c",
        "europe-west9-docker.pkg.dev/k8s-artifacts-prod/images/ingress-nginx/controller - sha256:42b3f0e5d0846876b1791cd3afeb5f1cbbe4259d6f35651dcc1b5c980925379c",
    ),
    (
        "Azure",
        "https://learn.microsoft.com/azure/container-registry/container-registry-concepts",
        "acme.azurecr.io/samples/web:latest",
        "acme.azurecr.io/samples/web@{A}",
        "acme.azurecr.io/samples/web latest {A}",
    ),
    (
        "GitHub",
        "https://docs.github.com/packages/working-with-a-github-packages-registry/working-with-the-container-registry",
        "ghcr.io/acme/shop/web:sha-1a2b3c4",
        "ghcr.io/acme/shop/web@{A}",
        "ghcr.io/acme/shop/web sha-1a2b3c4 {A}",
    ),
    (
        "a registry by its IPv4 address",
        "https://microk8s.io/docs/registry-private",
        "10.141.241.175:32000/mynginx:registry",
        "10.141.241.175:32000/mynginx@{A}",
        "10.141.241.175:32000/mynginx registry {A}",
    ),
    (
        "a registry by its IPv6 address",
        "https://github.com/kubernetes/kubernetes/issues/104491",
        "[fc00:f853:ccd:e793::3]:5000/hello-app:1.0",
        "[fc00:f853:ccd:e793::3]:5000/hello-app@{A}",
        "[fc00:f853:ccd:e793::3]:5000/hello-app 1.0 {A}",
    ),
    (
        "the same with a space before it",
        "https://github.com/kubernetes/kubernetes/issues/104491",
        " [fc00:f853:ccd:e793::3]:5000/hello-app:1.0",
        "[fc00:f853:ccd:e793::3]:5000/hello-app@{A}",
        "gap invalid-image",
    ),
    (
        "a line break behind it",
        "https://github.com/kubernetes/kubernetes/blob/master/pkg/apis/core/validation/validation.go",
        "nginx:1.27\n",
        "docker.io/library/nginx@{A}",
        "gap invalid-image",
    ),
    (
        "a repository in upper case",
        "https://github.com/SwissDataScienceCenter/renku/issues/281",
        "registry.internal.renku.ch/GaRaLi/renku-challenge:e75f5d6",
        "",
        "gap invalid-image",
    ),
    (
        "an owner in upper case",
        "https://github.com/mxpv/podsync/pull/542",
        "ghcr.io/Th0masL/podsync:latest",
        "",
        "gap invalid-image",
    ),
    (
        "a variable that nobody filled in",
        "https://github.com/instrumenta/kubeval/issues/256",
        "${PHP_FPM_IMAGE}",
        "",
        "gap invalid-image",
    ),
    (
        "a pasted scheme",
        "https://github.com/ContainerSolutions/runbooks/pull/111",
        "docker://ghcr.io/acme/web:1",
        "ghcr.io/acme/web@{A}",
        "gap invalid-image",
    ),
    (
        "an image ID in place of a name",
        "https://github.com/containerd/containerd/issues/4474",
        "{A}",
        "docker.io/acme/web@{B}",
        "gap invalid-image",
    ),
    (
        "a digest of another algorithm",
        "https://github.com/jonjohnsonjr/dagdotdev/pull/135",
        "tianon/test@sha512:d2f582b7fd4ef11278ca2d149110e70e333df64d1fdbffe29deff579e25d6c2b995362afd4ebed12ff22a510e6ef99726d2d6ac8af629068d41d00520db4ed67",
        "docker.io/tianon/test@sha512:d2f582b7fd4ef11278ca2d149110e70e333df64d1fdbffe29deff579e25d6c2b995362afd4ebed12ff22a510e6ef99726d2d6ac8af629068d41d00520db4ed67",
        "gap no-digest",
    ),
    (
        "the longest version that GitHub takes",
        "https://pkg.go.dev/github.com/distribution/reference",
        "ghcr.io/acme/web:{100}",
        "ghcr.io/acme/web@{A}",
        "ghcr.io/acme/web {100} {A}",
    ),
    (
        "the longest tag",
        "https://pkg.go.dev/github.com/distribution/reference",
        "ghcr.io/acme/web:{128}",
        "ghcr.io/acme/web@{A}",
        "ghcr.io/acme/web - {A}",
    ),
    (
        "a name that is longer than GitHub takes",
        "https://pkg.go.dev/github.com/distribution/reference",
        "ghcr.io/acme/{128}{128}:1",
        "ghcr.io/acme/web@{A}",
        "gap name-too-long",
    ),
];

/// Where a container stands in a pod.
#[derive(Clone, Copy)]
enum Place {
    Ordinary,
    Sidecar,
    Init,
}

/// A digest or a tag in full: `{A}` and `{B}` are digests, `{a}` and `{b}` their digits, `{100}` and
/// `{128}` texts of that length.
fn filled(text: &str) -> String {
    let (a, b) = ("a".repeat(64), "b1".repeat(32));
    text.replace("{A}", &format!("sha256:{a}"))
        .replace("{B}", &format!("sha256:{b}"))
        .replace("{a}", &a)
        .replace("{b}", &b)
        .replace("{100}", &"v".repeat(100))
        .replace("{128}", &"v".repeat(128))
}

fn status(image_id: &str, state: &Value) -> Value {
    json!({
        "name": "it", "containerID": "cri://1", "image": "whatever", "imageID": image_id,
        "state": state, "lastState": {}, "restartCount": 0, "ready": true
    })
}

/// A pod that nobody controls, with that container; one that is no ordinary one has another beside it.
fn pod(place: Place, image: &str, status: &Value) -> Value {
    let mut container = json!({"name": "it", "image": image});
    let beside = json!([{"name": "beside", "image": "not an image"}]);
    let (ordinary, init, statuses) = match place {
        Place::Ordinary => (json!([container]), json!([]), "containerStatuses"),
        Place::Sidecar => {
            container["restartPolicy"] = "Always".into();
            (beside, json!([container]), "initContainerStatuses")
        }
        Place::Init => (beside, json!([container]), "initContainerStatuses"),
    };
    json!({
        "metadata": {"name": "web", "namespace": "shop", "uid": "u"},
        "spec": {"restartPolicy": "Always", "containers": ordinary, "initContainers": init},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}],
            (statuses): [status]
        }
    })
}

/// What a recorder that also records bare pods makes of container `it` in the last of `pods`, which
/// are one pod at several times.
fn recorded(pods: &[Value]) -> String {
    let kinds = vec![KindGroup::Pods];
    let selection = Selection {
        kinds,
        ..Selection::default()
    };
    let policy = crate::model::fixtures::policy();
    let policy = crate::model::policy::Policy {
        selection,
        ..policy
    };
    let converter = Converter::new(Scope::default());
    let mut kept = None;
    for pod in pods {
        kept = converter.pod(&slim(pod), kept.as_ref());
    }
    let facts = Facts {
        pods: vec![kept.expect("a pod").pod],
        namespaces: vec![crate::model::fixtures::namespace("shop").into()],
        coverage: Coverage {
            pods: View::Everything,
            namespaces: View::Everything,
            ..Coverage::default()
        },
        ..Facts::default()
    };
    let inventory = Inventory::new(&facts, &policy);
    let plan = Plan::new(&Ledger::default(), &inventory, &policy, Moment::START);
    let is_it = |name: &str| name == "shop-web-it";
    let mut said: Vec<String> = Vec::new();
    for step in plan
        .reports
        .iter()
        .filter(|step| is_it(&step.line.identity.name))
    {
        let body = &step.line.body;
        let version = body.version.as_deref().unwrap_or("-");
        said.push(format!("{} {version} {}", body.name, body.digest));
    }
    let of_it = plan.gaps.iter();
    let of_it = of_it.filter(|gap| gap.subject.to_string().ends_with("container it"));
    said.extend(of_it.map(|gap| format!("gap {}", gap.reason)));
    said.join("; ")
}

fn rows() -> impl Iterator<Item = &'static Row> {
    [CONTAINERD, CRI_O, DOCKER, LOADED, SPECS]
        .into_iter()
        .flatten()
}

#[test]
fn what_runtimes_report_becomes_a_record_with_a_digest_that_a_registry_knows_or_a_gap() {
    let mut seen = std::collections::BTreeSet::new();
    for (what, source, image, image_id, expected) in rows() {
        let status = status(&filled(image_id), &json!({"running": {}}));
        let image = filled(image);
        for place in [Place::Ordinary, Place::Sidecar] {
            let read = recorded(&[pod(place, &image, &status)]);
            assert_eq!(read, filled(expected), "{what}: {source}");
        }
        assert_eq!(recorded(&[pod(Place::Init, &image, &status)]), "", "{what}");
        assert!(source.starts_with("https://"), "{what}");
        assert!(seen.insert(*what), "{what} is there twice");
    }
    assert!(seen.len() >= 40, "{}", seen.len());
}

/// <https://github.com/aquasecurity/trivy-operator/issues/1978>: an image that is not there and must
/// not be pulled.
#[test]
fn what_waits_for_its_image_is_neither_a_record_nor_a_gap() {
    let waiting = json!({"waiting": {"reason": "ErrImageNeverPull"}});
    let image = "k8s.io/kubernetes:1.25.16-eks-508b6b3";
    let read = recorded(&[pod(Place::Ordinary, image, &status("", &waiting))]);
    assert_eq!(read, "");
}

/// <https://github.com/cri-o/cri-o/pull/9925>: the digest was only in CRI-O's memory. What it said
/// before goes on for the same container, and not for one that was started since.
#[test]
fn what_a_runtime_said_before_its_restart_still_holds_for_the_same_container() {
    let running = json!({"running": {}});
    let image = "quay.io/acme/web:1";
    let before = status(&filled("quay.io/acme/web@{A}"), &running);
    let mut after = status(&filled("{b}"), &running);
    let at = |status: &Value| pod(Place::Ordinary, image, status);
    let good = filled("quay.io/acme/web 1 {A}");
    assert_eq!(recorded(&[at(&before), at(&after), at(&after)]), good);
    after["containerID"] = "cri://2".into();
    assert_eq!(recorded(&[at(&before), at(&after)]), "gap no-digest");
}
