//! Selectors of one namespace's Services, found by the labels of a pod without asking each of them:
//! every selector stands under the one of its pairs that the fewest selectors have.

use std::collections::HashMap;
use std::sync::Arc;

use super::Door;
use crate::model::text_map::TextMap;

/// The selectors, each with the doors to its pods.
#[derive(Debug)]
pub(super) struct Selectors {
    /// By key and value of a pair: which of `services` stand under it.
    by_pair: HashMap<Arc<str>, HashMap<Arc<str>, Vec<usize>>>,
    services: Vec<(TextMap, Vec<Door>)>,
}

impl Selectors {
    /// Of Services with selectors that are not empty.
    pub(super) fn new(services: Vec<(TextMap, Vec<Door>)>) -> Self {
        let mut counts: HashMap<(&str, &str), usize> = HashMap::new();
        let pairs = services.iter().flat_map(|(selector, _)| selector.iter());
        for (key, value) in pairs {
            *counts.entry((key, value)).or_default() += 1;
        }
        let mut by_pair: HashMap<Arc<str>, HashMap<Arc<str>, Vec<usize>>> = HashMap::new();
        for (at, (selector, _)) in services.iter().enumerate() {
            let rarest = selector.iter().min_by_key(|(key, value)| {
                let known = counts.get(&(&***key, &***value));
                known.copied().unwrap_or_default()
            });
            if let Some((key, value)) = rarest {
                let by_value = by_pair.entry(key.clone()).or_default();
                by_value.entry(value.clone()).or_default().push(at);
            }
        }
        Self { by_pair, services }
    }

    /// The doors to pods with these labels, by Service.
    pub(super) fn matching(&self, labels: &TextMap) -> impl Iterator<Item = &[Door]> {
        let candidates = self.candidates(labels);
        let matching = candidates.filter(move |(selector, _)| selects(selector, labels));
        matching.map(|(_, doors)| &**doors)
    }

    /// The Services that are asked.
    fn candidates(&self, labels: &TextMap) -> impl Iterator<Item = &(TextMap, Vec<Door>)> {
        let under = labels.iter().filter_map(|(key, value)| {
            let by_value = self.by_pair.get(key)?;
            by_value.get(value)
        });
        under.flatten().filter_map(|at| self.services.get(*at))
    }
}

/// Whether the labels have every pair of the selector.
fn selects(selector: &TextMap, labels: &TextMap) -> bool {
    let mut pairs = selector.iter();
    pairs.all(|(key, value)| labels.get(key) == Some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_services_only_those_are_asked_that_have_a_rare_pair_in_common() {
        let all = "shop";
        let services = (0..2000).map(|number| {
            let app = format!("app-{number}");
            let selector = [("app", &*app), ("part-of", all), ("tier", "front")];
            (TextMap::from(selector), Vec::new())
        });
        let selectors = Selectors::new(services.collect());
        for (app, asked, found) in [("app-7", 1, 1), ("app-1999", 1, 1), ("app-2000", 0, 0)] {
            let labels = TextMap::from([("app", app), ("part-of", all), ("tier", "front")]);
            assert_eq!(selectors.candidates(&labels).count(), asked, "{app}");
            assert_eq!(selectors.matching(&labels).count(), found, "{app}");
        }
        let lacking = TextMap::from([("app", "app-7"), ("tier", "front")]);
        assert_eq!(selectors.candidates(&lacking).count(), 1);
        assert_eq!(selectors.matching(&lacking).count(), 0);
    }
}
