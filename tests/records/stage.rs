//! Setting records in process: what `records set` does between reading its file and printing, with
//! github-sandbox as GitHub, under a paused clock.

use std::io;
use std::sync::{Arc, Mutex};

use deployment_recorder::cli::output::Form;
use deployment_recorder::cli::progress::Progress;
use deployment_recorder::cli::records::batches::{Batches, Way};
use deployment_recorder::cli::records::input::Input;
use deployment_recorder::cli::records::outcome::{Outcome, counts};
use deployment_recorder::cli::records::set::Setter;
use deployment_recorder::cli::settings::{Call, Github, Place};
use deployment_recorder::cli::waits::Waits;
use deployment_recorder::clock::Clock;
use deployment_recorder::github::api::{ApiUrl, ApiVersion};
use deployment_recorder::github::auth::Credentials;
use deployment_recorder::github::client::{Client, DEFAULT_TIMEOUT};
use deployment_recorder::github::writer::Writer;
use deployment_recorder::sandbox::{Sandbox, Settings};
use tokio::time::Duration;

/// Standard error, kept in memory.
#[derive(Clone, Default)]
pub(crate) struct Paper(Arc<Mutex<Vec<u8>>>);

impl io::Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// GitHub, and what became of the last records that were set there.
pub(crate) struct Stage {
    pub(crate) sandbox: Sandbox,
    paper: Paper,
    pub(crate) outcomes: Vec<Outcome>,
    pub(crate) job: Option<Duration>,
}

impl Default for Stage {
    fn default() -> Self {
        Self::new(Settings::default())
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            assert_eq!(self.sandbox.violations(), []);
        }
    }
}

impl Stage {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            sandbox: Sandbox::new(settings),
            paper: Paper::default(),
            outcomes: Vec::new(),
            job: None,
        }
    }

    /// By jobs, of each of which this long is waited for.
    pub(crate) fn with_jobs(settings: Settings, patience: Duration) -> Self {
        let mut stage = Self::new(settings);
        stage.job = Some(patience);
        stage
    }

    /// What was said on standard error.
    pub(crate) fn said(&self) -> String {
        String::from_utf8(self.paper.0.lock().unwrap().clone()).unwrap()
    }

    /// Sets so many records, named 0, 1 and so on, for no longer than `patience`.
    pub(crate) async fn set_within(&mut self, count: usize, patience: Duration) -> bool {
        let call = call();
        let way = self.job.map_or(Way::AtOnce, |_| Way::Job);
        let input = Input::parse(&file(count)).unwrap();
        let place = Place {
            cluster: Some("main".into()),
            logical_environment: Some("production".into()),
            physical_environment: None,
        };
        let batches = Batches::new(input.entries, &place, &call, way).unwrap();
        let client = Client::new(
            self.sandbox.service(),
            call.github.url,
            call.github.version,
            Credentials::from_value("ghp_secret".into()),
            DEFAULT_TIMEOUT,
        );
        let progress = Progress::to(self.paper.clone(), false);
        let waits = Waits::new(&progress, Clock::real());
        let mut setter = Setter {
            reader: client.reader(),
            writer: Writer::new(client),
            waits: &waits,
            progress: &progress,
            job: self.job,
        };
        self.outcomes = vec![Outcome::NotSent; count];
        let run = setter.run(&batches, &mut self.outcomes);
        tokio::time::timeout(patience, run).await.is_ok()
    }

    /// Sets so many records, and says how many came to which end.
    pub(crate) async fn set(&mut self, count: usize) -> String {
        self.set_within(count, Duration::from_hours(100)).await;
        counts(&self.outcomes)
    }

    /// Why the record of that number is not acknowledged.
    pub(crate) fn cause(&self, number: usize) -> String {
        self.outcomes[number].cause().unwrap().to_string()
    }

    /// How many records were in each request that wrote.
    pub(crate) fn sizes(&self) -> Vec<usize> {
        let bodies = self.sandbox.requests().into_iter();
        let bodies = bodies.filter_map(|entry| entry.body);
        bodies
            .map(|body| body["deployments"].as_array().unwrap().len())
            .collect()
    }
}

pub(crate) fn call() -> Call {
    Call {
        github: Github {
            url: ApiUrl::parse("https://api.github.test", false).unwrap(),
            version: ApiVersion::parse("2022-11-28").unwrap(),
            timeout: DEFAULT_TIMEOUT,
            sign_in: None,
            own: Vec::new(),
        },
        organization: "acme".into(),
        dry_run: false,
        form: Form::Table,
        warnings: Vec::new(),
    }
}

/// A file with so many records.
fn file(count: usize) -> String {
    let records = (0..count).map(|number| {
        format!(
            r#"{{"deployment_name": "{number}", "name": "ghcr.io/acme/web", "digest": "sha256:{}"}}"#,
            "a".repeat(64)
        )
    });
    format!("[{}]", records.collect::<Vec<_>>().join(","))
}
