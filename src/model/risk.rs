//! Runtime risks, as the artifact-metadata API lists them (`contract/README.md`).

use std::fmt;

/// A runtime risk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Risk {
    /// `critical-resource`.
    CriticalResource,
    /// `internet-exposed`.
    InternetExposed,
    /// `lateral-movement`.
    LateralMovement,
    /// `sensitive-data`.
    SensitiveData,
}

impl Risk {
    /// Every risk, in the order of their names.
    pub const ALL: [Self; 4] = [
        Self::CriticalResource,
        Self::InternetExposed,
        Self::LateralMovement,
        Self::SensitiveData,
    ];

    /// The API's name for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CriticalResource => "critical-resource",
            Self::InternetExposed => "internet-exposed",
            Self::LateralMovement => "lateral-movement",
            Self::SensitiveData => "sensitive-data",
        }
    }

    /// The risk of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|risk| risk.as_str() == name)
    }
}

/// A set of risks.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Risks(u8);

impl Risks {
    /// Whether it has none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether it has that risk.
    pub fn contains(self, risk: Risk) -> bool {
        self.0 & Self::bit(risk) != 0
    }

    /// Adds a risk.
    pub fn insert(&mut self, risk: Risk) {
        self.0 |= Self::bit(risk);
    }

    /// Every risk in it, in the order of their names.
    pub fn iter(self) -> impl Iterator<Item = Risk> {
        Risk::ALL
            .into_iter()
            .filter(move |risk| self.contains(*risk))
    }

    /// The API's names of them, in their order.
    pub fn names(self) -> Vec<&'static str> {
        self.iter().map(Risk::as_str).collect()
    }

    fn bit(risk: Risk) -> u8 {
        1 << risk as u8
    }
}

impl FromIterator<Risk> for Risks {
    fn from_iter<I: IntoIterator<Item = Risk>>(risks: I) -> Self {
        let mut set = Self::default();
        risks.into_iter().for_each(|risk| set.insert(risk));
        set
    }
}

impl Extend<Risk> for Risks {
    fn extend<I: IntoIterator<Item = Risk>>(&mut self, risks: I) {
        risks.into_iter().for_each(|risk| self.insert(risk));
    }
}

impl<const N: usize> From<[Risk; N]> for Risks {
    fn from(risks: [Risk; N]) -> Self {
        risks.into_iter().collect()
    }
}

impl fmt::Debug for Risks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_risk_is_found_by_its_name_alone() {
        for risk in Risk::ALL {
            assert_eq!(Risk::parse(risk.as_str()), Some(risk));
        }
        assert_eq!(Risk::parse("Sensitive-Data"), None);
    }

    proptest! {
        #[test]
        fn a_set_has_each_risk_once_and_in_order(
            risks in prop::collection::vec(prop::sample::select(Risk::ALL.to_vec()), 0..6),
        ) {
            let set: Risks = risks.iter().copied().collect();
            let tree: BTreeSet<Risk> = risks.into_iter().collect();
            prop_assert!(set.iter().eq(tree.iter().copied()));
            prop_assert_eq!(set.is_empty(), tree.is_empty());
            for risk in Risk::ALL {
                prop_assert_eq!(set.contains(risk), tree.contains(&risk));
            }
        }
    }
}
