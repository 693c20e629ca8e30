//! Explanations as text for people.

use std::io::{self, Write};

use super::page::Page;
use crate::admin::explain::{
    Body, Container, Explained, Gap, Origin, Record, Row, Stray, Unowned, Way, Workload,
};

/// Writes an explanation, with who tells it in the first line.
pub(super) fn write(out: &mut dyn Write, teller: &str, explained: &Explained) -> io::Result<()> {
    let mut page = Page::new(out);
    page.line(0, teller)?;
    if let Some(stray) = &explained.stray {
        of_stray(&mut page, stray)?;
    }
    for workload in &explained.workloads {
        page.gap()?;
        of_workload(&mut page, workload)?;
    }
    for Unowned { row, record } in &explained.unowned {
        page.gap()?;
        page.line(0, &format!("Record {}", record.name))?;
        page.fact(2, "Because", &[because(row)])?;
        of_record(&mut page, 2, record)?;
    }
    Ok(())
}

fn of_stray(page: &mut Page<'_>, stray: &Stray) -> io::Result<()> {
    page.gap()?;
    page.line(0, &format!("Pod {}", stray.pod))?;
    let way = [vec![format!("pod {}", stray.pod)], stray.passed.clone()].concat();
    let way = format!("{} -> {}", way.join(" -> "), stray.owner);
    page.fact(
        2,
        "Way",
        &[way, format!("{}: {}", stray.end, stray.meaning)],
    )?;
    page.fact(2, "To do", &[&stray.advice])
}

fn of_workload(page: &mut Page<'_>, workload: &Workload) -> io::Result<()> {
    let kind = match &*workload.group {
        "" | "apps" | "batch" => workload.kind.clone(),
        group => format!("{}.{group}", workload.kind),
    };
    let name = &workload.workload;
    page.line(0, &format!("{kind} {}/{name}", workload.namespace))?;
    if let Some(found) = &workload.found_by.name {
        let what = &workload.found_by.what;
        let found = if what == "owner" {
            found.clone()
        } else {
            format!("{what} {found}")
        };
        page.fact(2, "Found by", &[found])?;
    }
    let own = format!("{} {name}", workload.kind);
    let ways: Vec<String> = workload.ways.iter().map(|way| of_way(way, &own)).collect();
    page.fact(
        2,
        "Pods",
        if ways.is_empty() {
            vec!["none".to_owned()]
        } else {
            ways
        }
        .as_slice(),
    )?;
    if !workload.object_seen && workload.kind != "Pod" {
        page.fact(2, "Object", &["not seen"])?;
    }
    let doors = workload
        .doors
        .iter()
        .map(|door| match (door.open, &door.why) {
            (Some(true), _) => door.way.clone(),
            (_, why) => format!("{}: no, {}", door.way, why.as_deref().unwrap_or_default()),
        });
    let unseen = workload.doors_not_seen.iter().cloned();
    let doors: Vec<String> = doors.chain(unseen).collect();
    page.fact(2, "Reached by", &doors)?;
    for container in &workload.containers {
        page.gap()?;
        of_container(page, container)?;
    }
    Ok(())
}

fn of_way(way: &Way, own: &str) -> String {
    let mut pods: Vec<&str> = way.pods.iter().map(|pod| &**pod).collect();
    let more = way.count.saturating_sub(pods.len());
    let more = format!("and {more} more");
    if way.count > pods.len() {
        pods.push(&more);
    }
    let gone = if way.remembered { " (gone)" } else { "" };
    let pods = format!("{}{gone}", pods.join(", "));
    let up = way.passed.iter().map(String::as_str).chain([own]);
    // A pod that is its own workload is not above itself.
    let up = up.filter(|owner| *owner != format!("Pod {pods}"));
    let steps: Vec<&str> = std::iter::once(&*pods).chain(up).collect();
    steps.join(" -> ")
}

fn of_container(page: &mut Page<'_>, it: &Container) -> io::Result<()> {
    page.line(2, &format!("Container {}", it.container))?;
    let row = match &it.row {
        Some(row) => because(row),
        None => "the last cycle has not seen it".to_owned(),
    };
    page.fact(4, "Because", &[row])?;
    of_selection(page, it)?;
    of_evidence(page, it)?;
    of_content(page, it)?;
    for record in &it.records {
        of_record(page, 4, record)?;
    }
    if it.records.is_empty() {
        page.fact(4, "At GitHub", &["nothing that the ledger knows of"])?;
    }
    for Gap {
        reason,
        detail,
        meaning,
        advice,
    } in &it.gaps
    {
        let lines = [
            format!("{reason}: {detail}"),
            meaning.clone(),
            format!("To do: {advice}"),
        ];
        page.fact(4, "Gap", &lines)?;
    }
    Ok(())
}

