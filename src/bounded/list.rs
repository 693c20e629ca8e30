//! Lists and maps in JSON of which no more is kept than can mean something: what comes after that is read
//! over without being built, since a few bytes of an answer can take a hundred of the memory.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The first elements of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct First<T, const MOST: usize> {
    /// At most `MOST` of them.
    pub(crate) kept: Vec<T>,
    /// How many came after them, of whatever shape.
    pub(crate) more: usize,
}

impl<T, const MOST: usize> Default for First<T, MOST> {
    fn default() -> Self {
        Self {
            kept: Vec::new(),
            more: 0,
        }
    }
}

/// The first fields of a map. Of a name that stands there twice the last counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FirstFields<T, const MOST: usize>(pub(crate) BTreeMap<String, T>);

impl<T, const MOST: usize> Default for FirstFields<T, MOST> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for First<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Elements(PhantomData))
    }
}

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for FirstFields<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields(PhantomData))
    }
}

struct Elements<T, const MOST: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for Elements<T, MOST> {
    type Value = First<T, MOST>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut first = First::default();
        while first.kept.len() < MOST {
            match list.next_element()? {
                Some(element) => first.kept.push(element),
                None => return Ok(first),
            }
        }
        while list.next_element::<IgnoredAny>()?.is_some() {
            first.more += 1;
        }
        Ok(first)
    }
}

struct Fields<T, const MOST: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for Fields<T, MOST> {
    type Value = FirstFields<T, MOST>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut first = FirstFields::default();
        while first.0.len() < MOST {
            match map.next_entry()? {
                Some((name, value)) => drop(first.0.insert(name, value)),
                None => return Ok(first),
            }
        }
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(text: &str) -> Result<(Vec<u8>, usize), String> {
        let first: Result<First<u8, 2>, _> = serde_json::from_str(text);
        first
            .map(|first| (first.kept, first.more))
            .map_err(|error| error.to_string())
    }

    fn fields(text: &str) -> Result<Vec<(String, u8)>, String> {
        let first: Result<FirstFields<u8, 2>, _> = serde_json::from_str(text);
        first
            .map(|it| it.0.into_iter().collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    fn of_a_list_the_first_are_kept_and_the_others_counted() {
        for (text, kept, more) in [
            ("[]", &[][..], 0),
            ("[1]", &[1], 0),
            ("[1,2]", &[1, 2], 0),
            ("[1,2,3]", &[1, 2], 1),
            (r#"[1,2,{"a":[]},null,"x"]"#, &[1, 2], 3),
        ] {
            assert_eq!(list(text), Ok((kept.to_vec(), more)), "{text}");
        }
    }

    #[test]
    fn of_a_map_the_first_are_kept() {
        let field = |name: &str, number| (name.to_owned(), number);
        let (a, b) = (field("a", 1), field("b", 2));
        for (text, kept) in [
            ("{}", vec![]),
            (r#"{"a":1}"#, vec![a.clone()]),
            (r#"{"a":1,"b":2}"#, vec![a.clone(), b.clone()]),
            (r#"{"a":2,"a":1}"#, vec![a.clone()]),
            (r#"{"b":2,"a":1,"c":[],"d":{}}"#, vec![a, b]),
        ] {
            assert_eq!(fields(text), Ok(kept), "{text}");
        }
    }

    #[test]
    fn what_is_kept_has_its_shape_and_what_is_not_is_still_json() {
        for text in [
            "{}",
            "null",
            "7",
            r#"[1,"2"]"#,
            "[1,2,",
            "[1,2,3",
            "[1,2,x]",
        ] {
            assert!(list(text).is_err(), "{text}");
        }
        assert!(list("{}").unwrap_err().contains("a list"));
        for text in ["[]", "null", r#"{"a":"1"}"#, r#"{"a":1,"b":2,"c"}"#] {
            assert!(fields(text).is_err(), "{text}");
        }
        assert!(fields("[]").unwrap_err().contains("an object"));
    }
}
