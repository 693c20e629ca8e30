//! Names: where the name of a record comes from. Who gets which is decided in `naming`.

use std::sync::Arc;

use crate::model::record::{Identity, is_same_name};
use crate::model::workload::Source;

use super::View;
use super::record::Record;

/// The name of a source's record.
#[derive(Clone, Debug)]
pub struct Naming {
    /// Name and place, as they are sent.
    pub identity: Identity,
    /// Where the name comes from.
    pub origin: NameOrigin,
    /// The template, as the ledger keeps it.
    pub template: String,
}

/// Where the name of a record comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NameOrigin {
    /// The template makes it, and nobody else wants it.
    Template,
    /// The ledger gives it: it was the source's before.
    Ledger,
    /// The template with a hash of the source behind it, because the plain name is another's.
    Hash {
        /// The plain name.
        plain: Arc<str>,
        /// Whose it is, as far as that is known.
        of: Option<Source>,
    },
}

impl NameOrigin {
    /// Its name, in kebab case.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Template => "template",
            Self::Ledger => "ledger",
            Self::Hash { .. } => "hash",
        }
    }
}

impl View<'_> {
    /// The name of `source`, whose records are `records`, if it has one.
    pub(super) fn naming(&self, source: &Source, records: &[Record]) -> Option<Naming> {
        let (plan, template) = (self.books.plan, &self.books.policy.template);
        let given = plan.names.get(source);
        let identity = given.or_else(|| records.first().map(|record| &record.identity))?;
        let plain = template.render(source);
        let is_held =
            |record: &Record| record.identity == *identity && record.memory.held.is_some();
        let origin = if !is_same_name(&plain, &identity.name) && self.is_made_of(source, identity) {
            let of = self.holder(source, identity, &plain);
            NameOrigin::Hash { plain, of }
        } else if records.iter().any(is_held) {
            NameOrigin::Ledger
        } else {
            NameOrigin::Template
        };
        Some(Naming {
            identity: identity.clone(),
            origin,
            template: template.to_string(),
        })
    }

    /// Whether the present template makes that name, with a hash or without.
    fn is_made_of(&self, source: &Source, identity: &Identity) -> bool {
        let template = &self.books.policy.template;
        let mut possible = crate::model::naming::possible(template, source);
        possible.any(|name| is_same_name(&name, &identity.name))
    }

    /// Who has the plain name where `identity` is.
    fn holder(&self, source: &Source, identity: &Identity, plain: &Arc<str>) -> Option<Source> {
        let sought = Identity {
            destination: identity.destination.clone(),
            name: plain.clone(),
        };
        let others = self.named().filter(|(_, other)| *other != source);
        let mut holders = others.filter(|(known, _)| **known == sought);
        holders.next().map(|(_, other)| other.clone())
    }
}
