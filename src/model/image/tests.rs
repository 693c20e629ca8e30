//! Tests of images and digests: tables of what is met in real clusters, and oci-spec's parser as
//! the oracle for everything else.

use oci_spec::distribution::Reference;
use proptest::prelude::*;

use super::*;

const A: &str = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
const B: &str = "sha256:b1b2b3b4b5b6b7b8b9b0b1b2b3b4b5b6b7b8b9b0b1b2b3b4b5b6b7b8b9b0b1b2";

/// `A` and `B` written short in the tables: `{A}`, `{B}`, their digits as `{a}`, `{b}`, and the
/// digits of a SHA-512 as `{512}`.
fn filled(text: &str) -> String {
    text.replace("{A}", A)
        .replace("{B}", B)
        .replace("{a}", &A[7..])
        .replace("{b}", &B[7..])
        .replace("{512}", &"0f".repeat(64))
}

/// The rows of a table, their four columns separated by `|`.
fn rows(table: &str) -> impl Iterator<Item = [String; 4]> {
    let lines = table.lines().filter(|line| !line.trim().is_empty());
    lines.map(|line| {
        let mut columns = line.splitn(4, '|').map(|column| filled(column.trim()));
        std::array::from_fn(|_| columns.next().expect("four columns"))
    })
}

/// Text, normalised name, tag, digest.
const REFERENCES: &str = "
    nginx | docker.io/library/nginx | |
    nginx:1.27 | docker.io/library/nginx | 1.27 |
    nginx:1.27@{A} | docker.io/library/nginx | 1.27 | {A}
    nginx@{A} | docker.io/library/nginx | | {A}
    library/nginx | docker.io/library/nginx | |
    docker.io/nginx | docker.io/library/nginx | |
    docker.io/library/nginx | docker.io/library/nginx | |
    index.docker.io/nginx:1 | docker.io/library/nginx | 1 |
    index.docker.io/bitnami/redis | docker.io/bitnami/redis | |
    bitnami/redis:7.2.4-debian-12-r9 | docker.io/bitnami/redis | 7.2.4-debian-12-r9 |
    ghcr.io/acme/shop/web:v1.2.3 | ghcr.io/acme/shop/web | v1.2.3 |
    registry.k8s.io/pause:3.9 | registry.k8s.io/pause | 3.9 |
    registry.k8s.io/kube-apiserver:v1.33.1 | registry.k8s.io/kube-apiserver | v1.33.1 |
    quay.io/prometheus/node-exporter | quay.io/prometheus/node-exporter | |
    localhost/web | localhost/web | |
    localhost:5000/web | localhost:5000/web | |
    registry:5000/web:1 | registry:5000/web | 1 |
    registry:5000 | docker.io/library/registry | 5000 |
    10.0.0.7:32000/web:dev | 10.0.0.7:32000/web | dev |
    [::1]:5000/a/b:1 | [::1]:5000/a/b | 1 |
    [2001:db8::7]/web@{B} | [2001:db8::7]/web | | {B}
    123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/web:42 | 123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/web | 42 |
    europe-west1-docker.pkg.dev/proj/repo/web:main@{B} | europe-west1-docker.pkg.dev/proj/repo/web | main | {B}
    acme.azurecr.io/samples/web:latest | acme.azurecr.io/samples/web | latest |
    mcr.microsoft.com/dotnet/aspnet:8.0 | mcr.microsoft.com/dotnet/aspnet | 8.0 |
    test.com:tag | docker.io/library/test.com | tag |
    foo_bar.com:8080 | docker.io/library/foo_bar.com | 8080 |
    foo_bar.com/web | foo_bar.com/web | |
    Registry/web | Registry/web | |
    GHCR.io/acme/web:V1 | GHCR.io/acme/web | V1 |
    a--b/c__d/e.f_g | docker.io/a--b/c__d/e.f_g | |
    nginx:_ | docker.io/library/nginx | _ |
    sha256:latest | docker.io/library/sha256 | latest |
    nginx@sha512:{512} | docker.io/library/nginx | |
    nginx:1@sha512:{512} | docker.io/library/nginx | 1 |
    nginx@blake3:{b} | docker.io/library/nginx | |
";

#[test]
fn a_reference_is_read_with_its_normalised_name_its_tag_and_its_pin() {
    for [text, name, tag, digest] in rows(REFERENCES) {
        let read = ImageRef::parse(&text).expect(&text);
        assert_eq!(*read.name, *name, "{text}");
        assert_eq!(read.tag.as_deref().unwrap_or_default(), tag, "{text}");
        let read = read
            .digest
            .map(|digest| digest.to_string())
            .unwrap_or_default();
        assert_eq!(read, digest, "{text}");
    }
}

