//! The client: who speaks to GitHub, with the writes that the recorder paces itself. A command that
//! writes uses a [`Writer`](super::writer::Writer) around it, one that reads its [`Reader`]. The
//! service may be a real connection or a router in the same process.

use std::time::Duration;

use super::answer::Given;
use super::api::{ApiUrl, ApiVersion};
use super::auth::{Keyring, Permitted, SignIn};
use super::call::{Call, Caller, Carrier};
use super::calls::{self, Target};
use super::exchange::{Exchange, NotSent};
use super::reader::Reader;
use super::request::RequestError;
use crate::model::record::{Destination, Line};
use crate::model::storage::StorageLine;

#[cfg(test)]
mod tests;

/// The longest that one exchange may take, unless a person says otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);

/// A client of GitHub's API. It cannot be shared or cloned: one write at a time is a promise. A
/// call ends with an error only if nothing was sent; dropping its future leaves the outcome unknown.
#[derive(Debug)]
pub struct Client<S> {
    caller: Caller<S>,
}

impl<S> Client<S> {
    /// A client that sends through `service`. A whole exchange, redirects and bodies included,
    /// takes no longer than `timeout`.
    pub fn new(
        service: S,
        api: ApiUrl,
        version: ApiVersion,
        keyring: impl Into<Keyring>,
        timeout: Duration,
    ) -> Self {
        Self {
            caller: Caller::new(service, api, version, keyring.into(), timeout),
        }
    }

    /// The API that it speaks to.
    pub fn api(&self) -> &ApiUrl {
        self.target().api
    }

    /// Who signs in where.
    pub fn keyring(&self) -> &Keyring {
        self.caller.keyring()
    }

    /// Forgets what came of signing in at all organizations but these, and the token that each got.
    /// Names come in lower case.
    pub fn keep(&mut self, is_wanted: impl Fn(&str) -> bool) {
        self.caller.keep(is_wanted);
    }

    /// Makes sure that there is a token for the next request to this organization, which may take
    /// requests of its own. Each call does so too; whoever keeps a pace does it before.
    pub async fn sign_in(&mut self, organization: &str) -> SignIn {
        self.caller.sign_in(organization).await
    }

    /// Whether there is a token for this organization that was not sent yet: what was denied to the
    /// last one may be tried again.
    pub async fn has_new_token(&self, organization: &str) -> bool {
        self.caller.has_new_token(organization).await
    }

    /// Access to this organization failed (403 or 404), which says more of the token than of what was
    /// asked: see [`Credentials::denied`](super::auth::Credentials::denied).
    pub fn denied(&self, organization: &str) {
        self.caller.denied(organization);
    }

    /// What the token at hand may do there with artifact metadata, where GitHub says so
    /// ([`Credentials::permitted`](super::auth::Credentials::permitted)).
    pub fn permitted(&self, organization: &str) -> Option<Permitted> {
        self.caller.permitted(organization)
    }

    /// What reads from the same API with the same tokens.
    pub fn reader(&self) -> Reader<S>
    where
        S: Clone,
    {
        Reader::new(self.caller.clone())
    }

    /// Whether a request with these lines keeps the contract.
    pub fn check(&self, destination: &Destination, lines: &[Line]) -> Result<(), RequestError> {
        calls::set_cluster_deployment_records(self.target(), destination, lines).map(drop)
    }

    pub(super) fn target(&self) -> Target<'_> {
        self.caller.target()
    }
}

impl<S: Carrier> Client<S> {
    /// Sets these records of a cluster, and says what became of each.
    pub async fn set_cluster_deployment_records(
        &mut self,
        destination: &Destination,
        lines: &[Line],
    ) -> Result<Exchange, NotSent> {
        let call = calls::set_cluster_deployment_records(self.target(), destination, lines)?;
        self.make(call).await
    }

    /// Creates or updates one storage record.
    pub async fn create_storage_record(
        &mut self,
        organization: &str,
        line: &StorageLine,
    ) -> Result<Exchange, NotSent> {
        let call = calls::create_storage_record(self.target(), organization, line)?;
        self.make(call).await
    }

    pub(super) async fn make<T: Given>(
        &mut self,
        call: Call<'_, T>,
    ) -> Result<Exchange<T>, NotSent> {
        self.caller.make(call).await
    }
}
