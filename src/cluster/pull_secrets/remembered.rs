//! What was read of pull secrets, kept for a short while and within a bound.

use std::collections::VecDeque;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use tokio::time::Instant;

use crate::model::origin::Account;

use super::PullSecret;

/// How long what was read is remembered: for the other images of the same pods.
const REMEMBERED: Duration = Duration::from_mins(1);

/// Of how many accounts at most, and how many bytes of secrets together.
const MOST: usize = 100;
const MOST_BYTES: usize = 1024 * 1024;

/// What was read for each account, the oldest first.
#[derive(Default)]
pub(super) struct Remembered(VecDeque<Read>);

struct Read {
    account: Account,
    at: Instant,
    secrets: Vec<PullSecret>,
}

impl Remembered {
    /// What was read for that account, if it is still remembered.
    pub(super) fn of(&mut self, account: &Account) -> Option<Vec<PullSecret>> {
        self.0.retain(|read| read.at.elapsed() < REMEMBERED);
        let known = self.0.iter().find(|read| read.account == *account);
        known.map(|read| read.secrets.clone())
    }

    /// Remembers what was read for that account. For as much as that takes the oldest is forgotten.
    pub(super) fn keep(&mut self, account: &Account, secrets: &[PullSecret]) {
        self.0.retain(|read| read.account != *account);
        self.0.push_back(Read {
            account: account.clone(),
            at: Instant::now(),
            secrets: secrets.to_vec(),
        });
        while self.0.len() > MOST || self.bytes() > MOST_BYTES {
            self.0.pop_front();
        }
    }

    fn bytes(&self) -> usize {
        let secrets = self.0.iter().flat_map(|read| &read.secrets);
        secrets.map(bytes).sum()
    }
}

fn bytes(secret: &PullSecret) -> usize {
    let (PullSecret::Json(text) | PullSecret::Cfg(text)) = secret;
    text.expose_secret().len()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::facts::Pull;

    fn account(number: usize) -> Account {
        Account {
            namespace: format!("ns-{number}").into(),
            pull: Arc::new(Pull {
                secrets: Box::default(),
                service_account: "default".into(),
            }),
        }
    }

    fn secrets(count: usize, bytes: usize) -> Vec<PullSecret> {
        vec![PullSecret::Json("x".repeat(bytes).into()); count]
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_read_is_forgotten_after_a_minute() {
        let mut remembered = Remembered::default();
        remembered.keep(&account(0), &secrets(2, 10));
        tokio::time::advance(Duration::from_secs(59)).await;
        let known = remembered.of(&account(0)).unwrap();
        assert_eq!(known.len(), 2);
        remembered.keep(&account(1), &[]);
        tokio::time::advance(Duration::from_secs(1)).await;
        assert!(remembered.of(&account(0)).is_none());
        let known = remembered.of(&account(1));
        assert_eq!(known.map(|it| it.len()), Some(0), "that there is none");
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_goes_when_there_are_too_many_or_all_together_are_too_long() {
        let mut remembered = Remembered::default();
        for number in 0..150 {
            remembered.keep(&account(number), &secrets(1, 10));
        }
        assert_eq!(remembered.0.len(), 100);
        assert!(remembered.of(&account(49)).is_none());
        assert!(remembered.of(&account(50)).is_some());

        // As much as one account may have: sixteen times 64 KiB.
        let most = secrets(16, 64 * 1024);
        for number in 200..203 {
            remembered.keep(&account(number), &most);
            assert_eq!(remembered.bytes(), 1024 * 1024);
            assert!(remembered.of(&account(number)).is_some());
        }
        assert_eq!(remembered.0.len(), 1);
        for _ in 0..3 {
            remembered.keep(&account(300), &secrets(1, 1000));
        }
        assert_eq!((remembered.0.len(), remembered.bytes()), (1, 1000));
    }
}
