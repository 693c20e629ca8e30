//! Tests of settings: from what is typed to checked values. What is refused, and in which words, is
//! tested on the program itself.

use clap::Parser;
use secrecy::{ExposeSecret, SecretString};

use super::*;
use crate::cli::args::{Cli, Command, GithubArgs, command};
use crate::github::auth::app::Identity;
use crate::model::exposure::Way;
use crate::model::selection::KindGroup;

const DESTINATION: &str = "--org=acme --cluster=prod --logical-environment=production";

fn run(typed: &str, token: Option<&str>) -> Result<Run, SettingError> {
    run_of(typed.split_whitespace(), token)
}

fn run_of<'a>(
    typed: impl IntoIterator<Item = &'a str>,
    token: Option<&str>,
) -> Result<Run, SettingError> {
    let words = ["deployment-recorder", "run"].into_iter();
    let words = words.chain(DESTINATION.split_whitespace()).chain(typed);
    let Command::Run(args) = Cli::try_parse_from(words).unwrap().command else {
        panic!("another command")
    };
    Run::new(args, token.map(SecretString::from))
}

#[test]
fn what_is_left_out_has_the_documented_defaults() {
    let run = run("", Some("t")).unwrap();
    let policy = &run.policy;
    assert_eq!(run.interval, Duration::from_mins(10));
    assert_eq!(run.github.timeout, Duration::from_secs(30));
    assert_eq!(run.github.url.to_string(), "https://api.github.com");
    assert_eq!(policy.idle_after, Some(HOUR));
    assert_eq!(policy.mass_decommission_hold, Duration::from_mins(5));
    assert_eq!(policy.settle_after, run.interval);
    assert_eq!(
        policy.template.to_string(),
        "{namespace}-{workload}-{container}"
    );
    assert_eq!(
        policy.selection,
        crate::model::selection::Selection::default()
    );
    assert_eq!(policy.destination.host, "api.github.com".into());
    assert_eq!(policy.destination.physical_environment, None);
    assert!(!policy.environments_by_label);
    assert_eq!(policy.storage, None);
    assert_eq!(
        (run.ledger.namespace, &*run.ledger.name),
        (None, "deployment-recorder")
    );
    assert_eq!(
        run.connection,
        Connection {
            kubeconfig: None,
            context: None
        }
    );
    assert!(!run.dry_run && !run.leader_elect);
}

#[test]
fn registries_are_told_of_only_if_that_is_said_and_those_that_are_not_excluded() {
    use crate::model::storage::StorageRule;
    let exclude = "--storage-exclude-registries=index.docker.io,*.azurecr.io,GHCR.io:443";
    let rule = |typed: &str| run(typed, Some("t")).unwrap().policy.storage;
    assert_eq!(rule(exclude), None);
    assert_eq!(rule("--storage-records"), Some(StorageRule::default()));
    let rule = rule(&format!("--storage-records {exclude}")).unwrap();
    let patterns: Vec<String> = rule.exclude.iter().map(ToString::to_string).collect();
    assert_eq!(patterns, ["docker.io", "*.azurecr.io", "ghcr.io"]);
}

#[test]
fn lists_are_repeated_or_separated_by_commas() {
    let typed = "--kinds=pods,deployments --kinds=jobs --add-kinds=cronjobs,pods \
                 -n shop,team-* --namespaces=a --image-map=a.io=b.io,c.io=d.io \
                 --infer-risks=nodeport,gateway --infer-risks=nodeport";
    let run = run(typed, Some("t")).unwrap();
    let selection = &run.policy.selection;
    assert_eq!(
        selection.kinds,
        [
            KindGroup::Pods,
            KindGroup::Deployments,
            KindGroup::Jobs,
            KindGroup::CronJobs
        ]
    );
    let namespaces: Vec<String> = selection
        .namespaces
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(namespaces, ["shop", "team-*", "a"]);
    assert_eq!(
        run.policy.image_map.rules().collect::<Vec<_>>(),
        ["a.io=b.io", "c.io=d.io"]
    );
    assert_eq!(selection.ways, [Way::NodePort, Way::Gateway]);
    assert_eq!(run.scope.selection, run.policy.selection);
}

