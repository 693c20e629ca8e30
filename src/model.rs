//! The pure core: what is true, and what to do about it. Only std, the digest type of oci-spec, one
//! SHA-256 and regular expressions may be used here: no Kubernetes, no HTTP, no serialization, no
//! clock, no `async`.

pub mod image;
pub mod image_map;
pub mod moment;
pub mod regex_map;
pub mod text_map;
pub mod workload;

pub mod facts;
pub mod selection;

pub mod advice;
pub mod context;
pub mod evidence;
pub mod explain;
pub mod exposure;
pub mod gap;
pub mod inventory;
pub mod organization;
pub mod origin;
pub mod record;
pub mod risk;
pub mod storage;

pub mod comparison;
pub mod ledger;
pub mod naming;
pub mod others;
pub mod plan;
pub mod policy;
pub mod template;

#[cfg(test)]
pub(crate) mod fixtures;
#[cfg(feature = "fuzz")]
pub(crate) mod fuzz;
