//! The pure core: what is true, and what to do about it. Only std, the digest type of oci-spec and
//! one SHA-256 may be used here: no Kubernetes, no HTTP, no serialization, no clock, no `async`.

pub mod context;
pub mod facts;
pub mod gap;
pub mod image;
pub mod image_map;
pub mod moment;
pub mod record;
pub mod selection;
pub mod template;
pub mod workload;
