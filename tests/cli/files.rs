//! Files in place of a cluster: `snapshot` and `explain` with `--from`.

use super::*;

const SHOP: &str = include_str!("shop.yaml");

#[test]
fn a_snapshot_of_a_file_shows_records_and_gaps() {
    let arguments = [
        "snapshot",
        "--from=-",
        "--org=acme",
        "--cluster=prod",
        "--logical-environment=production",
        "--physical-environment=",
        "--logical-environment-label=environment",
        "--output=json",
    ];
    let output = run_with(&arguments, &[], SHOP);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let shown: serde_json::Value = serde_json::from_str(&out(&output)).expect("JSON");
    let expected: serde_json::Value =
        serde_json::from_str(include_str!("shop.json")).expect("JSON");
    assert_eq!(shown, expected);
    assert_eq!(
        said(&output),
        "records: 1, gaps: 3, not selected (kind): 1\n\
         Objects are missing in the file; all of them: kubectl get namespaces,pods,deployments,\
         statefulsets,daemonsets,cronjobs,replicasets,replicationcontrollers,jobs \
         --all-namespaces -o yaml\n"
    );
    let output = run_with(
        &["snapshot", "--from=-", "--org=acme", "--output=yaml"],
        &[],
        SHOP,
    );
    assert!(
        out(&output).contains("\n    record_name: shop-web-nginx\n"),
        "{}",
        out(&output)
    );
    let output = run_with(&["snapshot", "--from=-", "--org=acme"], &[], SHOP);
    let table = out(&output);
    let widths: Vec<_> = table
        .lines()
        .map(|line| line.find("nginx ").is_some())
        .collect();
    assert_eq!(widths, [false, true, false, false], "{table}");
    assert!(
        table.starts_with("NAMESPACE   WORKLOAD         CONTAINER   RECORD "),
        "{table}"
    );
}

#[test]
fn an_explanation_of_a_file_says_where_each_thing_comes_from() {
    let explain = |name: &str, more: &[&str]| {
        let flags = ["explain", "shop", name, "--from=-", "--org=acme"];
        run_with(&[&flags, more].concat(), &[], SHOP)
    };
    let output = explain("web", &[]);
    assert_eq!((output.status.code(), &*said(&output)), (Some(0), ""));
    let text = out(&output);
    for line in [
        "Worked out from standard input, as if GitHub held nothing yet.",
        "Deployment shop/web",
        "  Pods        web-6d5f-x1 -> ReplicaSet web-6d5f -> Deployment web",
        "    Speaker     pod web-6d5f-x1: the only ready pod that runs it",
        "    Tags        team=shop: metadata.github.com/team of Namespace shop",
        "    Repository  web: metadata.github.com/repository of Deployment web",
        "    Digest      the container runtime names the image's configuration (a bare imageID), which no",
        "    Gap         invalid-risk: cats",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "{line:?} in\n{text}"
        );
    }
    assert!(
        text.lines().all(|line| line.chars().count() <= 100),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'), "no colour, wherever it goes");

    let output = explain("db-0", &["--output=json", "--container=postgres"]);
    let shown: serde_json::Value = serde_json::from_str(&out(&output)).expect("JSON");
    assert_eq!(shown["stray"]["end"], "not-read", "{shown}");
    let output = explain("debug", &["--output=yaml"]);
    assert!(
        out(&output).contains("--kinds, --add-kinds"),
        "{}",
        out(&output)
    );

    let output = explain("wep", &[]);
    let missing =
        "error: no workload, pod or record wep in namespace shop; there is Deployment/web\n";
    assert_eq!((output.status.code(), &*said(&output)), (Some(1), missing));
    let output = explain("web", &["--container=ngin"]);
    let missing = "error: web has no container ngin; there is nginx, proxy\n";
    assert_eq!((output.status.code(), &*said(&output)), (Some(1), missing));
}

#[test]
fn an_explanation_that_nobody_could_give_is_refused_before_anybody_is_asked() {
    for (flags, message) in [
        (
            &["shop"][..],
            "the following required arguments were not provided: <[KIND/]NAME>",
        ),
        (
            &["Shop", "web"],
            "invalid value \"Shop\" for <NAMESPACE>: allowed are 1 to 63 lower-case letters, digits and hyphens, none at an end",
        ),
        (
            &["shop", " "],
            "invalid value \"\" for <NAME>: give the namespace and the name of a workload, a pod or a record in it",
        ),
        (
            &["shop", "web", "--via=me"],
            "invalid value \"me\" for --via: allowed are auto, controller and cluster",
        ),
        (
            &["shop", "web", "-o", "xml"],
            "invalid value \"xml\" for --output: allowed are text, json and yaml",
        ),
        (
            &["shop", "web", "--admin-url=ftp://me:secret@it"],
            "invalid value for --admin-url: give one like http://127.0.0.1:8080, without a user",
        ),
        (
            &["shop", "web", "--via=cluster"],
            "--org (or DEPLOYMENT_RECORDER_ORG) is missing: the GitHub organization that records belong to",
        ),
        (
            &["shop", "web", "--from=x", "--admin-url=y"],
            "the argument '--from <FILE>' cannot be used with '--admin-url <URL>'",
        ),
    ] {
        let output = run(&[&["explain"], flags].concat());
        assert_eq!(said(&output), format!("error: {message}\n"));
        assert_eq!(output.status.code(), Some(2), "{flags:?}");
    }
}

#[test]
fn a_file_that_cannot_be_used_exits_1_and_is_named() {
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    for (file, input, message) in [
        ("/nowhere/file", "", "/nowhere/file cannot be read: "),
        (manifest, "", "writes: line 1: this is not JSON: "),
        (
            "-",
            "",
            "standard input is not what kubectl get -o yaml or -o json writes: line 1: there is nothing",
        ),
        ("-", "a: b: c", "writes: line 1: this is not YAML: "),
    ] {
        let output = run_with(&["snapshot", "--from", file], &[], input);
        let said = said(&output);
        assert!(
            said.starts_with("error: --from: ") && said.contains(message),
            "{said}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");
        assert_eq!(output.status.code(), Some(1));
    }
}