fn of_selection(page: &mut Page<'_>, it: &Container) -> io::Result<()> {
    let selected = &it.selected;
    match (selected.selected, &selected.reason) {
        (Some(true), _) => {}
        (None, _) => page.fact(4, "Selected", &["not known: what decides it is not read"])?,
        (Some(false), reason) => {
            let reason = reason.as_deref().unwrap_or_default();
            let setting = selected.setting.as_deref().unwrap_or_default();
            let mut lines = vec![format!("no, {reason}: left out by {setting}")];
            let advice = selected.advice.iter();
            lines.extend(advice.map(|advice| format!("To do: {advice}")));
            page.fact(4, "Selected", &lines)?;
        }
    }
    if let Some(ignore) = &it.ignore {
        let line = format!("{:?}: {}", ignore.value, of_origin(&ignore.from));
        page.fact(4, "Ignore", &[line])?;
    }
    if !it.not_seen.is_empty() {
        page.fact(4, "Not seen", &[it.not_seen.join(", ")])?;
    }
    Ok(())
}

fn of_evidence(page: &mut Page<'_>, it: &Container) -> io::Result<()> {
    if let Some(speaker) = &it.speaker {
        let why = match (&*speaker.speaks_as, speaker.ready_pods) {
            ("newest-ready", Some(1)) => "the only ready pod that runs it".to_owned(),
            ("newest-ready", Some(ready)) if speaker.ready_and_same == Some(ready) => {
                format!("the newest of {ready} ready pods, which all run the same")
            }
            ("newest-ready", Some(ready)) => {
                let same = speaker.ready_and_same.unwrap_or_default();
                format!("of {ready} ready pods {same} run the same; it is the newest of these")
            }
            ("newest-run", _) => "the newest pod in which a container ran".to_owned(),
            _ => "no pod is ready; it is the newest in which it runs".to_owned(),
        };
        page.fact(4, "Speaker", &[format!("pod {}: {why}", speaker.pod)])?;
        let mut image = vec![format!("{} in the pod's spec", speaker.image)];
        image.extend(it.image.as_ref().map(|image| match &image.name {
            Some(name) => format!("recorded as {}", versioned(name, image.version.as_deref())),
            None => image.problem.clone().unwrap_or_default(),
        }));
        page.fact(4, "Image", &image)?;
        let digest = &speaker.digest;
        let known = digest.digest.clone();
        let lines: Vec<String> = known.into_iter().chain([digest.meaning.clone()]).collect();
        page.fact(4, "Digest", &lines)?;
    } else {
        let standing = match &*it.standing {
            "in-spec" => "it stands in a pod's spec and does not run",
            "dropped" => "it stands in the spec of none of the pods",
            "no-pods" => "there is no pod",
            "no-workload" => "there is no workload of that name",
            "no-namespace" => "there is no such namespace",
            other => other,
        };
        page.fact(4, "Speaker", &[format!("none: {standing}")])?;
    }
    let mut others: Vec<String> = it
        .others
        .iter()
        .map(|other| {
            let digest = other.digest.as_deref().unwrap_or("no digest");
            let why = other.why.replace('-', " ");
            format!("pod {} ({why}): {} {digest}", other.pod, other.image)
        })
        .collect();
    if it.more_others > 0 {
        others.push(format!("and {} more", it.more_others));
    }
    page.fact(4, "Not heard", &others)
}

