//! Printing: tables for people, JSON and YAML for programs. Knows nothing of what is printed.

use std::io::{self, Write};

use serde::Serialize;

/// The form of what is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Columns for people. Their number and width may change.
    Table,
    /// JSON. The names of its fields stay.
    Json,
    /// YAML, with the same fields.
    Yaml,
}

impl Form {
    /// The form of that name.
    pub fn parse(name: &str) -> Option<Self> {
        match name.trim() {
            "table" => Some(Self::Table),
            "json" => Some(Self::Json),
            "yaml" => Some(Self::Yaml),
            _ => None,
        }
    }

    /// Writes `value`, as a table by `table`.
    pub fn write<T: Serialize>(
        self,
        out: &mut dyn Write,
        value: &T,
        table: impl FnOnce(&T) -> Table,
    ) -> io::Result<()> {
        match self {
            Self::Table => table(value).write(out),
            Self::Json => {
                serde_json::to_writer_pretty(&mut *out, value)?;
                writeln!(out)
            }
            Self::Yaml => {
                let text = serde_saphyr::to_string(value).map_err(io::Error::other)?;
                out.write_all(text.as_bytes())
            }
        }
    }
}

/// Rows of cells under headings.
#[derive(Clone, Debug, Default)]
pub struct Table {
    headings: Vec<&'static str>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table without rows.
    pub fn new(headings: &[&'static str]) -> Self {
        Self {
            headings: headings.to_vec(),
            rows: Vec::new(),
        }
    }

    /// Adds a row: a cell for each heading, an empty one where there is nothing to say.
    pub fn push(&mut self, row: Vec<String>) {
        self.rows.push(row);
    }

    /// Writes the columns that say anything, each as wide as its widest cell. Line breaks and other
    /// control characters in cells are shown as `?`: what is printed comes from a cluster.
    fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let said = |column: usize| {
            self.rows
                .iter()
                .filter_map(move |row| row.get(column))
                .filter(|cell| !cell.is_empty())
        };
        let columns: Vec<(usize, &str, usize)> = self
            .headings
            .iter()
            .enumerate()
            .filter(|(column, _)| said(*column).next().is_some())
            .map(|(column, heading)| {
                let widest = said(column)
                    .map(|cell| cell.chars().count())
                    .max()
                    .unwrap_or_default();
                (column, *heading, widest.max(heading.len()))
            })
            .collect();
        let mut line = |cell: &dyn Fn(usize, &'static str) -> String| {
            let cells = columns
                .iter()
                .map(|(column, heading, width)| padded(cell(*column, heading), *width));
            let text = cells.collect::<Vec<_>>().join("   ");
            writeln!(out, "{}", text.trim_end())
        };
        if columns.is_empty() {
            return Ok(());
        }
        line(&|_, heading| heading.to_owned())?;
        for row in &self.rows {
            line(
                &|column, _| match row.get(column).map_or("", String::as_str) {
                    "" => "-".to_owned(),
                    cell => cell.replace(char::is_control, "?"),
                },
            )?;
        }
        Ok(())
    }
}

/// `text`, made `width` characters wide. By hand, because `format!` panics where a width is above
/// 65,535.
fn padded(mut text: String, width: usize) -> String {
    let missing = width.saturating_sub(text.chars().count());
    text.extend(std::iter::repeat_n(' ', missing));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(table: &Table) -> String {
        let mut out = Vec::new();
        table.write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn columns_are_aligned_and_those_that_say_nothing_are_left_out() {
        let mut table = Table::new(&["NAME", "TAGS", "IMAGE"]);
        table.push(["wéb", "", "nginx"].map(String::from).to_vec());
        table.push(["a-long-name", "", ""].map(String::from).to_vec());
        assert_eq!(
            written(&table),
            "NAME          IMAGE\nwéb           nginx\na-long-name   -\n"
        );
        assert_eq!(written(&Table::new(&["NAME"])), "");
    }

    #[test]
    fn a_cell_of_any_length_is_printed() {
        let long = "é".repeat(70_000);
        let mut table = Table::new(&["NAME", "WHAT", "MORE"]);
        table.push(vec!["a".to_owned(), long.clone(), "x".to_owned()]);
        table.push(["bc", "y", &long].map(String::from).to_vec());
        let space = " ".repeat(70_000);
        let written = written(&table);
        let mut lines = written.lines();
        assert_eq!(
            lines.next().unwrap(),
            format!("NAME   WHAT{}   MORE", &space[4..])
        );
        assert_eq!(lines.next().unwrap(), format!("a      {long}   x"));
        assert_eq!(
            lines.next().unwrap(),
            format!("bc     y{}   {long}", &space[1..])
        );
    }

    #[test]
    fn what_a_cluster_says_cannot_move_the_cursor() {
        let mut table = Table::new(&["NAME"]);
        table.push(vec!["a\u{1b}[2Jb\nc".to_owned()]);
        assert_eq!(written(&table), "NAME\na?[2Jb?c\n");
    }

    #[test]
    fn json_and_yaml_hold_the_same() {
        let value = serde_json::json!({"a": ["on", "1", null, true], "b": {"c: d": "x\ny"}});
        let written = |form: Form| {
            let mut out = Vec::new();
            form.write(&mut out, &value, |_| Table::default()).unwrap();
            String::from_utf8(out).unwrap()
        };
        let json: serde_json::Value = serde_json::from_str(&written(Form::Json)).unwrap();
        let yaml: serde_json::Value = serde_saphyr::from_str(&written(Form::Yaml)).unwrap();
        assert_eq!(json, value);
        assert_eq!(yaml, value);
    }
}
