//! The interner: one copy of each text that many objects repeat (namespaces, container names,
//! images, owners). Knows nothing of Kubernetes.

use std::collections::HashSet;
use std::sync::Arc;

/// Texts that are held once.
#[derive(Debug, Default)]
pub(super) struct Interner {
    texts: HashSet<Arc<str>>,
    /// How many texts to grow to before the next sweep.
    sweep_at: usize,
}

impl Interner {
    /// The one copy of `text`.
    pub(super) fn intern(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        if self.texts.len() >= self.sweep_at {
            self.sweep();
        }
        let text: Arc<str> = text.into();
        self.texts.insert(Arc::clone(&text));
        text
    }

    /// Lets go of texts that nobody else holds. It comes when the texts have doubled since the last
    /// time, so its cost is spread over the texts that came meanwhile.
    fn sweep(&mut self) {
        const AT_LEAST: usize = 1024;
        self.texts.retain(|text| Arc::strong_count(text) > 1);
        self.sweep_at = (2 * self.texts.len()).max(AT_LEAST);
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
}
