//! Consent: whether a person agrees to what cannot be taken back. On a terminal they are asked; in a
//! pipeline they say so beforehand, with `--yes`.

use std::io::{self, BufRead, IsTerminal, Write};

use super::settings::SettingError;

/// How a person agrees.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consent {
    /// They have.
    Given,
    /// They are asked.
    Asked,
}

impl Consent {
    /// By `--yes`, or on a terminal; an error where neither is.
    pub fn new(yes: bool) -> Result<Self, SettingError> {
        match yes {
            true => Ok(Self::Given),
            false if io::stdin().is_terminal() => Ok(Self::Asked),
            false => {
                let problem = "nobody can be asked, because standard input is no terminal";
                Err(SettingError::missing("yes", problem))
            }
        }
    }

    /// Whether the answer to this question is yes; asks if that is not known yet.
    pub fn to(self, question: &str) -> io::Result<bool> {
        match self {
            Self::Given => Ok(true),
            Self::Asked => ask(question, &mut io::stdin().lock(), &mut io::stderr()),
        }
    }
}

fn ask(question: &str, answers: &mut dyn BufRead, out: &mut dyn Write) -> io::Result<bool> {
    write!(out, "{question} [y/N] ")?;
    out.flush()?;
    let mut answer = String::new();
    answers.read_line(&mut answer)?;
    Ok(matches!(answer.trim().to_lowercase().as_str(), "y" | "yes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_yes_is_a_yes() {
        for (answer, expected) in [
            ("y\n", true),
            ("YES\n", true),
            (" yes \nno\n", true),
            ("\n", false),
            ("", false),
            ("n\n", false),
            ("yesterday\n", false),
        ] {
            let mut out = Vec::new();
            let answered = ask("Really?", &mut answer.as_bytes(), &mut out).unwrap();
            assert_eq!(answered, expected, "{answer:?}");
            assert_eq!(out, b"Really? [y/N] ");
        }
        assert!(Consent::Given.to("Really?").unwrap());
    }
}
