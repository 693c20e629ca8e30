//! The page of linked artifacts: one row for each artifact with its deployment records, and the last
//! requests. Rendered here, self-contained; the script only refreshes and filters.

use std::collections::BTreeMap;
use std::fmt::{self, Display, Formatter, Write};

use serde_json::Value;

use super::{Entry, Record, Sandbox, Status};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// How many requests the page shows.
const REQUESTS: usize = 12;

/// A text that may hold anything, made fit to stand in HTML, in an attribute too.
struct Safe<'a>(&'a str);

impl Display for Safe<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for letter in self.0.chars() {
            match letter {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                other => f.write_char(other)?,
            }
        }
        Ok(())
    }
}

/// What makes one artifact: organization, name, version, digest.
type Artifact<'a> = (&'a str, &'a str, &'a str, &'a str);

/// The whole page.
pub(super) fn render(sandbox: &Sandbox) -> String {
    let records = sandbox.records();
    let mut artifacts: BTreeMap<Artifact<'_>, Vec<&Record>> = BTreeMap::new();
    for record in &records {
        let version = record.version.as_deref().unwrap_or_default();
        let artifact = (
            record.key.org.as_str(),
            record.name.as_str(),
            version,
            record.digest.as_str(),
        );
        artifacts.entry(artifact).or_default().push(record);
    }
    let mut html = String::with_capacity(8192 + records.len() * 900);
    // Writing to a String cannot fail.
    let _ = write_page(&mut html, sandbox, &records, &artifacts);
    html
}

fn write_page(
    html: &mut String,
    sandbox: &Sandbox,
    records: &[Record],
    artifacts: &BTreeMap<Artifact<'_>, Vec<&Record>>,
) -> fmt::Result {
    write!(
        html,
        "<!doctype html><html lang=en><head><meta charset=utf-8><title>Linked artifacts · \
         github-sandbox</title><meta name=viewport content='width=device-width,initial-scale=1'><link rel=icon href='data:,'>\
         <noscript><meta http-equiv=refresh content=10></noscript><style>{STYLE}</style></head>\
         <body data-version='{}'><header><h1>Linked artifacts</h1><p>github-sandbox, a stand-in for \
         GitHub: what GitHub would hold now. <a href='#requests'>Last requests</a></p></header><main>",
        *sandbox.subscribe().borrow()
    )?;
    write_counts(html, sandbox, records, artifacts.len())?;
    html.push_str(
        "<div class=tools><input id=filter type=search placeholder='Filter by anything in a row' \
         aria-label=Filter><label><input id=gone type=checkbox checked> decommissioned</label></div>\
         <div class=frame><table><thead><tr><th>Artifact<th>Deployed as<th>Environment<th>Cluster\
         <th>Context<th>Repository<th>Last update</thead>",
    );
    if artifacts.is_empty() {
        html.push_str("<tbody><tr><td colspan=7 class=none>No deployment record yet.</tbody>");
    }
    for (artifact, records) in artifacts {
        write_artifact(html, artifact, records)?;
    }
    html.push_str("</table></div><h2 id=requests>Last requests</h2>");
    write_requests(html, &sandbox.requests(), sandbox)?;
    write!(html, "</main><script>{SCRIPT}</script></body></html>")
}

fn write_counts(
    html: &mut String,
    sandbox: &Sandbox,
    records: &[Record],
    artifacts: usize,
) -> fmt::Result {
    let deployed = records
        .iter()
        .filter(|record| record.status == Status::Deployed)
        .count();
    let faults = sandbox.faults().len();
    let violations = sandbox.violations().len();
    let requests = usize::try_from(sandbox.request_count()).unwrap_or(usize::MAX);
    let counts = [
        ("artifacts", artifacts, ""),
        ("deployed", deployed, "good"),
        ("decommissioned", records.len() - deployed, "quiet"),
        ("requests", requests, ""),
        (
            "violations",
            violations,
            if violations > 0 { "bad" } else { "quiet" },
        ),
        (
            "faults set",
            faults,
            if faults > 0 { "warn" } else { "quiet" },
        ),
    ];
    html.push_str("<dl class=counts>");
    for (name, count, class) in counts {
        write!(
            html,
            "<div class='{class}'><dd>{count}</dd><dt>{name}</dt></div>"
        )?;
    }
    html.push_str("</dl>");
    Ok(())
}

