//! What a check came to, and how it is printed. The names of these fields are those of the JSON and
//! YAML output (`docs/check.md`), so they stay.

use serde::Serialize;

use crate::cli::output::Table;

/// What was found, in the order of checking.
#[derive(Debug, Default, Serialize)]
pub(super) struct Report {
    checks: Vec<Line>,
    /// What the next lines are about, if they say so.
    #[serde(skip)]
    about: Option<String>,
}

/// One thing that was checked.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct Line {
    /// The name of the check. One that looks at several things may have several lines.
    pub(super) check: &'static str,
    pub(super) result: Outcome,
    /// What was found.
    pub(super) what: String,
    /// What to do about it, where that does not stand in `what`.
    pub(super) todo: Option<String>,
}

/// What came of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Outcome {
    /// It is as it should be.
    Ok,
    /// It is not, or cannot be found out although it has to be.
    Failed,
    /// It was not looked at, because it is not needed or another check that failed stands before it, or
    /// nobody can tell.
    Skipped,
}

impl Outcome {
    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
        }
    }
}

impl Report {
    pub(super) fn ok(&mut self, check: &'static str, what: impl Into<String>) {
        self.add(Line::new(check, Outcome::Ok, what));
    }

    pub(super) fn failed(&mut self, check: &'static str, what: impl Into<String>, todo: &str) {
        let line = Line::new(check, Outcome::Failed, what);
        let todo = (!todo.is_empty()).then(|| todo.to_owned());
        self.add(Line { todo, ..line });
    }

    pub(super) fn skipped(&mut self, check: &'static str, what: impl Into<String>) {
        self.add(Line::new(check, Outcome::Skipped, what));
    }

    /// The next lines say that they are about this; `None`: they do not.
    pub(super) fn about(&mut self, what: Option<&str>) {
        self.about = what.map(str::to_owned);
    }

    fn add(&mut self, mut line: Line) {
        if let Some(about) = &self.about {
            line.what = format!("{about}: {}", line.what);
        }
        self.checks.push(line);
    }

    /// Whether nothing failed.
    pub(super) fn holds(&self) -> bool {
        let failed = |line: &Line| line.result == Outcome::Failed;
        !self.checks.iter().any(failed)
    }

    /// The table for people.
    pub(super) fn table(&self) -> Table {
        let mut table = Table::new(&["RESULT", "CHECK", "WHAT"]);
        for line in &self.checks {
            let mut what = line.what.clone();
            if let Some(todo) = &line.todo {
                what.push_str(". To do: ");
                what.push_str(todo);
            }
            let result = line.result.as_str().to_owned();
            table.push(vec![result, line.check.to_owned(), what]);
        }
        table
    }

    #[cfg(test)]
    pub(super) fn lines(&self) -> &[Line] {
        &self.checks
    }
}

impl Line {
    fn new(check: &'static str, result: Outcome, what: impl Into<String>) -> Self {
        let what = what.into();
        Self {
            check,
            result,
            what,
            todo: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_skipped_does_not_fail_and_what_failed_does() {
        let mut report = Report::default();
        report.ok("one", "well");
        report.skipped("two", "not needed");
        assert!(report.holds());
        report.failed("three", "broken", "mend it");
        assert!(!report.holds());
        let shown = serde_json::to_value(&report).unwrap();
        let expected = serde_json::json!({"checks": [
            {"check": "one", "result": "ok", "what": "well", "todo": null},
            {"check": "two", "result": "skipped", "what": "not needed", "todo": null},
            {"check": "three", "result": "failed", "what": "broken", "todo": "mend it"},
        ]});
        assert_eq!(shown, expected);
        let mut table = Vec::new();
        let form = crate::cli::output::Form::Table;
        form.write(&mut table, &report, Report::table).unwrap();
        let expected = "RESULT    CHECK   WHAT\n\
                        ok        one     well\n\
                        skipped   two     not needed\n\
                        failed    three   broken. To do: mend it\n";
        assert_eq!(String::from_utf8(table).unwrap(), expected);
    }
}
