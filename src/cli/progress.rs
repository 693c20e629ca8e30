//! How far a command is: one line of a terminal that is written over as things go on. Where standard
//! error is no terminal nothing of it is written, so that the log of a pipeline holds what was done
//! and not how far it was. What is said meanwhile goes through here too, so that it does not end up
//! in the middle of that line.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The most characters of the line: one that is wider than the terminal cannot be written over.
const WIDTH: usize = 79;

/// Goes back to the start of the line and clears it (ECMA-48, `EL`).
const ANEW: &str = "\r\x1b[2K";

/// The line that says how far a command is. It is gone when this is dropped.
pub struct Progress(Mutex<State>);

struct State {
    out: Box<dyn Write + Send>,
    on_a_terminal: bool,
    /// What stands there; empty if nothing does.
    shown: String,
}

impl fmt::Debug for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Progress").finish_non_exhaustive()
    }
}

impl Progress {
    /// On standard error, if that is a terminal.
    pub fn on_stderr() -> Self {
        let error = io::stderr();
        let on_a_terminal = error.is_terminal();
        Self::to(error, on_a_terminal)
    }

    /// On `out`.
    pub fn to(out: impl Write + Send + 'static, on_a_terminal: bool) -> Self {
        Self(Mutex::new(State {
            out: Box::new(out),
            on_a_terminal,
            shown: String::new(),
        }))
    }

    /// Shows this line in place of the last one.
    pub fn show(&self, line: &str) {
        let mut state = self.state();
        if !state.on_a_terminal {
            return;
        }
        let line: String = line
            .chars()
            .map(|letter| if letter.is_control() { '?' } else { letter })
            .take(WIDTH)
            .collect();
        if line != state.shown {
            state.write(&format!("{ANEW}{line}"));
            state.shown = line;
        }
    }

    /// Says something that stays, terminal or not. How far it is stands below it again.
    pub fn say(&self, line: &str) {
        let mut state = self.state();
        if state.shown.is_empty() {
            state.write(&format!("{line}\n"));
        } else {
            let again = format!("{ANEW}{line}\n{}", state.shown);
            state.write(&again);
        }
    }

    /// Shows nothing any more: what is printed next stands on a line of its own.
    pub fn clear(&self) {
        let mut state = self.state();
        if !state.shown.is_empty() {
            state.write(ANEW);
            state.shown.clear();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn write(&mut self, text: &str) {
        // There is nobody left to tell that this cannot be written.
        let _ = self.out.write_all(text.as_bytes());
        let _ = self.out.flush();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use super::*;

    /// What was written, shared with whoever writes.
    #[derive(Clone, Default)]
    pub(in crate::cli) struct Paper(Arc<Mutex<Vec<u8>>>);

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Paper {
        pub(in crate::cli) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    fn written(on_a_terminal: bool, write: impl FnOnce(&Progress)) -> String {
        let paper = Paper::default();
        write(&Progress::to(paper.clone(), on_a_terminal));
        paper.text()
    }

    #[test]
    fn a_terminal_shows_one_line_that_is_gone_at_the_end() {
        let text = written(true, |progress| {
            progress.show("1 of 2");
            progress.show("1 of 2");
            progress.show("2 of 2");
        });
        assert_eq!(text, format!("{ANEW}1 of 2{ANEW}2 of 2{ANEW}"));
        assert_eq!(written(true, Progress::clear), "");
    }

    #[test]
    fn a_pipe_holds_what_was_said_and_nothing_else() {
        let text = written(false, |progress| {
            progress.show("1 of 2");
            progress.say("waiting");
            progress.clear();
        });
        assert_eq!(text, "waiting\n");
    }

    #[test]
    fn what_is_said_stands_above_how_far_it_is() {
        let text = written(true, |progress| {
            progress.say("first");
            progress.show("1 of 2");
            progress.say("second");
        });
        assert_eq!(
            text,
            format!("first\n{ANEW}1 of 2{ANEW}second\n1 of 2{ANEW}")
        );
    }

    #[test]
    fn a_line_fits_a_terminal_and_moves_no_cursor() {
        let long = format!("a\nb\x1b[2J{}", "x".repeat(200));
        let text = written(true, |progress| progress.show(&long));
        let line = text.trim_start_matches(ANEW).trim_end_matches(ANEW);
        assert!(line.starts_with("a?b?[2Jxxx"), "{line}");
        assert_eq!(line.chars().count(), WIDTH);
    }
}
