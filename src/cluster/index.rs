//! The compact index of one watch: what it shows now, by namespace and name. A list builds a fresh
//! index beside the one in use and replaces it only when it is whole.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Namespace and name.
pub(super) type Key = (Arc<str>, Arc<str>);

/// What an index holds.
pub(super) trait Kept {
    /// The name under which it is kept.
    fn name(&self) -> &Arc<str>;

    /// The uid: another uid under the same key is another object.
    fn uid(&self) -> &str;

    /// Whether it says the same as `earlier`.
    fn is_same_as(&self, earlier: &Self) -> bool;

    /// Whether nothing follows from it, so that nobody cares whether it is there.
    fn is_idle(&self) -> bool {
        false
    }
}

/// The objects of one watch.
#[derive(Debug)]
pub(super) struct Index<T> {
    shown: Layer<T>,
    /// What a list that is under way has read so far.
    fresh: Option<Layer<T>>,
}

#[derive(Debug)]
struct Layer<T> {
    objects: HashMap<Key, T>,
    /// Objects that are there and cannot be read.
    unreadable: HashSet<Key>,
}

impl<T> Default for Layer<T> {
    fn default() -> Self {
        Self {
            objects: HashMap::new(),
            unreadable: HashSet::new(),
        }
    }
}

impl<T> Default for Index<T> {
    fn default() -> Self {
        Self {
            shown: Layer::default(),
            fresh: None,
        }
    }
}

impl<T: Kept> Layer<T> {
    /// How many of the objects matter.
    fn matter(&self) -> usize {
        let objects = self.objects.values();
        objects.filter(|object| !object.is_idle()).count()
    }
}

/// What a change did.
#[derive(Debug)]
pub(super) struct Change<T> {
    /// Whether the index shows something else than before.
    pub(super) matters: bool,
    /// What is gone.
    pub(super) gone: Vec<T>,
}

impl<T> Change<T> {
    /// Nothing.
    pub(super) fn none() -> Self {
        Self {
            matters: false,
            gone: Vec::new(),
        }
    }
}

impl<T: Kept> Index<T> {
    /// What is shown under `key`.
    pub(super) fn get(&self, key: &Key) -> Option<&T> {
        self.shown.objects.get(key)
    }

    /// Everything that is shown.
    pub(super) fn iter(&self) -> impl Iterator<Item = &T> {
        self.shown.objects.values()
    }

    /// How many objects are shown.
    pub(super) fn len(&self) -> usize {
        self.shown.objects.len()
    }

    /// An object that is there and cannot be read, if there is one.
    pub(super) fn unreadable(&self) -> Option<&Key> {
        self.shown.unreadable.iter().min()
    }

    /// A list begins.
    pub(super) fn begin(&mut self) {
        self.fresh = Some(Layer::default());
    }

    /// A list named an object, which may be unreadable (then what was known of it stays).
    pub(super) fn list(&mut self, key: Key, object: Option<T>)
    where
        T: Clone,
    {
        let Some(fresh) = &mut self.fresh else { return };
        let object = object.or_else(|| {
            fresh.unreadable.insert(key.clone());
            self.shown.objects.get(&key).cloned()
        });
        object.map(|object| fresh.objects.insert(key, object));
    }

    /// The list is whole: what it built is shown from now on.
    pub(super) fn finish(&mut self) -> Change<T> {
        let Some(fresh) = self.fresh.take() else {
            return Change::none();
        };
        let old = std::mem::replace(&mut self.shown, fresh);
        let mut change = Change::none();
        change.matters =
            old.matter() != self.shown.matter() || old.unreadable != self.shown.unreadable;
        for (key, was) in old.objects {
            match self.shown.objects.get(&key) {
                Some(is) if is.uid() == was.uid() => change.matters |= !is.is_same_as(&was),
                _ => {
                    change.matters |= !was.is_idle();
                    change.gone.push(was);
                }
            }
        }
        change
    }