#[test]
fn a_name_of_hexadecimal_digits_or_of_64_letters_is_no_image_id() {
    for name in ["cafe".to_owned(), "z".repeat(64)] {
        let image = ImageRef::parse(&name).expect(&name);
        assert_eq!(*image.name, *format!("docker.io/library/{name}"));
    }
    assert_eq!(ImageRef::parse(&"f".repeat(64)), None);
}

#[test]
fn what_is_no_reference_is_none() {
    for text in [
        "",
        " ",
        "nginx ",
        " nginx",
        ":1",
        "@{A}",
        "nginx:",
        "nginx@",
        "nginx:-1",
        "nginx:1:2",
        "nginx@sha256:{a}0",
        "nginx@sha256:abc",
        "nginx@sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "nginx@foo:bar",
        "nginx@{A}@{B}",
        "nginx@{A}:1",
        "{A}",
        "{a}",
        "sha512:{512}",
        "docker://{A}",
        "docker-pullable://nginx@{A}",
        "https://ghcr.io/acme/web",
        "Nginx",
        "ghcr.io/Acme/web",
        "acme/Web",
        "ghcr.io/",
        "/web",
        "ghcr.io//web",
        "ghcr.io/acme/",
        "ghcr.io:/web",
        "ghcr.io:http/web",
        "-registry.io/web",
        "[::1/web",
        "[]/web",
        "[]:5000/web",
        "[::x]/web",
        "[::1]5000/web",
        "a..b",
        "a___b",
        "a.-b",
        ".a",
        "a-",
        "nginx:{a}{b}x",
        "nginx:ä",
        "nginxé",
    ] {
        assert_eq!(ImageRef::parse(&filled(text)), None, "{text:?}");
    }
}

/// Runtime, image in the spec, imageID in the status, digest.
const RUNNING: &str = "
    containerd | nginx:1.27 | docker.io/library/nginx@{A} | {A}
    containerd | nginx | docker.io/library/nginx@{A} | {A}
    containerd, pinned | nginx@{A} | docker.io/library/nginx@{A} | {A}
    containerd, pinned with tag | nginx:1.27@{A} | docker.io/library/nginx@{A} | {A}
    containerd, another repository | ghcr.io/acme/web:1 | docker.io/acme/web@{B} | {B}
    containerd, imported or schema 1 | ghcr.io/acme/web:1 | {A} |
    containerd, pinned, digest reference lost | ghcr.io/acme/web@{B} | {A} | {B}
    containerd, pinned index, platform manifest | ghcr.io/acme/web@{A} | ghcr.io/acme/web@{B} | {A}
    containerd, not pulled yet | ghcr.io/acme/web:1 | |
    containerd, pinned, not pulled yet | ghcr.io/acme/web@{A} | | {A}
    EKS | 602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/coredns:v1.11 | 602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/coredns@{A} | {A}
    GKE | europe-docker.pkg.dev/acme/apps/web:7 | europe-docker.pkg.dev/acme/apps/web@{B} | {B}
    AKS | acme.azurecr.io/web:7 | acme.azurecr.io/web@{A} | {A}
    MicroK8s registry | localhost:32000/web:dev | localhost:32000/web@{A} | {A}
    k3s with a mirror | registry.local:5000/web | registry.local:5000/web@{A} | {A}
    k3s, IPv6 registry | [fd00::1]:5000/web | [fd00::1]:5000/web@{A} | {A}
    CRI-O | quay.io/acme/web:1 | quay.io/acme/web@{A} | {A}
    CRI-O after a restart | quay.io/acme/web:1 | {a} |
    CRI-O 1.29.0, bare ID | quay.io/acme/web:1 | {b} |
    CRI-O after a restart, pinned | quay.io/acme/web@{A} | {b} | {A}
    OpenShift | image-registry.openshift-image-registry.svc:5000/shop/web:1 | image-registry.openshift-image-registry.svc:5000/shop/web@{B} | {B}
    OpenShift release | quay.io/openshift-release-dev/ocp-v4.0-art-dev@{A} | quay.io/openshift-release-dev/ocp-v4.0-art-dev@{A} | {A}
    cri-dockerd | nginx:1.27 | docker-pullable://nginx@{A} | {A}
    cri-dockerd, full name | ghcr.io/acme/web:1 | docker-pullable://ghcr.io/acme/web@{B} | {B}
    cri-dockerd, port | localhost:5000/web | docker-pullable://localhost:5000/web@{B} | {B}
    cri-dockerd, built locally | web:dev | docker://{A} |
    cri-dockerd, pinned and loaded | web@{B} | docker://{A} | {B}
    cri-dockerd, no tag | web | docker-pullable://<none>@{A} |
    dockershim | nginx | docker://{a} |
    cri-dockerd, bare pullable | nginx | docker-pullable://{A} |
    kind, loaded (older) | web:dev | {A} |
    kind, loaded (newer) | web:dev | docker.io/library/import-2026-01-31@{A} |
    kind, loaded (short name) | web:dev | import-2026-01-31@{A} |
    kind, loaded, podman | localhost/web:dev | docker.io/library/import-2026-01-31@{B} |
    kind, loaded, pinned | web@{B} | docker.io/library/import-2026-01-31@{A} | {B}
    kind, an image whose name only looks like it | acme/import-tool | docker.io/acme/import-tool@{A} | {A}
    a digest of another algorithm | nginx | docker.io/library/nginx@sha512:{512} |
    pinned by another algorithm | nginx@sha512:{512} | docker.io/library/nginx@{A} | {A}
    pinned by another algorithm, nothing else | nginx@sha512:{512} | sha512:{512} |
    upper-case digits | nginx | docker.io/library/nginx@sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA |
    one digit short | nginx | docker.io/library/nginx@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa |
    a tag is no digest | nginx:1 | docker.io/library/nginx:1 |
    a spec that is an image ID | {a} | docker-pullable://acme/web@{B} | {B}
    a spec that is a configuration's digest | {A} | {A} |
    an unknown scheme | nginx | oci://docker.io/library/nginx@{A} |
    two digests | nginx | docker.io/library/nginx@{A}@{B} |
    nothing at all | |  |
