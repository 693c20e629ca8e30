//! The program as people run it: what it says and how it exits. No network, no cluster.

#![expect(clippy::expect_used, reason = "what fails here fails the test")]

use std::io::Write;
use std::process::{Command, Output, Stdio};

#[cfg(test)]
#[path = "cli/files.rs"]
mod files;
#[cfg(test)]
#[path = "cli/refused.rs"]
mod refused;

/// Runs the program with these arguments and variables, and nothing else in its environment.
fn run_with(arguments: &[&str], variables: &[(&str, &str)], input: &str) -> Output {
    // Not a terminal, and yet read by people.
    let text = Some(("DEPLOYMENT_RECORDER_LOG_FORMAT", "text"));
    let mut program = Command::new(env!("CARGO_BIN_EXE_deployment-recorder"))
        .args(arguments)
        .env_clear()
        .env("HOME", env!("CARGO_TARGET_TMPDIR"))
        .envs(text.filter(|_| !arguments.is_empty()))
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // A program that reads nothing may be gone already.
    let _ = program
        .stdin
        .take()
        .expect("its input")
        .write_all(input.as_bytes());
    program.wait_with_output().expect("the program ends")
}

fn run(arguments: &[&str]) -> Output {
    run_with(arguments, &[], "")
}

/// What it printed.
fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

/// What it said beside.
fn said(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

/// The arguments of a `run` that could start.
const GOOD: [&str; 8] = [
    "run",
    "--org=acme",
    "--cluster=prod",
    "--logical-environment=production",
    "--log-level=error",
    "--listen=127.0.0.1:0",
    "--github-token-file=/nowhere/token",
    "--kubeconfig=/nowhere/kubeconfig",
];

#[test]
fn a_log_in_json_tells_in_json_why_it_ends() {
    let json = ("DEPLOYMENT_RECORDER_LOG_FORMAT", "json");
    let output = run_with(&GOOD, &[json], "");
    let said = said(&output);
    let event: serde_json::Value = serde_json::from_str(&said).expect("one line of JSON");
    assert_eq!(
        (&event["level"], &event["message"]),
        (&"ERROR".into(), &"ended by an error".into())
    );
    let error = event["error"].as_str().expect("a reason");
    assert!(
        error.starts_with("--github-token-file: the token file"),
        "{error}"
    );
    assert_eq!(output.status.code(), Some(1));
    // A log that leaves errors out is no reason to say nothing.
    let output = run_with(&GOOD, &[json, ("RUST_LOG", "off")], "");
    let said = String::from_utf8(output.stderr).expect("text");
    assert!(said.starts_with("error: --github-token-file: "), "{said}");
}

#[test]
fn what_only_trying_can_show_exits_1_and_2_for_diff() {
    let file = "--github-token-file: the token file /nowhere/token cannot be read: ";
    let place = "--kubeconfig: cannot read /nowhere/kubeconfig: ";
    let destination = [
        "--org=acme",
        "--cluster=prod",
        "--logical-environment=production",
    ];
    let run_dry = [&GOOD[..6], &["--dry-run"]].concat();
    let diff = [&["diff"], &destination[..]].concat();
    let kubeconfig = "--kubeconfig=/nowhere/kubeconfig";
    for (arguments, message, code) in [
        (&GOOD[..], file, 1),
        (&[&run_dry[..], &[kubeconfig]].concat(), place, 1),
        (&["snapshot", kubeconfig], place, 1),
        (&[&diff[..], &[kubeconfig]].concat(), place, 2),
    ] {
        let output = run(arguments);
        let said = said(&output);
        assert!(
            said.starts_with(&format!("error: {message}")),
            "{arguments:?}: {said}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");
        assert_eq!(output.status.code(), Some(code), "{arguments:?}");
    }
    let manifest = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    for (file, message) in [
        (
            "/nowhere/key",
            "the private key file /nowhere/key cannot be read: ",
        ),
        (
            manifest,
            &*format!(
                "the private key file {manifest} does not hold the key of a GitHub App: it is \
                 neither PEM nor base64\n"
            ),
        ),
    ] {
        let key = format!("--github-app-private-key-file={file}");
        let output = run(&[&GOOD[..6], &["--github-app-id=7", &key]].concat());
        let start = format!("error: --github-app-private-key-file: {message}");
        assert!(said(&output).starts_with(&start), "{}", said(&output));
        assert_eq!(output.status.code(), Some(1));
    }
    let output = run_with(&GOOD[..6], &[("GITHUB_TOKEN", "two words")], "");
    assert!(
        said(&output).starts_with("error: GITHUB_TOKEN: "),
        "{}",
        said(&output)
    );
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_check_takes_the_flags_of_run_and_says_all_that_is_wrong_at_once() {
    let check: Vec<&str> = ["check"]
        .into_iter()
        .chain(GOOD[1..].iter().copied())
        .collect();
    let output = run(&check);
    assert_eq!(said(&output), "");
    assert_eq!(output.status.code(), Some(1));
    let table = out(&output);
    let failed: Vec<&str> = table
        .lines()
        .filter(|it| it.starts_with("failed"))
        .collect();
    let [server, token] = failed[..] else {
        panic!("{table}")
    };
    let place = "--kubeconfig: cannot read /nowhere/kubeconfig: ";
    assert!(
        server.contains("api-server") && server.contains(place),
        "{server}"
    );
    assert!(
        token.contains("the token file /nowhere/token cannot be read: "),
        "{token}"
    );
    assert!(token.ends_with(". To do: let --github-token-file lead to what GitHub gave"));
    let output = run(&[&check[..], &["--output=json"]].concat());
    let shown: serde_json::Value = serde_json::from_str(&out(&output)).expect("JSON");
    assert_eq!(shown["checks"][0]["check"], "settings");
    for (wrong, flag) in [
        ("--output=xml", "--output"),
        ("--interval=1s", "--interval"),
    ] {
        let output = run(&[&check[..], &[wrong]].concat());
        assert!(
            said(&output).contains(&format!("for {flag}: ")),
            "{}",
            said(&output)
        );
        assert_eq!(
            (output.status.code(), out(&output)),
            (Some(2), String::new())
        );
    }
}

#[test]
fn a_token_is_nowhere_in_what_is_printed() {
    let variables = [("GITHUB_TOKEN", "hunter2"), ("RUST_LOG", "trace")];
    for arguments in [
        &["run", "--help"][..],
        &["help", "run"],
        &["man", "run"],
        &[&GOOD[..6], &["--kubeconfig=/nowhere/kubeconfig"]].concat(),
    ] {
        let output = run_with(arguments, &variables, "");
        let printed = format!("{}{}", out(&output), said(&output));
        assert!(
            !printed.is_empty() && !printed.contains("hunter2"),
            "{printed}"
        );
    }
}

#[test]
fn a_port_that_is_taken_exits_1_before_any_call_and_names_the_flag() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("its address");
    let listen = format!("--listen={address}");
    let output = run(&[&GOOD[..5], &[&listen], &GOOD[6..]].concat());
    let said = said(&output);
    assert!(
        said.starts_with(&format!("error: --listen: cannot listen on {address} (")),
        "{said}"
    );
    assert_eq!(said.lines().count(), 1, "{said}");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn a_stop_while_a_plugin_hangs_is_obeyed_at_once() {
    use std::sync::mpsc::channel;
    use std::time::Duration;
    let folder = env!("CARGO_TARGET_TMPDIR");
    let (began, kubeconfig) = (format!("{folder}/plugin-began"), format!("{folder}/hangs"));
    let _ = std::fs::remove_file(&began);
    let exec = serde_json::json!({
        "apiVersion": "client.authentication.k8s.io/v1", "interactiveMode": "Never",
        "command": "sh", "args": ["-c", format!("echo > {began}; exec sleep 20")],
    });
    let config = serde_json::json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "c",
        "clusters": [{"name": "c", "cluster": {"server": "http://127.0.0.1:1"}}],
        "users": [{"name": "c", "user": {"exec": exec}}],
        "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}],
    });
    std::fs::write(&kubeconfig, config.to_string()).expect("a kubeconfig");
    let program = Command::new(env!("CARGO_BIN_EXE_deployment-recorder"))
        .args(&GOOD[..6])
        .args(["--dry-run", &format!("--kubeconfig={kubeconfig}")])
        .spawn();
    let mut program = program.expect("the program starts");
    let id = program.id().to_string();
    let (ended, end) = channel();
    std::thread::spawn(move || ended.send(program.wait()));
    let mut tries = 0;
    while !std::path::Path::new(&began).exists() {
        assert!(tries < 300, "the plugin is not started");
        assert!(
            end.recv_timeout(Duration::from_millis(100)).is_err(),
            "it ended"
        );
        tries += 1;
    }
    let sent = Command::new("kill").args(["-TERM", &id]).status();
    assert!(sent.expect("kill starts").success());
    let ended = end.recv_timeout(Duration::from_secs(10));
    let status = ended
        .expect("it ends before the plugin does")
        .expect("its status");
    assert_eq!(status.code(), Some(0));
}