    /// An object came or changed.
    pub(super) fn apply(&mut self, key: Key, object: Option<T>) -> Change<T> {
        let Some(object) = object else {
            return Change {
                matters: self.shown.unreadable.insert(key),
                gone: Vec::new(),
            };
        };
        let readable_again = self.shown.unreadable.remove(&key);
        let Some(known) = self.shown.objects.get_mut(&key) else {
            let matters = readable_again || !object.is_idle();
            self.shown.objects.insert(key, object);
            return Change {
                matters,
                gone: Vec::new(),
            };
        };
        let same = known.is_same_as(&object);
        let was = std::mem::replace(known, object);
        let gone = if was.uid() == known.uid() {
            Vec::new()
        } else {
            vec![was]
        };
        Change {
            matters: readable_again || !same,
            gone,
        }
    }

    /// An object was deleted.
    pub(super) fn delete(&mut self, key: &Key) -> Change<T> {
        let readable = !self.shown.unreadable.remove(key);
        let gone: Vec<T> = self.shown.objects.remove(key).into_iter().collect();
        Change {
            matters: !readable || gone.iter().any(|gone| !gone.is_idle()),
            gone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq)]
    struct Thing(&'static str, u8);

    impl Kept for Thing {
        fn name(&self) -> &Arc<str> {
            unreachable!("an index is told the key")
        }

        fn uid(&self) -> &str {
            self.0
        }

        fn is_same_as(&self, earlier: &Self) -> bool {
            self == earlier
        }
    }

    fn key(name: &str) -> Key {
        ("n".into(), name.into())
    }

    fn filled() -> Index<Thing> {
        let mut index = Index::default();
        index.begin();
        index.list(key("a"), Some(Thing("uid-a", 1)));
        index.list(key("b"), Some(Thing("uid-b", 1)));
        index.finish();
        index
    }

    #[test]
    fn the_old_index_serves_until_the_new_list_is_whole() {
        let mut index = filled();
        index.begin();
        index.list(key("b"), Some(Thing("uid-b", 1)));
        assert_eq!(index.len(), 2);
        let change = index.finish();
        assert_eq!(
            (change.matters, change.gone),
            (true, vec![Thing("uid-a", 1)])
        );
        assert_eq!(index.len(), 1);
    }

    #[test]
    fn a_list_that_breaks_leaves_nothing_behind() {
        let mut index = filled();
        index.begin();
        index.list(key("ghost"), Some(Thing("uid-g", 1)));
        index.begin();
        index.list(key("a"), Some(Thing("uid-a", 1)));
        index.list(key("b"), Some(Thing("uid-b", 1)));
        let change = index.finish();
        assert_eq!((change.matters, change.gone), (false, vec![]));
        assert_eq!(index.get(&key("ghost")), None);
    }

    #[test]
    fn an_object_created_anew_under_its_name_is_another() {
        let mut index = filled();
        let change = index.apply(key("a"), Some(Thing("uid-a2", 1)));
        assert_eq!(
            (change.matters, change.gone),
            (true, vec![Thing("uid-a", 1)])
        );
        let mut index = filled();
        index.begin();
        index.list(key("a"), Some(Thing("uid-a2", 1)));
        index.list(key("b"), Some(Thing("uid-b", 1)));
        assert_eq!(index.finish().gone, [Thing("uid-a", 1)]);
    }

    #[test]
    fn only_what_says_something_else_matters() {
        let mut index = filled();
        assert!(!index.apply(key("a"), Some(Thing("uid-a", 1))).matters);
        assert!(index.apply(key("a"), Some(Thing("uid-a", 2))).matters);
        assert!(index.apply(key("c"), Some(Thing("uid-c", 1))).matters);
        assert!(index.delete(&key("c")).matters);
        assert!(!index.delete(&key("c")).matters);
    }

    #[test]
    fn an_unreadable_object_stays_as_it_was_and_is_named_until_it_can_be_read() {
        let mut index = filled();
        assert!(index.apply(key("a"), None).matters);
        assert_eq!(
            (index.unreadable(), index.get(&key("a"))),
            (Some(&key("a")), Some(&Thing("uid-a", 1)))
        );
        index.begin();
        index.list(key("a"), None);
        assert!(index.finish().matters);
        assert_eq!((index.unreadable(), index.len()), (Some(&key("a")), 1));
        assert!(index.apply(key("a"), Some(Thing("uid-a", 1))).matters);
        assert_eq!(index.unreadable(), None);
    }
}
