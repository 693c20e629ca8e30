//! `explain`: the way from the pods of a workload to its records, step by step. The command finds who
//! can tell, and prints what is told; it decides nothing.

use std::io;

use anyhow::{Context, anyhow, bail};

use super::output::{Form, Table};
use super::settings::{self, Input, Ledger, Way};
use super::snapshot::of_file;
use crate::admin::explain::{Explained, NotFound};
use crate::cluster::Scope;
use crate::model::explain::Asked;
use crate::model::policy::Policy;

mod controller;
mod here;
mod page;
mod text;

use here::Stock;

/// Asks, and prints the answer. An error where nothing has that name, or nobody can tell.
pub async fn execute(settings: settings::Explain) -> anyhow::Result<()> {
    let settings::Explain {
        asked,
        way,
        scope,
        ledger,
        form,
    } = settings;
    let told = match way {
        Way::Url(url) => controller::at(&url, &asked).await?,
        Way::Controller(connection) => {
            let client = super::look::reached(&connection, crate::recorder::REACH)
                .await?
                .client;
            controller::found(&client, &ledger, &asked).await?
        }
        Way::Cluster(connection, policy) => {
            here::in_cluster(&connection, scope, &policy, &ledger, &asked).await?
        }
        Way::Auto(connection, policy) => {
            let client = super::look::reached(&connection, crate::recorder::REACH)
                .await?
                .client;
            match controller::found(&client, &ledger, &asked).await {
                Ok(told) => told,
                Err(why) => {
                    let policy = policy.map_err(|error| without(&why, &error))?;
                    super::remark(&format!("The controller is not asked: {why:#}."));
                    here::in_cluster(&connection, scope, &policy, &ledger, &asked).await?
                }
            }
        }
        Way::File(input, policy) => from_file(input, scope, &policy, &asked)?,
    };
    let (teller, explained) = match told {
        Told::Explained { teller, explained } => (teller, explained),
        Told::Missing(missing) => bail!("{}", missing.line()),
    };
    super::print(|out| {
        if form == Form::Table {
            text::write(out, &teller, &explained)
        } else {
            form.write(out, &*explained, |_| Table::default())
        }
    })
}

/// What came of a question.
enum Told {
    /// An explanation.
    Explained {
        /// Who tells it, for people.
        teller: String,
        explained: Box<Explained>,
    },
    /// Nothing has that name.
    Missing(NotFound),
}

/// Why neither the controller nor the cluster can be asked.
fn without(why: &anyhow::Error, setting: &settings::SettingError) -> anyhow::Error {
    let setting = setting.message(&clap::ArgMatches::default());
    anyhow!("the controller cannot be asked: {why:#}; to work it out from here: {setting}")
}

fn from_file(input: Input, scope: Scope, policy: &Policy, asked: &Asked) -> anyhow::Result<Told> {
    let (name, text) = match input {
        Input::File(path) => (path.display().to_string(), std::fs::read_to_string(&path)),
        Input::Stdin | Input::Cluster(_) => {
            ("standard input".to_owned(), io::read_to_string(io::stdin()))
        }
    };
    let facts = of_file(&name, text, scope).context("nothing to explain")?;
    let teller = format!("Worked out from {name}, as if GitHub held nothing yet.");
    let ledger = crate::model::ledger::Ledger::default();
    Ok(Stock { facts, ledger }.explain("file", teller, policy, asked))
}

/// The ledger's name and place, for people.
fn place(ledger: &Ledger) -> String {
    format!("{}/{}", ledger.namespace(), ledger.name)
}
