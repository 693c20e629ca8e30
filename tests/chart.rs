//! What the chart has from the code: `charts/deployment-recorder/files/watched.yaml`, over which its
//! rules of RBAC range, says what is listed and watched for each word of `--kinds`; and
//! `tests/chart/flags.yaml` which flags there are, so that each can be set by a value. And what the
//! program says of the command lines that the chart makes. Its templates and values are tested in
//! `tests/chart`.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a failed test should say so loudly"
)]

use std::fmt::Write as _;
use std::fs;

use clap::FromArgMatches;
use deployment_recorder::cli::args::{self, Cli, Command};
use deployment_recorder::cli::settings::{Check, Decommission, Run};
use deployment_recorder::cluster::{Right, Scope};
use deployment_recorder::model::exposure::Way;
use deployment_recorder::model::selection::{KindGroup, Pattern, Selection};
use secrecy::SecretString;

const FILE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/charts/deployment-recorder/files/watched.yaml"
);

const FLAGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/chart/flags.yaml");

/// Set to anything, it has the file written instead of compared.
const UPDATE: &str = "UPDATE";

const HEAD: &str = "\
# What the recorder lists and watches, for each word of --kinds and --add-kinds.
# Written from the code: UPDATE=1 cargo test --test chart
";

const FLAGS_HEAD: &str = "\
# The flags of the commands that the chart starts, and their defaults.
# Written from the code: UPDATE=1 cargo test --test chart
";

/// The rights of a recorder of these kinds, in the namespace `a` alone or everywhere.
fn rights(kinds: &[KindGroup], in_one_namespace: bool) -> Vec<Right> {
    rights_for(kinds, &[], in_one_namespace)
}

/// The same of one that looks for these ways from outside.
fn rights_for(kinds: &[KindGroup], ways: &[Way], in_one_namespace: bool) -> Vec<Right> {
    let namespaces = in_one_namespace.then(|| Pattern::new("a"));
    let selection = Selection {
        kinds: kinds.to_vec(),
        namespaces: namespaces.into_iter().collect(),
        ways: ways.to_vec(),
        ..Selection::default()
    };
    let scope = Scope {
        selection,
        ..Scope::default()
    };
    scope.rights()
}

/// What `--use-pull-secrets` asks for besides.
fn pull_secrets() -> Vec<(&'static str, &'static str)> {
    let scope = Scope {
        pull_secrets: true,
        ..Scope::default()
    };
    let without = Scope::default().rights();
    let more = scope
        .rights()
        .into_iter()
        .filter(|right| !without.contains(right));
    more.map(|right| {
        assert_eq!((right.verb, &*right.group, right.name), ("get", "", None));
        let known = ["secrets", "serviceaccounts"];
        let resource = known.into_iter().find(|it| *it == right.resource);
        ("", resource.expect("nothing else is read by name"))
    })
    .collect()
}

/// API group and resource of what these rights are about as a whole, each once.
fn resources(rights: &[Right]) -> Vec<(&str, &str)> {
    let mut resources = Vec::new();
    for right in rights.iter().filter(|right| right.name.is_none()) {
        let resource = (&*right.group, &*right.resource);
        if !resources.contains(&resource) {
            resources.push(resource);
        }
    }
    resources
}

/// Those of `all` that are not in `known`, as a list of YAML on one line.
fn beyond(known: &[(&str, &str)], all: &[(&str, &str)]) -> String {
    let new = all.iter().filter(|resource| !known.contains(resource));
    let items = new.map(|(group, resource)| {
        let group = if group.is_empty() { "\"\"" } else { group };
        format!("{{apiGroup: {group}, resource: {resource}}}")
    });
    format!("[{}]", items.collect::<Vec<_>>().join(", "))
}

/// The file as the code has it.
fn watched() -> String {
    let always = rights(&[], true);
    let always = resources(&always);
    let everywhere = rights(&[], false);
    let everywhere = resources(&everywhere);
    let mut text = HEAD.to_owned();
    let mut line = |line: String| writeln!(text, "{line}").expect("text grows");
    line(format!("always: {}", beyond(&[], &always)));
    line("# Only without the namespaces named one by one, which are read by name.".to_owned());
    line(format!("wholeCluster: {}", beyond(&always, &everywhere)));
    line("kinds:".to_owned());
    for group in KindGroup::ALL {
        let all = rights(&[group], true);
        let own = beyond(&always, &resources(&all));
        line(format!("  {}: {own}", group.as_str()));
    }
    line("# For each word of --infer-risks.".to_owned());
    line("inferRisks:".to_owned());
    for way in Way::ALL {
        let all = rights_for(&[], &[way], true);
        let own = beyond(&always, &resources(&all));
        line(format!("  {}: {own}", way.as_str()));
    }
    line("# Read by name, whatever it is: only with config.usePullSecrets.".to_owned());
    line(format!("pullSecrets: {}", beyond(&[], &pull_secrets())));
    let default = KindGroup::DEFAULT.map(KindGroup::as_str);
    line(format!("default: [{}]", default.join(", ")));
    text
}