#[test]
fn patterns_that_can_match_some_name_and_leave_another_one_are_taken() {
    for typed in [
        "--images=localhost:5000/*",
        "--images=*:5000/*",
        "--images=[::1]*/web",
        "--images=*/nginx",
        "--images=*nginx",
        "--images=*",
        "--images=*/*",
        "--images=ghcr.io/acme/*",
        "--images=Registry.example.com/*",
        "--images=*Registry/acme/*",
        "--images=*.dkr.ecr.*.amazonaws.com/*",
        "--exclude-images=*.dkr.ecr.*.amazonaws.com/*",
        "--exclude-images=*/*/*",
        "--images=ghcr.io/* --exclude-images=ghcr.io/acme/*",
        "--images=ghcr.io/acme/*,quay.io/* --exclude-images=ghcr.io/*",
        "--namespaces=team-* --exclude-namespaces=team-a",
        "--namespaces=team-* --exclude-namespaces=*-a",
        "--namespaces=team-*,shop --exclude-namespaces=team-*",
        "--namespaces=* --exclude-namespaces=kube-*",
    ] {
        let taken = run(typed, Some("t"));
        assert!(taken.is_ok(), "{typed}: {:?}", taken.err());
    }
}

#[test]
fn rules_for_repositories_may_have_commas_and_stand_one_a_line_in_a_variable() {
    let several = "ghcr.io/a{1,2}/(.*)=$1\n\n  docker.io/.*=base \n";
    let given = [
        "--repository-map=quay.io/.*=quay",
        "--repository-map",
        several,
    ];
    let parsed = Cli::try_parse_from(["x", "run"].into_iter().chain(given)).unwrap();
    let Command::Run(args) = parsed.command else {
        panic!()
    };
    let destination = super::destination::Checked::lenient(&args.destination, &args.github.api);
    let scope = scope::scope(&args.scope, &args.destination).unwrap();
    let rules = destination.unwrap().policy(&scope, None).repositories;
    for (name, repository) in [
        ("quay.io/x", Some("quay")),
        ("ghcr.io/aa/web", Some("web")),
        ("docker.io/library/nginx", Some("base")),
        ("example.com/web", None),
    ] {
        assert_eq!(rules.apply(name).as_deref(), repository, "{name}");
    }
}

#[test]
fn added_kinds_come_behind_the_default_ones() {
    let selection = run("--add-kinds=jobs", Some("t")).unwrap().policy.selection;
    assert_eq!(
        selection.kinds,
        [&KindGroup::DEFAULT[..], &[KindGroup::Jobs]].concat()
    );
}

#[test]
fn labels_and_selectors_are_known_to_core_and_cluster() {
    let typed = "-l app=web --namespace-selector=team --physical-environment-label=region";
    let run = run(typed, Some("t")).unwrap();
    assert!(run.policy.selection.by_workload_labels && run.policy.selection.by_namespace_labels);
    assert!(run.scope.workload_labels.is_some() && run.scope.namespace_labels.is_some());
    assert_eq!(
        run.scope.physical_environment_label.as_deref(),
        Some("region")
    );
    assert!(run.policy.environments_by_label);
    let run = super::tests::run("--selector= --logical-environment-label=", Some("t")).unwrap();
    assert!(!run.policy.selection.by_workload_labels && !run.policy.environments_by_label);
}

#[test]
fn an_outcome_settles_after_an_interval_and_at_least_two_minutes() {
    for (interval, settles) in [("5s", 120), ("2m", 120), ("1h", 3600)] {
        let run = run(
            &format!("--interval={interval} --idle-after=never"),
            Some("t"),
        )
        .unwrap();
        assert_eq!(run.policy.settle_after, Duration::from_secs(settles));
        assert_eq!(run.policy.idle_after, None);
    }
}

#[test]
fn the_token_file_wins_over_the_variable_and_only_a_dry_run_needs_neither() {
    let both = run("--github-token-file=/t", Some("t")).unwrap();
    assert!(matches!(&both.github.sign_in, Some(SignIn::TokenFile(file)) if file == "/t"));
    assert_eq!(both.warnings.len(), 1);
    let given = run("", Some("t")).unwrap();
    assert!(
        matches!(&given.github.sign_in, Some(SignIn::Token(token)) if token.expose_secret() == "t")
    );
    assert!(given.warnings.is_empty());
    assert!(run("", None).is_err());
    let dry = run("--dry-run", None).unwrap();
    assert!(dry.dry_run && dry.github.sign_in.is_none());
}

