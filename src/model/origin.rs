//! Origin: where the repository of a record comes from. What a person wrote goes before every rule;
//! what a person got wrong is not replaced by a guess.

use std::sync::Arc;

/// The object that an annotation stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The namespace.
    Namespace,
    /// The workload.
    Workload,
    /// The pod.
    Pod,
}

/// Where the repository of a record comes from, or why it has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// Nothing says it.
    #[default]
    Nothing,
    /// The annotation of an object. If it is not of the API's form, the record has none.
    Annotation(Level),
    /// This rule of `--repository-map`, as typed. If what it makes of the image's name is not of
    /// the API's form, the record has none.
    Rule(Arc<str>),
}
