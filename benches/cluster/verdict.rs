//! The figures against their targets: a table for people and a file for the record.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};

/// What was measured.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    rows: Vec<Row>,
}

#[derive(Debug)]
struct Row {
    what: &'static str,
    value: f64,
    unit: &'static str,
    most: Option<f64>,
}

impl Row {
    fn is_met(&self) -> bool {
        self.most.is_none_or(|most| self.value <= most)
    }

    fn said(&self, value: f64) -> String {
        match self.unit {
            "" => format!("{value:.0}"),
            unit => format!("{value:.1} {unit}"),
        }
    }
}

impl Verdict {
    /// A figure that must not be larger than `most`.
    pub(crate) fn target(&mut self, what: &'static str, value: f64, unit: &'static str, most: f64) {
        let most = Some(most);
        self.rows.push(Row {
            what,
            value,
            unit,
            most,
        });
    }

    /// A figure without a target.
    pub(crate) fn figure(&mut self, what: &'static str, value: f64, unit: &'static str) {
        let most = None;
        self.rows.push(Row {
            what,
            value,
            unit,
            most,
        });
    }

    /// Whether every target is met.
    pub(crate) fn is_met(&self) -> bool {
        self.rows.iter().all(Row::is_met)
    }

    /// The table.
    pub(crate) fn table(&self) -> String {
        let mut table = String::from("| Figure | Measured | Target | |\n|---|---|---|---|\n");
        for row in &self.rows {
            let target = row.most.map_or_else(String::new, |most| match most {
                0.0 => "none".to_owned(),
                most => format!("at most {}", row.said(most)),
            });
            let mark = match row.most {
                None => "",
                Some(_) if row.is_met() => "ok",
                Some(_) => "NOT MET",
            };
            let value = row.said(row.value);
            // Writing to a String cannot fail.
            let _ = writeln!(table, "| {} | {value} | {target} | {mark} |", row.what);
        }
        table
    }

    /// Writes the figures and `details` to a file.
    pub(crate) fn write(&self, path: &Path, details: &Value) {
        let figures: Vec<Value> = self
            .rows
            .iter()
            .map(|row| {
                json!({
                    "figure": row.what, "value": row.value, "unit": row.unit,
                    "at_most": row.most, "met": row.is_met(),
                })
            })
            .collect();
        let text = json!({"figures": figures, "details": details});
        std::fs::write(path, format!("{text:#}\n")).unwrap();
    }
}
