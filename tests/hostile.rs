//! An API server, and objects in it, that mean no good: what is read of them is bounded, and whatever
//! else there is is seen as before. What a recorder makes of such objects: `tests/recorder/hostile.rs`.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed test should say so loudly"
)]

#[cfg(test)]
#[path = "support"]
pub mod support {
    //! What tests share.
    pub mod apiserver;
}

#[cfg(test)]
#[path = "hostile/between.rs"]
pub mod between;
#[cfg(test)]
#[path = "hostile/lists.rs"]
mod lists;
#[cfg(test)]
#[path = "hostile/objects.rs"]
mod objects;
#[cfg(test)]
#[path = "hostile/watches.rs"]
mod watches;
