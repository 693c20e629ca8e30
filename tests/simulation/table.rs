//! Which rows of the truth table applied while what was wrong: a cell that stays empty is a proof that
//! was not made.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use deployment_recorder::model::ledger::Owner;
use deployment_recorder::model::plan::{Plan, Row, Why};

use crate::faults::Fault;

/// Counts of plans' entries by fault and row.
#[derive(Clone, Default)]
pub struct Table(BTreeMap<(Fault, Row), Cell>);

/// How often that was so.
#[derive(Clone, Copy, Default)]
struct Cell {
    entries: usize,
    seeds: usize,
}

/// Cells that cannot be filled, each with the reason.
const IMPOSSIBLE: [(Fault, Row, &str); 0] = [];

impl Table {
    /// Notes what a plan says while these are wrong.
    pub fn note(&mut self, faults: &[Fault], plan: &Plan) {
        let withheld = plan.withheld.iter().filter_map(|(_, why)| match why {
            Why::ForeignHost => Some(Row::Foreign),
            Why::Adopted => Some(Row::Adopted),
            _ => None,
        });
        let adopted = plan
            .decommissions
            .iter()
            .filter(|it| it.owner == Owner::Adopted);
        let rows = plan.rows.values().copied();
        let rows = rows.chain(withheld).chain(adopted.map(|_| Row::Adopted));
        for row in rows {
            for fault in faults {
                let cell = self.0.entry((*fault, row)).or_default();
                cell.entries += 1;
                cell.seeds = 1;
            }
        }
    }

    /// Takes over what another one counted.
    pub fn add(&mut self, other: &Self) {
        for (place, more) in &other.0 {
            let cell = self.0.entry(*place).or_default();
            cell.entries += more.entries;
            cell.seeds += more.seeds;
        }
    }

    /// The cells that are empty and could be filled.
    pub fn empty(&self) -> Vec<String> {
        let cells = Fault::ALL
            .iter()
            .flat_map(|fault| Row::ALL.map(|row| (*fault, row)));
        let is_possible = |it: &(Fault, Row)| {
            !IMPOSSIBLE
                .iter()
                .any(|(fault, row, _)| (fault, row) == (&it.0, &it.1))
        };
        cells
            .filter(|it| !self.0.contains_key(it) && is_possible(it))
            .map(|(fault, row)| format!("{fault:?} in row {}", row.number()))
            .collect()
    }

    fn cell(&self, fault: Fault, row: Row) -> Cell {
        self.0.get(&(fault, row)).copied().unwrap_or_default()
    }

    /// Every cell with the number of seeds that had it, the rarest first.
    fn rarest(&self) -> impl Iterator<Item = (usize, Fault, Row)> {
        let cells = Fault::ALL
            .into_iter()
            .flat_map(|fault| Row::ALL.map(|row| (self.cell(fault, row).seeds, fault, row)));
        let mut cells: Vec<(usize, Fault, Row)> = cells.collect();
        cells.sort_by_key(|it| it.0);
        cells.into_iter()
    }

    /// For people.
    pub fn text(&self) -> String {
        let mut text = format!("{:20}", "");
        for row in Row::ALL {
            let _ = write!(text, "{:>7}", row.number());
        }
        for fault in Fault::ALL {
            let _ = write!(text, "\n{:20}", format!("{fault:?}"));
            for row in Row::ALL {
                let _ = write!(text, "{:>7}", self.cell(fault, row).entries);
            }
        }
        let rare = self.rarest().map(|(seeds, fault, row)| {
            let row = row.number();
            format!("{fault:?} in row {row} ({seeds})")
        });
        let rare: Vec<String> = rare.take(12).collect();
        let _ = write!(text, "\nin the fewest seeds: {}", rare.join(", "));
        text
    }
}
