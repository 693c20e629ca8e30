//! The checked settings of `explain`.

use super::{Connection, Input, Ledger, SettingError, destination, scope};
use crate::cli::args::{ApiArgs, DestinationArgs, ExplainArgs};
use crate::cli::output::Form;
use crate::cluster::Scope;
use crate::github::api::ApiUrl;
use crate::model::explain::Asked;
use crate::model::policy::Policy;

/// What `explain` works with.
#[derive(Debug)]
pub struct Explain {
    /// What is asked for.
    pub asked: Asked,
    /// Whom to ask.
    pub way: Way,
    /// What is looked at, where that is done from here.
    pub scope: Scope,
    /// Where the ledger is.
    pub ledger: Ledger,
    /// The form of what is printed; a table stands for text.
    pub form: Form,
}

/// Whom to ask.
#[derive(Debug)]
pub enum Way {
    /// The controller that serves its status there.
    Url(ApiUrl),
    /// The controller that runs in this cluster.
    Controller(Connection),
    /// The cluster itself.
    Cluster(Connection, Box<Policy>),
    /// The controller, and where it cannot be asked the cluster; that only if all is given that it
    /// takes.
    Auto(Connection, Result<Box<Policy>, SettingError>),
    /// A file in place of a cluster.
    File(Input, Box<Policy>),
}

impl Explain {
    /// Checks what was typed.
    pub fn new(args: ExplainArgs) -> Result<Self, SettingError> {
        let form = match &*args.output {
            // What is set for all commands need not be another word for this one.
            "text" => Form::Table,
            other => Form::parse(other).ok_or_else(|| {
                SettingError::invalid("output", other, "allowed are text, json and yaml")
            })?,
        };
        let scope = scope::scope(&args.scope, &args.destination)?;
        let cycle = super::cycle(&args.cycle)?;
        let ledger = super::ledger(&args.ledger)?;
        let asked = asked(&args)?;
        let policy = |check: Check| {
            let checked = check(&args.destination, &args.api)?;
            Ok(Box::new(checked.policy(&scope, Some(cycle))))
        };
        let strict = || policy(destination::Checked::strict);
        let lenient = policy(destination::Checked::lenient)?;
        let url = args.admin_url.as_deref().map(admin_url).transpose()?;
        let connection = super::connection(args.connection)?;
        let way = match (url, super::input(args.from)?) {
            (Some(url), _) => Way::Url(url),
            (None, Some(input)) => Way::File(input, lenient),
            (None, None) => match args.via.trim() {
                "auto" => Way::Auto(connection, strict()),
                "controller" => Way::Controller(connection),
                "cluster" => Way::Cluster(connection, strict()?),
                other => {
                    let problem = "allowed are auto, controller and cluster";
                    return Err(SettingError::invalid("via", other, problem));
                }
            },
        };
        Ok(Self {
            asked,
            way,
            scope,
            ledger,
            form,
        })
    }
}

type Check = fn(&DestinationArgs, &ApiArgs) -> Result<destination::Checked, SettingError>;

fn asked(args: &ExplainArgs) -> Result<Asked, SettingError> {
    let (namespace, name) = (args.namespace.trim(), args.name.trim());
    let problem = "give the namespace and the name of a workload, a pod or a record in it";
    for (argument, text) in [("<NAMESPACE>", namespace), ("<NAME>", name)] {
        // A path of the API server's is made of them.
        if text.is_empty() || text.contains(char::is_control) {
            return Err(SettingError::invalid(argument, text, problem));
        }
    }
    super::value::label("<NAMESPACE>", namespace)?;
    Ok(Asked::new(namespace, name, args.container.as_deref()))
}

fn admin_url(text: &str) -> Result<ApiUrl, SettingError> {
    let whole = if text.contains("://") {
        text.to_owned()
    } else {
        format!("http://{text}")
    };
    // No token goes there.
    ApiUrl::parse(&whole, true).map_err(|_| {
        SettingError::hidden(
            "admin-url",
            "give one like http://127.0.0.1:8080, without a user",
        )
    })
}
