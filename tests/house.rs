//! The house as it is drawn in `docs/architecture.md`: who may import whom, what the core may use,
//! that each file says what lives in it, and that no page is unfinished.

#![expect(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// What each room may import from the others. The sandbox stands alone.
const ARROWS: [(&str, &[&str]); 11] = [
    ("model", &[]),
    ("bounded", &[]),
    ("clock", &["model"]),
    ("cluster", &["model"]),
    ("github", &["bounded", "clock", "model"]),
    ("registry", &["bounded", "model"]),
    (
        "recorder",
        &["cluster", "github", "registry", "clock", "model"],
    ),
    ("admin", &["recorder", "cluster", "clock", "model"]),
    (
        "cli",
        &[
            "admin", "recorder", "cluster", "github", "registry", "clock", "model",
        ],
    ),
    ("sandbox", &[]),
    (
        "fuzz",
        &["cli", "recorder", "cluster", "github", "registry", "model"],
    ),
];

/// Words by which the core would reach outside.
const OUTSIDE: [&str; 14] = [
    "kube::",
    "k8s_openapi",
    "tokio",
    "serde",
    "reqwest",
    "axum",
    "http::",
    "tracing",
    "jiff",
    "async fn",
    "Instant::",
    "SystemTime",
    "std::env",
    "println!",
];

fn sources() -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut folders = vec![PathBuf::from("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                files.push((path, text));
            }
        }
    }
    files.sort();
    assert!(files.len() > 50, "the sources are in src");
    files
}

/// The room that a file stands in: `src/model/plan.rs` and `src/model.rs` are in `model`.
fn room(path: &Path) -> Option<String> {
    let inside = path.strip_prefix("src").unwrap();
    let first = inside.components().next()?.as_os_str().to_str()?;
    let room = first.strip_suffix(".rs").unwrap_or(first);
    ARROWS
        .iter()
        .any(|(known, _)| *known == room)
        .then(|| room.to_owned())
}

/// The code of a file without comments and without what only tests see.
fn code(text: &str) -> String {
    let tests = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    let lines = text[..tests].lines();
    lines
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Whether a file is compiled for tests only: its name says so.
fn is_test(path: &Path) -> bool {
    path.components().any(|part| {
        matches!(
            part.as_os_str().to_str(),
            Some("tests" | "tests.rs" | "fixtures.rs" | "fixtures" | "samples.rs")
        )
    })
}

/// The rooms that `code` imports from this crate.
fn imports(code: &str) -> BTreeSet<String> {
    let mut rooms = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let names = match rest.strip_prefix('{') {
            Some(list) => list
                .split('}')
                .next()
                .unwrap()
                .split(',')
                .map(str::trim)
                .collect(),
            None => vec![rest],
        };
        for name in names {
            let end = name
                .find(|c: char| !c.is_alphanumeric() && c != '_')
                .unwrap_or(name.len());
            rooms.insert(name[..end].to_owned());
        }
    }
    rooms
}

