//! What GitHub announces in headers: that an operation, or the version that was asked for, comes to
//! its end. Each announcement is logged once.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use http::header::{HeaderMap, LINK};
use tracing::warn;

use super::answer::tidy;
use super::api::ApiVersion;
use super::operation::Operation;

/// More announcements than there ever are: headers that change with each answer fill no memory.
const MOST: usize = 100;

/// The announcements that were logged.
#[derive(Debug, Default)]
pub(super) struct Notices(Mutex<BTreeSet<(Operation, [Option<String>; 2])>>);

impl Notices {
    /// Logs what these headers announce, unless it was logged before: `Deprecation` (RFC 9745) and
    /// `Sunset` (RFC 8594), with where to read more about it.
    pub(super) fn heed(&self, operation: Operation, version: &ApiVersion, headers: &HeaderMap) {
        let text = |name| {
            let value = headers.get(name)?.as_bytes();
            Some(tidy(&String::from_utf8_lossy(value)))
        };
        let announced = ["deprecation", "sunset"].map(text);
        let [deprecation, sunset] = &announced;
        if (deprecation.is_none() && sunset.is_none()) || !self.is_new(operation, &announced) {
            return;
        }
        warn!(
            operation = operation.as_str(),
            version = %version,
            deprecation,
            sunset,
            link = text(LINK.as_str()),
            "GitHub announces the end of what was asked"
        );
    }

    fn is_new(&self, operation: Operation, announced: &[Option<String>; 2]) -> bool {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.len() < MOST && known.insert((operation, announced.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_announcement_is_new_once_per_operation_and_value() {
        let notices = Notices::default();
        let sunset = |day: &str| [None, Some(format!("{day} Jan 2027"))];
        let list = Operation::ListStorageRecords;
        assert!(notices.is_new(list, &sunset("1")));
        assert!(!notices.is_new(list, &sunset("1")));
        assert!(notices.is_new(list, &sunset("2")));
        assert!(notices.is_new(Operation::GetJob, &sunset("1")));
        let many = (0..200).filter(|day| notices.is_new(list, &sunset(&day.to_string())));
        assert!(many.count() < 100);
    }
}
