//! What must hold of any file of `records set`: a plain function over bytes (`crate::fuzz`).

#![expect(clippy::unwrap_used, reason = "what fails here is a finding")]

use serde_json::Value;

use super::batches::{Batches, Way};
use super::input::{Input, InputError};
use crate::cli::output::Form;
use crate::cli::settings::{Call, Github, Place};
use crate::github::api::{ApiUrl, ApiVersion, DEFAULT, DEFAULT_VERSION};
use crate::github::client::DEFAULT_TIMEOUT;
use crate::github::request::{MAX_JOB_LINES, MAX_LINES, RequestError};

/// A file that is read makes lines, one of each record; what is wrong with their requests is a limit
/// of the contract; and the body of each request is a file that says the same.
pub(crate) fn file(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let input = match Input::parse(text) {
        Ok(input) => input,
        Err(InputError(problem)) => {
            assert!(
                !problem.is_empty() && !problem.contains('\n'),
                "{problem:?}"
            );
            return;
        }
    };
    let call = call();
    let place = Place {
        cluster: Some("main".into()),
        logical_environment: Some("production".into()),
        physical_environment: None,
    };
    for (way, most) in [(Way::AtOnce, MAX_LINES), (Way::Job, MAX_JOB_LINES)] {
        let count = input.entries.len();
        let Ok(batches) = Batches::new(input.entries.clone(), &place, &call, way) else {
            continue;
        };
        let mut end = 0;
        for range in &batches.ranges {
            assert!(range.start == end && (1..=most).contains(&range.len()));
            end = range.end;
        }
        assert_eq!((end, batches.lines.len()), (count, count));
        match batches.requests(&call, way) {
            Ok(requests) => {
                for (request, range) in requests.iter().zip(&batches.ranges) {
                    is_a_file_of(request.body(), &batches, range.clone());
                }
            }
            Err(error) => assert!(
                matches!(
                    error,
                    RequestError::Field { .. }
                        | RequestError::Count { .. }
                        | RequestError::Line { .. }
                ),
                "{error}"
            ),
        }
    }
}

/// The body of a request, without what only says how to answer it.
fn is_a_file_of(body: &[u8], batches: &Batches, range: std::ops::Range<usize>) {
    let mut body: Value = serde_json::from_slice(body).unwrap();
    let fields = body.as_object_mut().unwrap();
    fields.retain(|field, _| !matches!(&**field, "partial_success" | "return_records"));
    let again = Input::parse(&body.to_string()).unwrap();
    let lines = batches.lines.get(range).unwrap();
    assert_eq!(again.entries.len(), lines.len());
    for (entry, line) in again.entries.iter().zip(lines) {
        assert_eq!(entry.name, line.identity.name);
        assert_eq!((&entry.body, entry.status), (&*line.body, line.status));
        let said = &entry.place;
        let destination = &line.identity.destination;
        assert_eq!(
            said.logical_environment.as_ref(),
            Some(&destination.logical_environment)
        );
        assert_eq!(said.physical_environment, destination.physical_environment);
    }
}

fn call() -> Call {
    Call {
        github: Github {
            url: ApiUrl::parse(DEFAULT, false).unwrap(),
            version: ApiVersion::parse(DEFAULT_VERSION).unwrap(),
            timeout: DEFAULT_TIMEOUT,
            sign_in: None,
            own: Vec::new(),
        },
        organization: "acme".into(),
        dry_run: true,
        form: Form::Json,
        warnings: Vec::new(),
    }
}