#[test]
fn every_arrow_between_rooms_points_the_way_that_is_drawn() {
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.into_iter().collect();
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let Some(room) = room(&path) else { continue };
        for other in imports(&code(&text)) {
            let known = allowed.contains_key(other.as_str());
            if known && other != room && !allowed[room.as_str()].contains(&other.as_str()) {
                wrong.push(format!("{} imports {other}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_core_knows_nothing_of_the_outside() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        if room(&path).as_deref() != Some("model") || is_test(&path) {
            continue;
        }
        let code = code(&text);
        let named = OUTSIDE.iter().filter(|word| code.contains(**word));
        wrong.extend(named.map(|word| format!("{} names {word}", path.display())));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn kubernetes_types_stay_in_the_cluster_the_ledger_store_the_lease_and_events() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let room = room(&path);
        let homes = ["store", "lease", "events"].map(|it| Path::new("src/recorder").join(it));
        let at_home = homes.map(|it| path.starts_with(it));
        let at_home = at_home.contains(&true)
            || ["store.rs", "events.rs"]
                .iter()
                .any(|it| path.ends_with(it));
        if room.is_none() || room.as_deref() == Some("cluster") || at_home {
            continue;
        }
        if code(&text).contains("k8s_openapi") {
            wrong.push(path.display().to_string());
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn each_file_begins_by_saying_what_lives_in_it() {
    let silent: Vec<String> = sources()
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//!"))
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert!(silent.is_empty(), "{silent:#?}");
}

#[test]
fn no_file_is_longer_than_a_room_can_be() {
    let long: Vec<String> = sources()
        .into_iter()
        .filter(|(path, _)| !is_test(path))
        .filter(|(_, text)| {
            let end = text.find("#[cfg(test)]").unwrap_or(text.len());
            text[..end].lines().count() > 350
        })
        .map(|(path, text)| format!("{}: {}", path.display(), text.lines().count()))
        .collect();
    assert!(long.is_empty(), "{long:#?}");
}

/// What people read: the Markdown files at the top, in docs, examples and the chart.
fn pages() -> Vec<(PathBuf, String)> {
    let folders = [
        ".",
        "docs",
        "docs/comparison",
        "examples",
        "contract",
        "charts/deployment-recorder",
    ];
    let mut pages = Vec::new();
    for folder in folders {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "md") {
                let text = fs::read_to_string(&path).unwrap();
                pages.push((path, text));
            }
        }
    }
    assert!(pages.len() > 15, "the pages are in {folders:?}");
    pages
}

/// Whether a line only keeps a place for what is still to be written.
fn keeps_a_place(line: &str) -> bool {
    let line = line.trim();
    let loud = |c: char| c.is_ascii_uppercase() || c == '_';
    let words = ["TODO", "FIXME", "TBD", "XXX"];
    (line.len() > 2 && line.chars().all(loud))
        || line
            .split(|c: char| !loud(c))
            .any(|word| words.contains(&word))
}

#[test]
fn no_page_keeps_a_place_for_what_is_still_to_be_written() {
    let mut wrong = Vec::new();
    for (path, text) in pages() {
        let mut code = false;
        for (at, line) in text.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                code = !code;
            } else if !code && keeps_a_place(line) {
                wrong.push(format!("{}:{}: {line}", path.display(), at + 1));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The name of every test.
fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut folders = vec![PathBuf::from("src"), PathBuf::from("tests")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                names.extend(tests_in(&fs::read_to_string(&path).unwrap()));
            }
        }
    }
    names
}

/// The names of the tests in `text`: functions that an attribute calls tests.
fn tests_in(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        // Fuzz targets are tests too, one in a line of their macro (tests/fuzz.rs).
        let target = line
            .strip_suffix("\",")
            .and_then(|line| line.split_once(": \""));
        names.extend(target.map(|(name, _)| name.to_owned()));
        let attribute = line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        let name = line.trim_start_matches("async ").strip_prefix("fn ");
        match name.and_then(|name| name.split('(').next()) {
            Some(name) if is_test => {
                names.push(name.to_owned());
                is_test = false;
            }
            Some(_) => is_test = false,
            None => is_test |= attribute,
        }
    }
    names
}

#[test]
fn each_case_that_is_said_to_be_held_names_tests_that_are_there() {
    let page = fs::read_to_string("docs/comparison/correctness.md").unwrap();
    let known = tests();
    let rows = page
        .lines()
        .filter(|line| line.starts_with("| ") && !line.starts_with("| Case"));
    let mut cases = 0;
    let mut missing = Vec::new();
    for row in rows {
        cases += 1;
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        let named: Vec<&str> = cells[3].split('`').skip(1).step_by(2).collect();
        assert!(!named.is_empty(), "no test: {row}");
        missing.extend(named.into_iter().filter(|name| !known.contains(*name)));
    }
    assert!(cases > 30, "{cases}");
    assert!(missing.is_empty(), "{missing:#?}");
}

/// The rows of the tables of a page that have a last column of tests, and the names that stand in it.
fn named_in_tables(page: &str) -> Vec<(&str, Vec<&str>)> {
    let mut rows = Vec::new();
    let mut has_tests = None;
    for line in page.lines() {
        let Some(row) = line.strip_prefix("| ") else {
            // Of a table the line below its head begins otherwise too.
            has_tests = has_tests.filter(|_| line.starts_with('|'));
            continue;
        };
        let mut cells = row.trim_end().trim_end_matches('|').rsplit('|');
        let cell = cells.next().unwrap_or_default().trim();
        let Some(has_tests) = has_tests else {
            has_tests = Some(["Test", "Tests"].contains(&cell));
            continue;
        };
        let is_name = |name: &&str| {
            let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            name.contains('_') && name.chars().all(is_letter)
        };
        if has_tests {
            let names = cell.split('`').skip(1).step_by(2);
            rows.push((row, names.filter(is_name).collect()));
        }
    }
    rows
}

#[test]
fn each_threat_and_each_state_of_the_ledger_names_tests_that_are_there() {
    let known = tests();
    for (page, least) in [("docs/security.md", 25), ("docs/operations.md", 11)] {
        let text = fs::read_to_string(page).unwrap();
        let rows = named_in_tables(&text);
        assert!(rows.len() >= least, "{page}: {}", rows.len());
        let without: Vec<_> = rows.iter().filter(|(_, named)| named.is_empty()).collect();
        assert!(without.is_empty(), "{page}: no test: {without:#?}");
        let named = rows.into_iter().flat_map(|(_, named)| named);
        let missing: Vec<&str> = named.filter(|name| !known.contains(*name)).collect();
        assert!(missing.is_empty(), "{page}: {missing:#?}");
    }
    // Those that stand in running text.
    let text = fs::read_to_string("docs/security.md").unwrap();
    for name in [
        "a_sequence_at_its_end_stops_nobody",
        "each_right_in_the_whole_cluster_is_used_and_nothing_else_is_asked_for",
    ] {
        assert!(text.contains(name) && known.contains(name), "{name}");
    }
}

#[test]
fn what_is_wrong_would_be_found() {
    let text = "#[tokio::test(start_paused = true)]\nasync fn one() {}\nfn helper() {}\n#[test]\n#[cfg(unix)]\nfn two() {}";
    assert_eq!(tests_in(text), ["one", "two"]);
    assert_eq!(tests_in("    it_holds: \"target\",\n"), ["it_holds"]);
    let page = "| a | Tests |\n|---|---|\n| a \\| b | `c_d`, `e_f` and `g` |\n| `h_i` | |\nno `h_i`\n\
                | a | b |\n|---|---|\n| a | `j_k` |\n\n| a | Test |\n|---|---|\n| b | `l_m` |\n";
    let named: Vec<Vec<&str>> = named_in_tables(page).into_iter().map(|it| it.1).collect();
    assert_eq!(named, [vec!["c_d", "e_f"], vec![], vec!["l_m"]]);
    assert!(keeps_a_place("SIZES") && keeps_a_place("Here is more TODO: sizes."));
    assert!(!keeps_a_place("DRY RUN") && !keeps_a_place("A") && !keeps_a_place("Sizes"));
    let text = "//! A room.\nuse crate::{github::wire, model};\nuse crate::cluster::Cluster;\n";
    let rooms: Vec<String> = imports(&code(text)).into_iter().collect();
    assert_eq!(rooms, ["cluster", "github", "model"]);
    assert_eq!(room(Path::new("src/model.rs")).as_deref(), Some("model"));
    assert_eq!(room(Path::new("src/main.rs")), None);
    assert!(!code("// use crate::github;\n").contains("github"));
}