/// The flags of the commands that the chart starts, with their defaults, as YAML.
fn flags() -> String {
    let mut text = FLAGS_HEAD.to_owned();
    let mut command = args::command();
    command.build();
    for name in ["run", "check", "decommission"] {
        let command = command.find_subcommand(name).expect("the command");
        writeln!(text, "{name}:").expect("text grows");
        let flags = command.get_arguments().filter(|flag| {
            let help = matches!(flag.get_id().as_str(), "help" | "version");
            flag.get_long().is_some() && !help
        });
        for flag in flags {
            let long = flag.get_long().expect("it is long");
            let usual = flag.get_default_values().first();
            let usual = usual.filter(|_| flag.get_action().takes_values());
            let usual = usual.map(|value| format!(" {:?}", value.to_string_lossy()));
            // In quotes: YAML takes `yes` for a truth.
            writeln!(text, "  {long:?}:{}", usual.unwrap_or_default()).expect("text grows");
        }
    }
    text
}

/// Compares a file with what the code says it is, or writes it.
fn is_current(file: &str, expected: &str) {
    if std::env::var_os(UPDATE).is_some() {
        let folder = std::path::Path::new(file).parent().expect("a folder");
        fs::create_dir_all(folder).expect("its folder");
        fs::write(file, expected).expect("its folder is writable");
    }
    let found = fs::read_to_string(file).expect("the file is there");
    assert_eq!(found, expected, "write it anew with {UPDATE}=1");
}

#[test]
fn the_chart_grants_what_the_code_lists_and_watches() {
    is_current(FILE, &watched());
}

#[test]
fn the_tests_of_the_chart_know_every_flag() {
    is_current(FLAGS, &flags());
}

#[test]
fn what_is_not_named_is_listed_and_watched_and_only_namespaces_are_read_by_name() {
    for in_one_namespace in [true, false] {
        for right in rights_for(&KindGroup::ALL, &Way::ALL, in_one_namespace) {
            let by_name = right.verb == "get";
            assert_eq!(by_name, right.name.is_some(), "{right:?}");
            assert!(!by_name || right.resource == "namespaces", "{right:?}");
            assert!(by_name || ["list", "watch"].contains(&right.verb));
        }
    }
}

/// What the program says of a command line, without doing anything; nothing if it takes it.
fn refusal(line: &[String]) -> Option<String> {
    let words = std::iter::once("deployment-recorder").chain(line.iter().map(String::as_str));
    let matches = match args::command().try_get_matches_from(words) {
        Ok(matches) => matches,
        Err(error) => return Some(error.to_string()),
    };
    if let Some((_, below)) = matches.subcommand()
        && let Some(message) = args::empty(below)
    {
        return Some(message);
    }
    // For the sandbox, whose pod has it in a variable.
    let token = || Some(SecretString::from("any"));
    let cli = Cli::from_arg_matches(&matches).expect("it was taken");
    let refused = match cli.command {
        Command::Run(args) => Run::new(args, token()).err(),
        Command::Check(args) => Check::new(args, token()).err(),
        Command::Decommission(args) => Decommission::new(args, token()).err(),
        other => panic!("the chart does not start {other:?}"),
    };
    refused.map(|error| error.message(&matches))
}

#[test]
fn the_program_takes_every_command_line_of_the_chart() {
    let lines: Vec<Vec<String>> =
        serde_saphyr::from_str(include_str!("chart/arguments.yaml")).expect("command lines");
    for command in ["run", "check", "decommission"] {
        assert!(lines.iter().any(|line| line[0] == command), "{command}");
    }
    for line in &lines {
        assert_eq!(refusal(line), None, "{line:?}");
    }
    let mut wrong = lines[0].clone();
    wrong.push("--idle-after=sometimes".to_owned());
    let said = refusal(&wrong).expect("it is wrong");
    assert!(said.contains("idle-after"), "{said}");
}
