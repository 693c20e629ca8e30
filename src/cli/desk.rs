//! Where a command sits that asks GitHub something: what is shown meanwhile, the time, and how it
//! comes to a client.

use anyhow::Context;

use super::progress::Progress;
use super::settings::Call;
use super::waits::Waits;
use super::{github, remark};
use crate::clock::Clock;
use crate::github::client::Client;
use crate::github::transport::Transport;

/// What a command has beside a client to ask GitHub with.
#[derive(Debug)]
pub struct Desk {
    /// Where it is shown how far it is.
    pub progress: Progress,
    clock: Clock,
}

impl Desk {
    /// Makes everything ready, and who speaks to GitHub; nothing is asked there yet.
    pub async fn open(call: Call) -> anyhow::Result<(Self, Client<Transport>)> {
        for warning in call.warnings {
            remark(&format!("warning: {warning}"));
        }
        let clock = Clock::real();
        let parts = github::parts(call.github, clock).await?;
        // The settings make sure of it.
        let parts = parts.context("nobody signs in at GitHub")?;
        let desk = Self {
            progress: Progress::on_stderr(),
            clock,
        };
        Ok((desk, parts.client()))
    }

    /// What is told of waits.
    pub fn waits(&self) -> Waits<'_> {
        Waits::new(&self.progress, self.clock)
    }
}
