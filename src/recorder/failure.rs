//! Failure: what the API server means where it does not do what it is asked, for the store and the
//! Lease. Both write only what they may, and must not take a word of somebody in between for its own.

use kube::core::Status;

/// What the API server gives as the reason of its own 404.
const NOT_FOUND: &str = "NotFound";

/// Whether the API server itself says that there is no such object: a 404 of anybody in between is not
/// of its form.
pub(super) fn is_absent(status: &Status) -> bool {
    status.code == 404 && status.reason == NOT_FOUND
}

/// What was read; `None` where it is not there.
pub(super) fn present<T>(answer: kube::Result<T>) -> kube::Result<Option<T>> {
    match answer {
        Err(kube::Error::Api(status)) if is_absent(&status) => Ok(None),
        answer => answer.map(Some),
    }
}

/// Whether a right to `verb` is what lacks: RBAC says so. A quota and an admission policy refuse with 403
/// too, and no rule helps there.
pub(super) fn is_lack_of_right(status: &Status, verb: &str) -> bool {
    let words = format!(" cannot {verb} resource ");
    status.code == 403 && status.message.contains(&words)
}
