//! A small map of texts that many hold and nobody changes: annotations and tags. Knows nothing of
//! what the texts mean.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

type Pair = (Arc<str>, Arc<str>);

/// Texts by key, in the order of the keys. One allocation however many hold it and none while it
/// is empty: ten thousand pods have annotations, and most of them have those of their neighbours.
/// A tree map takes about 400 bytes for the first pair.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TextMap(Option<Arc<[Pair]>>);

impl TextMap {
    fn pairs(&self) -> &[Pair] {
        self.0.as_deref().unwrap_or_default()
    }

    /// How many keys it has.
    pub fn len(&self) -> usize {
        self.pairs().len()
    }

    /// Whether it has no key.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The text of that key.
    pub fn get(&self, key: &str) -> Option<&Arc<str>> {
        let found = self
            .pairs()
            .binary_search_by(|(known, _)| (**known).cmp(key));
        let pair = self.pairs().get(found.ok()?)?;
        Some(&pair.1)
    }

    /// Whether it has that key.
    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Keys and texts, by key.
    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Arc<str>)> {
        self.pairs().iter().map(|(key, text)| (key, text))
    }

    /// Whether somebody else holds the same allocation.
    pub fn is_shared(&self) -> bool {
        self.0
            .as_ref()
            .is_some_and(|pairs| Arc::strong_count(pairs) > 1)
    }

    /// The first `most` keys with their texts, and the others.
    pub fn split(&self, most: usize) -> (Self, Self) {
        let part = |pairs: &[Pair]| Self::of(pairs.to_vec());
        match self.pairs().split_at_checked(most) {
            Some((first, rest)) if !rest.is_empty() => (part(first), part(rest)),
            _ => (self.clone(), Self::default()),
        }
    }

    /// Of pairs that are sorted and have each key once.
    fn of(pairs: Vec<Pair>) -> Self {
        Self((!pairs.is_empty()).then(|| pairs.into()))
    }
}

/// Of a key that comes twice the last text counts.
impl FromIterator<Pair> for TextMap {
    fn from_iter<I: IntoIterator<Item = Pair>>(pairs: I) -> Self {
        let mut pairs: Vec<Pair> = pairs.into_iter().collect();
        if !pairs.is_sorted_by(|(one, _), (next, _)| one < next) {
            let map: BTreeMap<_, _> = pairs.into_iter().collect();
            pairs = map.into_iter().collect();
        }
        Self::of(pairs)
    }
}

impl<const N: usize> From<[(&str, &str); N]> for TextMap {
    fn from(pairs: [(&str, &str); N]) -> Self {
        let pairs = pairs.into_iter();
        pairs.map(|(key, text)| (key.into(), text.into())).collect()
    }
}

impl fmt::Debug for TextMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_empty_map_is_the_default_and_holds_nothing() {
        let empty = TextMap::from([]);
        assert_eq!(empty, TextMap::default());
        assert_eq!(
            (empty.len(), empty.is_empty(), empty.get("a")),
            (0, true, None)
        );
        assert!(empty < TextMap::from([("a", "")]));
    }

    #[test]
    fn what_is_split_at_its_end_or_behind_it_stays_what_it_is() {
        for (most, is_shared) in [(1, false), (2, true), (3, true)] {
            let map = TextMap::from([("a", "x"), ("b", "y")]);
            let (first, _) = map.split(most);
            assert_eq!(first.is_shared(), is_shared, "{most}");
        }
    }

    proptest! {
        #[test]
        fn it_is_as_a_tree_map_would_be(
            pairs in prop::collection::vec(("[a-c]{0,2}", "[xy]{0,1}"), 0..8),
            key in "[a-c]{0,2}", most in 0..9_usize,
        ) {
            let pairs = pairs.iter().map(|(key, text)| (Arc::from(&**key), Arc::from(&**text)));
            let tree: BTreeMap<Arc<str>, Arc<str>> = pairs.clone().collect();
            let map: TextMap = pairs.collect();
            prop_assert!(map.iter().eq(tree.iter()));
            prop_assert_eq!((map.len(), map.is_empty()), (tree.len(), tree.is_empty()));
            prop_assert_eq!(map.get(&key), tree.get(&*key));
            prop_assert_eq!(map.contains_key(&key), tree.contains_key(&*key));
            let (first, rest) = map.split(most);
            prop_assert!(first.iter().chain(rest.iter()).eq(tree.iter()));
            prop_assert_eq!(first.len(), most.min(tree.len()));
        }
    }
}
