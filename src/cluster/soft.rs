//! Soft reading: a value of an unexpected shape reads as absent instead of failing everything
//! around it, because one odd field of one object must not hide a whole list. Values that are not
//! wanted are skipped without being built. Knows nothing of Kubernetes.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A value, or nothing where something of another shape stands.
#[derive(Clone, Debug)]
pub(super) struct Soft<T>(pub(super) Option<T>);

impl<T> Default for Soft<T> {
    fn default() -> Self {
        Self(None)
    }
}

impl<T: Default> Soft<T> {
    /// The value, or its default.
    pub(super) fn or_default(self) -> T {
        self.0.unwrap_or_default()
    }
}

impl Soft<String> {
    /// The text, or the empty one.
    pub(super) fn text(&self) -> &str {
        self.0.as_deref().unwrap_or_default()
    }
}

/// What can be read softly: each method is asked for one shape of input, and refuses it unless
/// told otherwise.
pub(super) trait Shape: Sized {
    /// From a string.
    fn from_text(_text: &str) -> Option<Self> {
        None
    }

    /// From true or false.
    fn from_flag(_flag: bool) -> Option<Self> {
        None
    }

    /// From a whole number.
    fn from_number(_number: i64) -> Option<Self> {
        None
    }

    /// From a map.
    fn from_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<Option<Self>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    /// From a list.
    fn from_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

impl Shape for String {
    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }
}

impl Shape for bool {
    fn from_flag(flag: bool) -> Option<Self> {
        Some(flag)
    }
}

impl Shape for i64 {
    fn from_number(number: i64) -> Option<Self> {
        Some(number)
    }
}

impl<T: Shape> Shape for Vec<Soft<T>> {
    fn from_list<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Option<Self>, A::Error> {
        let mut read = Self::new();
        while let Some(element) = list.next_element()? {
            read.push(element);
        }
        Ok(Some(read))
    }
}

/// A text of which no more is kept than anything can mean that is taken from it: what is longer is cut,
/// and says so, so that it is never read as another, shorter one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Brief(String);

impl Brief {
    /// The most bytes of it. An image has at most 256 of a name and 71 of a digest, a tag of a record
    /// 100 letters.
    pub(super) const LONGEST: usize = 512;

    /// As much of `text`.
    pub(super) fn of(text: &str) -> Self {
        if text.len() <= Self::LONGEST {
            return Self(text.to_owned());
        }
        let end = text.floor_char_boundary(Self::LONGEST);
        Self(format!("{}…", text.get(..end).unwrap_or_default()))
    }

    /// The text.
    pub(super) fn into_text(self) -> String {
        self.0
    }
}

impl Shape for Brief {
    fn from_text(text: &str) -> Option<Self> {
        Some(Self::of(text))
    }
}

impl Soft<Brief> {
    /// The text, or the empty one.
    pub(super) fn text(&self) -> &str {
        self.0.as_ref().map_or("", |brief| &brief.0)
    }
}

/// That a map stands there, whatever is in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct AnyMap;

impl Shape for AnyMap {
    fn from_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<Option<Self>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Some(Self))
    }
}

/// Reads a map as the struct `T`, whose own fields should be soft.
pub(super) fn map_as<'de, T: Deserialize<'de>, A: MapAccess<'de>>(
    map: A,
) -> Result<Option<T>, A::Error> {
    T::deserialize(MapAccessDeserializer::new(map)).map(Some)
}

impl<'de, T: Shape> Deserialize<'de> for Soft<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer
            .deserialize_any(SoftVisitor(PhantomData))
            .map(Self)
    }
}

struct SoftVisitor<T>(PhantomData<T>);

impl<'de, T: Shape> Visitor<'de> for SoftVisitor<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_unit<E>(self) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Option<T>, E> {
        Ok(T::from_flag(flag))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Option<T>, E> {
        Ok(T::from_number(number))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Option<T>, E> {
        Ok(i64::try_from(number).ok().and_then(T::from_number))
    }

    fn visit_f64<E>(self, _number: f64) -> Result<Option<T>, E> {
        Ok(None)
    }

    fn visit_str<E>(self, text: &str) -> Result<Option<T>, E> {
        Ok(T::from_text(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Option<T>, A::Error> {
        T::from_map(map)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Option<T>, A::Error> {
        T::from_list(list)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_another_shape_reads_as_absent() {
        for other in [
            "null",
            "true",
            "7",
            "-7",
            "1.5",
            "18446744073709551615",
            "[1, [2]]",
            "{\"a\": {}}",
        ] {
            let read: Soft<String> = serde_json::from_str(other).unwrap();
            assert_eq!(read.0, None, "{other}");
        }
        assert_eq!(
            serde_json::from_str::<Soft<String>>("\"a\"")
                .unwrap()
                .text(),
            "a"
        );
        assert_eq!(serde_json::from_str::<Soft<i64>>("7").unwrap().0, Some(7));
        assert_eq!(serde_json::from_str::<Soft<i64>>("\"7\"").unwrap().0, None);
        assert_eq!(
            serde_json::from_str::<Soft<bool>>("true").unwrap().0,
            Some(true)
        );
        assert!(
            serde_json::from_str::<Soft<AnyMap>>("{\"a\": 1}")
                .unwrap()
                .0
                .is_some()
        );
        assert!(
            serde_json::from_str::<Soft<AnyMap>>("[]")
                .unwrap()
                .0
                .is_none()
        );
    }

    #[test]
    fn an_odd_element_leaves_its_neighbours_alone() {
        let read: Soft<Vec<Soft<String>>> =
            serde_json::from_str(r#"["a", {"b": []}, "c"]"#).unwrap();
        let texts: Vec<Option<String>> = read.or_default().into_iter().map(|text| text.0).collect();
        assert_eq!(texts, [Some("a".to_owned()), None, Some("c".to_owned())]);
    }

    #[test]
    fn a_brief_text_is_whole_or_cut_at_a_letter_and_marked() {
        let whole = "é".repeat(256);
        assert_eq!(Brief::of(&whole).into_text(), whole);
        let longer = format!("a{whole}");
        let cut = Brief::of(&longer).into_text();
        assert_eq!(cut, format!("a{}…", "é".repeat(255)));
    }

    #[test]
    fn text_that_is_not_json_is_still_an_error() {
        assert!(serde_json::from_str::<Soft<Vec<Soft<String>>>>(r#"["a", "#).is_err());
    }
}
