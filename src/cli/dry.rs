//! Requests as they would be sent, printed: `--dry-run` of the commands that use the API's own
//! endpoints. The token is not needed and never shown.

use std::collections::BTreeMap;
use std::io::{self, Write};

use bytes::Bytes;
use http::Request;
use http::header::AUTHORIZATION;
use serde::Serialize;
use serde_json::Value;

use super::output::{Form, Table};
use super::settings::{Call, List};
use crate::github::api::{ApiUrl, ApiVersion};
use crate::github::request::RequestError;
use crate::model::image::Digest;

/// What stands in place of the token.
const MASKED: &str = "Bearer ***";

/// A request.
#[derive(Debug, Serialize)]
struct Shown {
    method: String,
    url: String,
    headers: BTreeMap<String, String>,
    body: Option<Value>,
}

/// All of them.
#[derive(Debug, Serialize)]
struct All {
    requests: Vec<Shown>,
}

/// Prints these requests, and says what is to be warned of.
pub fn show(call: &Call, requests: &[Request<Bytes>]) -> anyhow::Result<()> {
    for warning in &call.warnings {
        super::remark(&format!("warning: {warning}"));
    }
    super::print(|out| write(call.form, out, requests))
}

/// Writes these requests: as HTTP does, with the body byte by byte, or as JSON or YAML.
pub fn write(form: Form, out: &mut dyn Write, requests: &[Request<Bytes>]) -> io::Result<()> {
    if form == Form::Table {
        for (index, request) in requests.iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            as_http(out, request)?;
        }
        return Ok(());
    }
    let all = All {
        requests: requests.iter().map(shown).collect(),
    };
    form.write(out, &all, |_| Table::default())
}

/// Prints the requests of a list, each of which `build` makes.
pub fn list(
    list: &List,
    build: impl Fn(&ApiUrl, &ApiVersion, &str, &Digest) -> Result<Request<Bytes>, RequestError>,
) -> anyhow::Result<()> {
    let List { call, asked } = list;
    let (api, version) = (&call.github.url, &call.github.version);
    let asked = asked.iter();
    let requests = asked.map(|one| build(api, version, &call.organization, &one.digest));
    let requests = requests.collect::<Result<Vec<_>, _>>()?;
    show(call, &requests)
}

fn as_http(out: &mut dyn Write, request: &Request<Bytes>) -> io::Result<()> {
    writeln!(out, "{} {}", request.method(), request.uri())?;
    for (name, value) in headers(request) {
        writeln!(out, "{name}: {value}")?;
    }
    if !request.body().is_empty() {
        writeln!(out)?;
        out.write_all(request.body())?;
        writeln!(out)?;
    }
    Ok(())
}

fn shown(request: &Request<Bytes>) -> Shown {
    Shown {
        method: request.method().to_string(),
        url: request.uri().to_string(),
        headers: headers(request),
        body: serde_json::from_slice(request.body()).ok(),
    }
}

/// The headers by name, with the token masked that is added when a request leaves.
fn headers(request: &Request<Bytes>) -> BTreeMap<String, String> {
    let given = request.headers().iter().map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes());
        (name.to_string(), value.into_owned())
    });
    let masked = (AUTHORIZATION.to_string(), MASKED.to_owned());
    given.chain([masked]).collect()
}

#[cfg(test)]
mod tests {
    use http::header::ACCEPT;

    use super::*;

    fn written(form: Form) -> String {
        let body = Bytes::from_static(br#"{"b":1,"a":[]}"#);
        let with = Request::post("https://api.test/x").header(ACCEPT, "text");
        let with = with.header(AUTHORIZATION, "Bearer hunter2").body(body);
        let without = Request::get("https://api.test/y").body(Bytes::new());
        let mut out = Vec::new();
        write(form, &mut out, &[with.unwrap(), without.unwrap()]).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_request_is_shown_to_the_byte_but_for_its_token() {
        assert_eq!(
            written(Form::Table),
            "POST https://api.test/x\naccept: text\nauthorization: Bearer ***\n\n\
             {\"b\":1,\"a\":[]}\n\nGET https://api.test/y\nauthorization: Bearer ***\n"
        );
        for form in [Form::Json, Form::Yaml] {
            let text = written(form);
            let value: Value = serde_saphyr::from_str(&text).unwrap();
            let requests = value["requests"].as_array().unwrap();
            assert_eq!(requests[0]["body"]["b"], 1);
            assert_eq!(requests[0]["headers"]["authorization"], MASKED);
            assert_eq!(
                (&requests[1]["method"], &requests[1]["body"]),
                (&"GET".into(), &Value::Null)
            );
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}