fn write_artifact(html: &mut String, artifact: &Artifact<'_>, records: &[&Record]) -> fmt::Result {
    let (org, name, version, digest) = *artifact;
    let short: String = digest
        .trim_start_matches("sha256:")
        .chars()
        .take(12)
        .collect();
    write!(
        html,
        "<tbody class=artifact><tr><td class=what rowspan={}><b>{}</b>",
        records.len(),
        Safe(name)
    )?;
    if !version.is_empty() {
        write!(html, " <span class=version>{}</span>", Safe(version))?;
    }
    write!(
        html,
        "<br><code title='{}'>sha256:{}…</code>",
        Safe(digest),
        Safe(&short)
    )?;
    write!(html, " <small>{}</small></td>", Safe(org))?;
    for (index, record) in records.iter().enumerate() {
        if index > 0 {
            html.push_str("<tr>");
        }
        write_record(html, record)?;
        html.push_str("</tr>");
    }
    html.push_str("</tbody>");
    Ok(())
}

fn write_record(html: &mut String, record: &Record) -> fmt::Result {
    let (class, title) = match record.status {
        Status::Deployed => ("on", "deployed"),
        Status::Decommissioned => ("off", "decommissioned"),
    };
    write!(
        html,
        "<td class={class}><i title={title}></i><span>{}</span></td><td>{}",
        Safe(&record.key.deployment_name),
        Safe(&record.key.logical_environment)
    )?;
    if !record.key.physical_environment.is_empty() {
        write!(
            html,
            " <small>{}</small>",
            Safe(&record.key.physical_environment)
        )?;
    }
    write!(
        html,
        "</td><td class=whole>{}</td><td>",
        Safe(&record.key.cluster)
    )?;
    for risk in &record.runtime_risks {
        write!(html, "<span class=risk>{}</span> ", Safe(risk))?;
    }
    for (key, value) in &record.tags {
        write!(
            html,
            "<span class=tag>{}: {}</span> ",
            Safe(key),
            Safe(value)
        )?;
    }
    write!(
        html,
        "</td><td>{}</td><td><time datetime='{time}'>{time}</time></td>",
        Safe(record.github_repository.as_deref().unwrap_or_default()),
        time = record.updated_at
    )
}

fn write_requests(html: &mut String, entries: &[Entry], sandbox: &Sandbox) -> fmt::Result {
    html.push_str(
        "<div class=frame><table class=requests><thead><tr><th>#<th>When<th>Request<th>Answer\
         <th>Records written<th>Remarks</thead><tbody>",
    );
    let start = sandbox.now() - sandbox.elapsed();
    for entry in entries.iter().rev().take(REQUESTS) {
        let status = entry
            .status
            .map_or_else(|| "none".to_owned(), |status| status.to_string());
        let good = entry.status.is_some_and(|status| status < 300);
        let at = start + entry.at;
        write!(
            html,
            "<tr><td>{}<td><time datetime='{at}'>{at:.0}</time><td>{} <code>{}</code>\
             <td class={}>{status}<td>{}<td>",
            entry.sequence,
            Safe(&entry.method),
            Safe(&entry.path),
            if good { "good" } else { "bad" },
            entry.applied
        )?;
        for violation in &entry.violations {
            write!(
                html,
                "<span class=risk>{}</span> ",
                Safe(&violation.to_string())
            )?;
        }
        for fault in &entry.faults {
            let words = serde_json::to_value(fault).unwrap_or_default();
            let kind = words
                .get("kind")
                .and_then(Value::as_str)
                .unwrap_or_default();
            write!(
                html,
                "<span class=tag>fault: {}</span> ",
                Safe(&kind.replace('_', " "))
            )?;
        }
    }
    html.push_str("</tbody></table></div>");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_was_sent_becomes_markup() {
        assert_eq!(
            Safe("<b onclick='x'>&\"").to_string(),
            "&lt;b onclick=&#39;x&#39;&gt;&amp;&quot;"
        );
    }

    #[test]
    fn an_empty_sandbox_has_a_page_that_says_so() {
        let page = render(&Sandbox::default());
        assert!(page.contains("No deployment record yet."));
        assert!(page.ends_with("</html>"));
    }
}
