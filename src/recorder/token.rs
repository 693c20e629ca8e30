//! A token that is replaced while the recorder runs: what was denied to the last one is asked again.

use tokio::time::Instant;

use crate::github::pace::Access;

use super::{Recorder, Transport};

impl<S: Transport> Recorder<S> {
    /// What was denied to the last token is tried again as soon as there is another.
    pub(super) async fn notice_new_token(&mut self) {
        let Some(github) = &self.github else {
            return;
        };
        let blocked: Vec<_> = self.status.lock().blocked.keys().cloned().collect();
        for (host, organization) in blocked {
            let access = Access::new(&host, &organization);
            if github.has_new_token(&organization).await && self.pace.token_renewed(access) {
                self.status.lock().blocked.remove(&(host, organization));
                self.schedule.again_at(Instant::now());
            }
        }
    }
}
