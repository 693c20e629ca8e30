//! What may be said of a sign-in at the API server that failed. kube's own errors hold all that the
//! plugin of a kubeconfig was started with and all that it printed: secrets in its environment and
//! its arguments, tokens. They go no further than here.

use std::error::Error;

use kube::client::AuthError;
use kube::config::AuthInfo;
use tower::BoxError;

use super::calls::one_line;

/// Why nobody is signed in at the API server, without anything that is secret.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("signing in failed: {0}")]
struct SignInError(String);

/// The program that a kubeconfig has tokens made by, as it is written there.
#[derive(Clone, Debug)]
pub(super) struct Plugin(String);

impl Plugin {
    /// That of this user, if there is one.
    pub(super) fn of(user: &AuthInfo) -> Self {
        let exec = user.exec.as_ref().and_then(|exec| exec.command.clone());
        let provider = user.auth_provider.as_ref();
        let provider = provider.and_then(|provider| provider.config.get("cmd-path").cloned());
        Self(exec.or(provider).unwrap_or_default())
    }

    /// `error`, or in its place what may be said of it.
    pub(super) fn without_secrets(&self, error: BoxError) -> BoxError {
        let mut next: Option<&(dyn Error + 'static)> = Some(&*error);
        while let Some(cause) = next {
            if let Some(failure) = cause.downcast_ref::<AuthError>() {
                return SignInError(self.words(failure)).into();
            }
            next = cause.source();
        }
        error
    }

    fn words(&self, failure: &AuthError) -> String {
        let plugin = format!("the plugin `{}` of the kubeconfig", one_line(&self.0));
        match failure {
            AuthError::AuthExecStart(error) => format!("{plugin} cannot be started: {error}"),
            AuthError::AuthExecRun { out, .. } => {
                let said = last_line(&out.stderr);
                let colon = if said.is_empty() { "" } else { ": " };
                format!("{plugin} ended with {}{colon}{said}", out.status)
            }
            // These quote what it printed.
            AuthError::AuthExecParse(_)
            | AuthError::ParseTokenKey(_)
            | AuthError::MalformedTokenExpirationDate(_) => {
                format!("what {plugin} printed is not a credential")
            }
            AuthError::InvalidBasicAuth(_)
            | AuthError::InvalidBearerToken(_)
            | AuthError::UnrefreshableTokenResponse
            | AuthError::ExecPluginFailed
            | AuthError::AuthExecSerialize(_)
            | AuthError::AuthExec(_)
            | AuthError::ReadTokenFile(..)
            | AuthError::MissingCommand
            | AuthError::ExecMissingClusterInfo
            | AuthError::NoValidNativeRootCA(_) => one_line(&failure.to_string()),
        }
    }
}

/// The last line with something in it, where programs say what was wrong in the end.
fn last_line(said: &[u8]) -> String {
    /// A line needs no more for that.
    const LONGEST: usize = 200;
    let said = String::from_utf8_lossy(said);
    let line = said.lines().map(str::trim).rfind(|line| !line.is_empty());
    let visible = line.unwrap_or_default().chars();
    visible.filter(|c| !c.is_control()).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_short_and_has_no_control_characters() {
        assert_eq!(last_line(b"a\n  no such profile \n\n"), "no such profile");
        assert_eq!(last_line(b"\x1b[31mred\x1b[0m"), "[31mred[0m");
        assert_eq!(last_line("é".repeat(1000).as_bytes()).chars().count(), 200);
        assert_eq!(last_line(b""), "");
    }

    #[test]
    fn an_error_that_is_not_about_signing_in_stays_as_it_is() {
        let plugin = Plugin(String::new());
        let error = plugin.without_secrets(std::io::Error::other("broken").into());
        assert!(error.downcast_ref::<std::io::Error>().is_some());
    }
}
