//! The interner: one copy of each text that many objects repeat (namespaces, container names,
//! images, owners) and of each set of annotations. Knows nothing of Kubernetes.

use std::collections::HashSet;
use std::sync::Arc;

use crate::model::facts::Pull;
use crate::model::text_map::TextMap;

/// Texts that are held once.
#[derive(Debug, Default)]
pub(super) struct Interner {
    texts: HashSet<Arc<str>>,
    maps: HashSet<TextMap>,
    pulls: HashSet<Arc<Pull>>,
    /// How many of all to grow to before the next sweep.
    sweep_at: usize,
}

impl Interner {
    /// The one copy of `text`.
    pub(super) fn intern(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        self.make_room();
        let text: Arc<str> = text.into();
        self.texts.insert(Arc::clone(&text));
        text
    }

    /// The one copy of `map`.
    pub(super) fn share(&mut self, map: TextMap) -> TextMap {
        if map.is_empty() {
            return map;
        }
        if let Some(known) = self.maps.get(&map) {
            return known.clone();
        }
        self.make_room();
        self.maps.insert(map.clone());
        map
    }

    /// The one copy of `pull`.
    pub(super) fn share_pull(&mut self, pull: Pull) -> Arc<Pull> {
        if let Some(known) = self.pulls.get(&pull) {
            return Arc::clone(known);
        }
        self.make_room();
        let pull = Arc::new(pull);
        self.pulls.insert(Arc::clone(&pull));
        pull
    }

    /// Lets go of what nobody else holds. It comes when all of it has doubled since the last time,
    /// so its cost is spread over what came meanwhile.
    fn make_room(&mut self) {
        const AT_LEAST: usize = 1024;
        if self.texts.len() + self.maps.len() + self.pulls.len() < self.sweep_at {
            return;
        }
        // Those first that hold texts.
        self.maps.retain(TextMap::is_shared);
        self.pulls.retain(|pull| Arc::strong_count(pull) > 1);
        self.texts.retain(|text| Arc::strong_count(text) > 1);
        self.sweep_at = (2 * (self.texts.len() + self.maps.len() + self.pulls.len())).max(AT_LEAST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_texts_are_one() {
        let mut interner = Interner::default();
        let (one, other) = (interner.intern("a"), interner.intern("a"));
        assert!(Arc::ptr_eq(&one, &other));
        assert_eq!(&*interner.intern("b"), "b");
    }

    #[test]
    fn texts_that_nobody_holds_do_not_pile_up() {
        let mut interner = Interner::default();
        let kept = interner.intern("kept");
        for number in 0..100_000 {
            interner.intern(&number.to_string());
        }
        assert!(
            interner.texts.len() <= 1024,
            "{} texts",
            interner.texts.len()
        );
        assert!(Arc::ptr_eq(&kept, &interner.intern("kept")));
    }

    #[test]
    fn maps_that_nobody_holds_do_not_pile_up_and_take_their_texts_with_them() {
        let mut interner = Interner::default();
        let kept = interner.share(TextMap::from([("a", "kept")]));
        for number in 0..10_000 {
            let text = interner.intern(&number.to_string());
            interner.share([(text.clone(), text)].into_iter().collect());
        }
        assert!(interner.maps.len() + interner.texts.len() <= 1024);
        assert!(kept.is_shared() && interner.maps.contains(&kept));
        assert!(!TextMap::default().is_shared());
    }
}