/// What its record says, and where each thing comes from.
fn of_content(page: &mut Page<'_>, it: &Container) -> io::Result<()> {
    if let Some(name) = &it.record_name {
        let why = match (&*name.from, &name.plain) {
            ("ledger", _) => "its name in the ledger".to_owned(),
            ("hash", Some(plain)) => {
                let of = name.taken_by.as_deref().unwrap_or("another source");
                format!("with a hash of the source, because {plain} is the name of {of}")
            }
            _ => format!("by the template {}", name.template),
        };
        page.fact(4, "Record", &[name.name.to_string(), why])?;
    }
    if let Some(to) = &it.goes_to {
        let physical = to.physical_environment.as_ref();
        let parts = [
            ("organization", Some(&to.organization)),
            ("cluster", Some(&to.cluster)),
            ("environment", Some(&to.logical_environment)),
            ("in", physical),
        ];
        let parts = parts
            .into_iter()
            .filter_map(|(what, part)| Some((what, part?)));
        let parts = parts.filter(|(_, part)| !part.value.is_empty());
        let lines: Vec<String> = parts
            .map(|(what, part)| format!("{what} {}: {}", part.value, of_origin(&part.from)))
            .collect();
        page.fact(4, "Goes to", &lines)?;
    }
    let repository = it.repository.iter();
    let repository = repository.map(|it| format!("{}: {}", it.value, of_origin(&it.from)));
    let repository: Vec<String> = repository.chain(it.image_label.clone()).collect();
    page.fact(4, "Repository", &repository)?;
    let tags = it.tags.iter();
    let tags = tags.map(|tag| format!("{}={}: {}", tag.key, tag.value, of_origin(&tag.from)));
    page.fact(4, "Tags", &tags.collect::<Vec<_>>())?;
    let risks = it.runtime_risks.iter().map(|risk| {
        let from: Vec<String> = risk.from.iter().map(of_origin).collect();
        format!("{}: {}", risk.risk, from.join(", "))
    });
    page.fact(4, "Risks", &risks.collect::<Vec<_>>())
}

fn of_origin(origin: &Origin) -> String {
    let name = origin.name.as_deref().unwrap_or_default();
    let object = origin.object.as_deref().unwrap_or_default();
    match &*origin.what {
        "setting" => format!("setting {name}"),
        "label" => format!("label of {object} ({name})"),
        "annotation" => format!("{name} of {object}"),
        "rule" => format!("{name} {object}"),
        "image-label" => format!("the image's label {name}: {object}"),
        "door" => object.to_owned(),
        _ => "as GitHub holds it".to_owned(),
    }
}

fn because(row: &Row) -> String {
    format!("{}: {} (row {})", row.name, row.meaning, row.number)
}

fn of_record(page: &mut Page<'_>, indent: usize, record: &Record) -> io::Result<()> {
    let place = match &record.physical_environment {
        Some(physical) => format!("{}, {physical}", record.logical_environment),
        None => record.logical_environment.to_string(),
    };
    let mut lines = vec![
        format!("{} in {}, {place}", record.name, record.cluster),
        format!("{}: {}", record.state, record.meaning),
    ];
    if let (Some(reason), Some(meaning)) = (&record.reason, &record.reason_meaning) {
        lines.push(format!("{reason}: {meaning}"));
    }
    lines.push(match &record.held {
        Some(held) if Some(held) == record.wanted.as_ref() => "acknowledged as it is".to_owned(),
        Some(held) => format!("acknowledged last: {}", of_body(held)),
        None => "never acknowledged".to_owned(),
    });
    for unanswered in &record.unanswered {
        let again = record.asked_again_at.as_ref();
        let again = again
            .map(|at| format!(", asked again at {at}"))
            .unwrap_or_default();
        let body = of_body(&unanswered.body);
        lines.push(format!("unanswered: {} {body}{again}", unanswered.status));
    }
    for refusal in &record.refused {
        let again = refusal.retry_at.as_ref();
        let again = again
            .map(|at| format!(", asked again at {at}"))
            .unwrap_or_default();
        let (reason, meaning) = (&refusal.reason, &refusal.meaning);
        let (status, digest) = (&refusal.status, &refusal.digest);
        lines.push(format!(
            "refused as {status} with {digest}: {reason}, {meaning}{again}"
        ));
        lines.push(format!("To do: {}", refusal.advice));
    }
    let times = [
        ("its end is told again at", &record.ends_again_at),
        ("missing since", &record.missing_since),
        ("without a pod since", &record.idle_since),
    ];
    for (what, time) in times {
        lines.extend(time.iter().map(|time| format!("{what} {time}")));
    }
    lines.extend(
        record
            .advice
            .iter()
            .map(|advice| format!("To do: {advice}")),
    );
    page.fact(indent, "At GitHub", &lines)
}

fn of_body(body: &Body) -> String {
    let image = versioned(&body.image, body.version.as_deref());
    format!("{image} {}", body.digest)
}

fn versioned(name: &str, version: Option<&str>) -> String {
    match version {
        Some(version) => format!("{name}:{version}"),
        None => name.to_owned(),
    }
}