#[test]
fn a_context_that_the_kubeconfig_lacks_is_named_with_those_it_has() {
    let kubeconfig = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/kubeconfig.yaml");
    let given = format!("--kubeconfig={kubeconfig}");
    let output = run(&["snapshot", &given, "--context=prod"]);
    let message = format!("error: --context: `prod` is not in {kubeconfig}; there is staging\n");
    assert_eq!(said(&output), message);
    assert_eq!(output.status.code(), Some(1));
    let output = run(&["snapshot", &given]);
    let message = format!(
        "error: --context: none given, and {kubeconfig} has no current one; there is staging\n"
    );
    assert_eq!(said(&output), message);
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn help_and_version_are_printed_and_exit_0() {
    let output = run(&["--version"]);
    assert_eq!(
        out(&output),
        concat!("deployment-recorder ", env!("CARGO_PKG_VERSION"), "\n")
    );
    for arguments in [
        &["--help"][..],
        &["help"],
        &["run", "-h"],
        &["snapshot", "--help"],
    ] {
        let output = run(arguments);
        assert_eq!(output.status.code(), Some(0));
        assert!(
            out(&output).contains("Usage: deployment-recorder"),
            "{arguments:?}"
        );
        assert_eq!(said(&output), "");
    }
    let output = run(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("Usage: deployment-recorder"));
}

#[test]
fn every_shell_has_a_completion_and_every_command_a_page() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = run(&["completion", shell]);
        assert_eq!(output.status.code(), Some(0));
        assert!(out(&output).contains("mass-decommission-hold"), "{shell}");
    }
    for command in [
        "run",
        "snapshot",
        "diff",
        "explain",
        "verify",
        "decommission",
        "check",
        "records",
        "records-set",
        "storage-list",
        "completion",
        "man",
    ] {
        let output = run(&["man", command]);
        let title = format!(".TH deployment-recorder-{command} 1");
        assert!(out(&output).contains(&title), "{}", out(&output));
    }
    assert!(out(&run(&["man"])).contains("deployment\\-recorder\\-diff(1)"));
}
