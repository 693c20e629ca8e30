//! Explanations worked out here: from the pods of one namespace and the stored ledger, both only read.

use super::super::look::Look;
use super::super::settings::{Connection, Ledger as Place};
use super::Told;
use crate::admin::explain::{Teller, shown};
use crate::cluster::Scope;
use crate::model::explain::{Answer, Asked, Books, Known};
use crate::model::facts::Facts;
use crate::model::inventory::Inventory;
use crate::model::ledger::Ledger;
use crate::model::moment::Moment;
use crate::model::plan::Plan;
use crate::model::policy::Policy;
use crate::model::selection::{Pattern, Selection};

/// Everything that is at hand here.
pub(super) struct Stock {
    pub(super) facts: Facts,
    pub(super) ledger: Ledger,
}

/// Looks at the namespace that is asked about, and at no more.
pub(super) async fn in_cluster(
    connection: &Connection,
    scope: Scope,
    policy: &Policy,
    place: &Place,
    asked: &Asked,
) -> anyhow::Result<Told> {
    let look = Look::at(connection, narrowed(scope, &asked.namespace)).await?;
    let ledger = match look.stored(place).await {
        Ok(Some(ledger)) => ledger,
        Ok(None) => {
            let place = super::place(place);
            super::super::remark(&format!("There is no ledger {place} yet."));
            Ledger::default()
        }
        Err(error) => {
            let error = crate::recorder::chain(error.as_ref());
            let line = format!("The ledger is left out, as if GitHub held nothing: {error}");
            super::super::remark(&line);
            Ledger::default()
        }
    };
    let facts = look.cluster.facts();
    for unread in look.unread() {
        super::super::remark(&format!("Not read: {unread}"));
    }
    look.cluster.stop().await;
    let teller = format!(
        "Worked out here from namespace {} and the stored ledger; what GitHub answered last only the \
         running controller knows.",
        asked.namespace
    );
    Ok(Stock { facts, ledger }.explain("cluster", teller, policy, asked))
}

/// The same kinds and labels, in one namespace.
fn narrowed(scope: Scope, namespace: &str) -> Scope {
    let selection = Selection {
        namespaces: vec![Pattern::new(namespace)],
        exclude_namespaces: Vec::new(),
        ..scope.selection
    };
    Scope { selection, ..scope }
}

impl Stock {
    /// What there is to say by what is at hand. No time is known: it began when this process did.
    pub(super) fn explain(
        &self,
        way: &str,
        teller: String,
        policy: &Policy,
        asked: &Asked,
    ) -> Told {
        let inventory = Inventory::new(&self.facts, policy);
        let plan = Plan::new(&self.ledger, &inventory, policy, Moment::START);
        let known = Known::all(&self.ledger, &plan, policy.settle_after);
        let books = Books {
            facts: &self.facts,
            policy,
            plan: &plan,
            known: &known,
        };
        let answer = Answer::new(asked, books);
        let from = Teller {
            way: way.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            now: jiff::Timestamp::now()
                .strftime("%Y-%m-%dT%H:%M:%SZ")
                .to_string(),
            cycles: None,
        };
        match shown(asked, &answer, from, &|_| None) {
            Ok(explained) => Told::Explained {
                teller,
                explained: Box::new(explained),
            },
            Err(missing) => Told::Missing(missing),
        }
    }
}
