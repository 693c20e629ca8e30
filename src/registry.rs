//! Registries in: what the images that run say of where their code came from, read by the API that
//! registries share (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md>). Nothing
//! here decides anything about records, and nothing that decides waits for it.
//!
//! Whoever may create a pod chooses which registry is asked here, and whoever runs a registry chooses
//! what it answers. So:
//!
//! * Everything is bounded: each answer in its length, each look-up in its time and its number of
//!   requests, each registry to one look-up at a time and two a second, all together in number
//!   (`client`, `queue`). What is remembered is bounded by what runs.
//! * What is sent is a GET, by HTTPS with a certificate that is valid; by plain HTTP only to hosts that
//!   a person has listed. An address of this machine itself, of the local link or of no machine is
//!   never asked unless it is listed, whether an image, a redirect or a token service names it
//!   (`address`), or a name leads there (`names`).
//! * A pull secret goes to the registry that the secret itself names for this image, and to the token
//!   service that this registry names by HTTPS; never elsewhere. A redirect to another scheme, host or
//!   port is followed without whoever asks (`client`).
//! * What comes back is believed only if it has the digest that was asked for, from the digest that
//!   runs down to the configuration (`client`). So a registry can say nothing of an image that the
//!   image does not say of itself.
//! * No answer is shown to anybody but the label, cut short and without a password; no secret stands
//!   in a log, an error or anything that is printed for debugging.

mod address;
mod challenge;
mod client;
mod document;
#[cfg(feature = "fuzz")]
pub(crate) mod fuzz;
mod keyring;
mod look_ups;
mod names;
mod queue;
mod reader;
mod transport;

pub use address::PlainHosts;
pub use keyring::PullSecret;
pub use look_ups::{LookUps, Outcome, Shown};
pub use reader::{Reader, Secrets};
pub use transport::{Transport, TransportError};
