//! The way to GitHub, for every command that goes there: from checked settings to what a client is
//! made of. What is asked there is the command's own matter.

use std::time::Duration;

use anyhow::Context;

use super::settings::{Github, SignIn};
use crate::clock::Clock;
use crate::github::api::{ApiUrl, ApiVersion};
use crate::github::auth::app::{Apps, Way};
use crate::github::auth::{Credentials, Keyring};
use crate::github::client::Client;
use crate::github::transport::Transport;

/// What a client of GitHub's API is made of.
#[derive(Debug)]
pub struct Parts {
    /// The connection.
    pub transport: Transport,
    /// The API.
    pub api: ApiUrl,
    /// Its version.
    pub version: ApiVersion,
    /// Who signs in where.
    pub keyring: Keyring,
    /// The longest that one exchange may take.
    pub timeout: Duration,
}

impl Parts {
    /// The client.
    pub fn client(self) -> Client<Transport> {
        let Self {
            transport,
            api,
            version,
            keyring,
            timeout,
        } = self;
        Client::new(transport, api, version, keyring, timeout)
    }
}

/// The parts of a client, or nothing where nobody signs in. A token or a key that cannot be read at
/// the start is a mistake in the settings; GitHub is not asked yet.
pub async fn parts(settings: Github, clock: Clock) -> anyhow::Result<Option<Parts>> {
    let Github {
        url: api,
        version,
        timeout,
        sign_in,
        own,
    } = settings;
    let Some(sign_in) = sign_in else {
        return Ok(None);
    };
    let setting = sign_in.setting();
    let transport = Transport::new(&api)?;
    let keyring: Keyring = match sign_in {
        SignIn::TokenFile(file) => Credentials::from_file(&file).into(),
        SignIn::Token(token) => Credentials::from_value(token).into(),
        SignIn::App(identity) => {
            let way = Way {
                api: api.clone(),
                version: version.clone(),
                timeout,
                clock,
            };
            Apps::new(identity, way, transport.clone()).into()
        }
    };
    let own = own.into_iter();
    let own = own.map(|(organization, file)| (organization, Credentials::from_file(&file)));
    let keyring = keyring.with(own);
    keyring.check().await.context(setting)?;
    for (_, credentials) in keyring.own() {
        credentials.check().await.context("--org-token-file")?;
    }
    Ok(Some(Parts {
        transport,
        api,
        version,
        keyring,
        timeout,
    }))
}