";

#[test]
fn the_digest_that_runs_is_the_pin_or_a_pulled_manifest_and_never_a_configuration() {
    for [runtime, image, image_id, digest] in rows(RUNNING) {
        let read = running_digest(&image, &image_id);
        let read = read.map(|digest| digest.to_string()).unwrap_or_default();
        assert_eq!(read, digest, "{runtime}");
    }
}

#[test]
fn what_a_status_names_is_told_apart() {
    for (text, kind) in [
        ("", ImageId::Nothing),
        ("ghcr.io/acme/web@{A}", ImageId::Manifest),
        ("docker-pullable://nginx@{A}", ImageId::Manifest),
        ("{A}", ImageId::Configuration),
        ("{a}", ImageId::Configuration),
        ("docker://{A}", ImageId::Configuration),
        ("docker.io/library/import-2026-01-01@{A}", ImageId::Archive),
        ("nginx:1", ImageId::Other),
        ("nginx@sha512:{512}", ImageId::Other),
        ("rkt://{A}", ImageId::Other),
    ] {
        assert_eq!(ImageId::read(&filled(text)).0, kind, "{text}");
    }
}

#[test]
fn a_digest_is_lower_case_sha256_and_prints_as_it_was_read() {
    let read = Digest::parse(B).unwrap();
    assert_eq!(read.to_string(), B);
    assert_eq!(read.bytes()[..3], [0xb1, 0xb2, 0xb3]);
    for text in [
        "",
        &B[7..],
        &B.to_uppercase(),
        &format!("{B}0"),
        &B.replace("sha256", "sha512"),
    ] {
        assert_eq!(Digest::parse(text), None, "{text}");
    }
}

/// Text that is a reference or nearly one. Left out is what the oracle reads differently from the
/// runtimes: upper-case digits, hosts without a dot that have upper case, IPv6, bare digests.
fn nearly_a_reference() -> impl Strategy<Value = String> {
    let host = "(([a-z0-9_-]{1,4}\\.){0,2}[a-z0-9-]{1,3}(:[0-9]{0,3})?/)?";
    let path = "[a-z0-9._-]{0,5}(/[a-z0-9._-]{1,4}){0,3}";
    let tag = "(:[A-Za-z0-9_.-]{0,5})?";
    let pin = "(@sha256:[0-9a-f]{63,64}|@sha512:[0-9a-f]{128}|@sha256:)?";
    (host, path, tag, pin).prop_map(|(host, path, tag, pin)| format!("{host}{path}{tag}{pin}"))
}

proptest! {
    #[test]
    fn references_are_read_as_the_oracle_reads_them(text in nearly_a_reference()) {
        let read = ImageRef::parse(&text);
        let oracle = Reference::try_from(text.as_str()).ok();
        prop_assert_eq!(read.is_some(), oracle.is_some());
        if let (Some(read), Some(oracle)) = (read, oracle) {
            prop_assert_eq!(&*read.name, format!("{}/{}", oracle.registry(), oracle.repository()));
            let untagged = read.tag.is_none() && read.digest.is_none() && !text.contains('@');
            let tag = if untagged { Some("latest") } else { read.tag.as_deref() };
            prop_assert_eq!(tag, oracle.tag());
            prop_assert_eq!(read.digest, oracle.digest().and_then(Digest::parse));
        }
    }

    #[test]
    fn a_normalised_name_stays_as_it_is(text in nearly_a_reference()) {
        if let Some(read) = ImageRef::parse(&text) {
            prop_assert_eq!(ImageRef::parse(&read.name).map(|again| again.name), Some(read.name));
        }
    }

    #[test]
    fn no_text_at_all_makes_it_panic(text in ".{0,80}") {
        let read = running_digest(&text, &text);
        prop_assert!(read.is_none() || text.contains("@sha256:"));
    }
}