#[test]
fn an_organization_may_have_a_token_of_its_own_and_an_app_its_installation_in_each() {
    let typed = "--org-token-file=Tools=/a=b --org-token-file=games=/c";
    let given = run(typed, Some("t")).unwrap();
    let at = |organization: &str| match given.github.sign_in_at(organization) {
        Some(SignIn::TokenFile(file)) => file.display().to_string(),
        other => format!("{other:?}"),
    };
    assert_eq!((at("tools"), at("GAMES")), ("/a=b".into(), "/c".into()));
    assert!(at("acme").starts_with("Some(Token("), "{}", at("acme"));
    let typed = "--github-app-id=7 --github-app-private-key-file=/k \
                 --github-app-installation-id=42 --org-token-file=games=/c";
    let given = run(typed, None).unwrap();
    let shown = |organization: &str| given.github.sign_in_at(organization).unwrap().to_string();
    assert_eq!(shown("ACME"), "GitHub App 7, installation 42, key in /k");
    assert_eq!(
        shown("tools"),
        "GitHub App 7, installation in tools, key in /k"
    );
    assert_eq!(shown("games"), "token in /c");
    let let_in = ["acme", "tools", "games"].map(|name| given.github.is_let_in(name));
    assert_eq!(let_in, [false, true, false]);
}

#[test]
fn rules_and_files_are_one_a_line_in_their_variables_and_empty_lines_are_none() {
    let lines = [
        "--org-map=a=one\nb=two\n",
        "--org-token-file=one=/a\n\ntwo=/b\n",
    ];
    let run = run_of(lines, Some("t")).unwrap();
    let fixed = run.policy.organizations.fixed();
    assert_eq!(
        fixed.map(|name| &**name).collect::<Vec<_>>(),
        ["one", "two"]
    );
    assert_eq!(run.github.own.len(), 2);
}

#[test]
fn an_app_signs_in_in_the_organization_or_by_its_installation_and_goes_before_the_variable() {
    let typed = "--github-app-id=7 --github-app-private-key-file=/k";
    for (more, installation, shown) in [
        ("", None, "GitHub App 7, installation in acme, key in /k"),
        (
            "--github-app-installation-id=42",
            Some(42),
            "GitHub App 7, installation 42, key in /k",
        ),
    ] {
        let run = run(&format!("{typed} {more}"), Some("t")).unwrap();
        assert_eq!(run.warnings.len(), 1);
        let sign_in = run.github.sign_in.unwrap();
        assert_eq!(sign_in.to_string(), shown);
        let SignIn::App(app) = sign_in else { panic!() };
        let expected = Identity {
            app: "7".to_owned(),
            organization: "acme".to_owned(),
            installation,
            key: "/k".into(),
        };
        assert_eq!(app, expected);
    }
}

#[test]
fn any_command_has_the_settings_of_github_alone() {
    #[derive(Parser)]
    struct Typed {
        #[command(flatten)]
        github: GithubArgs,
    }
    let read = |typed: &[&str], organization, token: Option<&str>| {
        let words = std::iter::once("x").chain(typed.iter().copied());
        let typed = Typed::try_parse_from(words).unwrap();
        Github::new(&typed.github, organization, token.map(SecretString::from))
    };
    let (github, _) = read(&["--github-timeout=5s"], None, None).unwrap();
    assert_eq!(github.timeout, Duration::from_secs(5));
    assert!(github.signed_in().is_err());
    let (github, _) = read(&[], None, Some("t")).unwrap();
    assert!(github.signed_in().is_ok());
    let app = ["--github-app-id=7", "--github-app-private-key-file=/k"];
    // Where the organization is not known yet, its installation is looked up in each.
    for organization in [None, Some("acme")] {
        assert!(read(&app, organization, None).is_ok());
    }
}

#[test]
fn plain_http_is_for_this_machine_unless_it_is_allowed() {
    for (typed, allowed) in [
        ("--github-api-url=http://127.0.0.1:9", true),
        ("--github-api-url=http://sandbox:9", false),
        ("--github-api-url=http://sandbox:9 --allow-http", true),
    ] {
        assert_eq!(run(typed, Some("t")).is_ok(), allowed, "{typed}");
    }
}

#[test]
fn a_snapshot_needs_no_destination() {
    let words = ["x", "snapshot", "--from", "-", "-o", "yaml"];
    let Command::Snapshot(args) = Cli::try_parse_from(words).unwrap().command else {
        panic!()
    };
    let snapshot = Snapshot::new(args).unwrap();
    assert_eq!((snapshot.input, snapshot.form), (Input::Stdin, Form::Yaml));
}

#[test]
fn the_settings_that_were_given_are_shown_in_the_order_of_the_help() {
    let typed = [
        "x",
        "run",
        "-n",
        "a,b",
        "--log-level=debug",
        "--org=acme",
        "--dry-run",
    ];
    let matches = command().get_matches_from(typed);
    let matches = matches.subcommand_matches("run").unwrap();
    let command = command();
    let shown = given(command.find_subcommand("run").unwrap(), matches);
    assert_eq!(shown, ["--dry-run=true", "--namespaces=a,b", "--org=acme"]);
}
