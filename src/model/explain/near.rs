//! What is near a name that nothing has: names that hold it or are held by it, and those that a few
//! strokes would make of it.

/// How many are named.
const FEW: usize = 5;

/// The few of `names` that are nearest to `sought`, each with how it is shown.
pub(super) fn few<'a>(sought: &str, names: impl Iterator<Item = (&'a str, String)>) -> Vec<String> {
    let mut near: Vec<(usize, String)> = names
        .filter_map(|(name, shown)| Some((distance(sought, name)?, shown)))
        .collect();
    near.sort();
    near.dedup();
    near.truncate(FEW);
    near.into_iter().map(|(_, shown)| shown).collect()
}

/// How far `name` is from what is sought; `None` where it is not near.
fn distance(sought: &str, name: &str) -> Option<usize> {
    if sought.is_empty() {
        return Some(name.len());
    }
    let (sought, name) = (sought.to_lowercase(), name.to_lowercase());
    if name.contains(&sought) || sought.contains(&name) {
        return Some(name.len().abs_diff(sought.len()).min(2));
    }
    let strokes = strokes(&sought, &name);
    (strokes <= (sought.len() / 3).clamp(1, 3)).then_some(strokes)
}

/// Levenshtein's distance, in characters.
fn strokes(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (line, letter) in one.chars().enumerate() {
        let mut before = line;
        let mut left = line + 1;
        let mut next = vec![left];
        for (above, its) in row.iter().skip(1).zip(&other) {
            left = (before + usize::from(letter != *its))
                .min(left + 1)
                .min(above + 1);
            before = *above;
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_far_apart_as_it_takes_strokes() {
        for (one, other, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("web", "web", 0),
            ("web", "wep", 1),
            ("web", "wbe", 2),
            ("kitten", "sitting", 3),
            ("é", "e", 1),
        ] {
            assert_eq!(strokes(one, other), expected, "{one} {other}");
            assert_eq!(strokes(other, one), expected);
        }
    }

    #[test]
    fn a_long_name_may_be_further_from_what_is_sought_and_none_is_further_than_three_strokes() {
        for (sought, name, expected) in [
            ("db", "xb", Some(1)),
            ("db", "xy", None),
            ("orders", "ordxxs", Some(2)),
            ("orders", "orxxxs", None),
            ("inventory", "invxxxory", Some(3)),
            ("recommendations", "recxxxendations", Some(3)),
            ("recommendations", "recxxxxndations", None),
        ] {
            assert_eq!(distance(sought, name), expected, "{sought} {name}");
        }
    }

    #[test]
    fn only_what_is_near_is_named_the_nearest_first() {
        let names = [
            "web",
            "webshop",
            "wbe",
            "cart",
            "website-of-the-shop",
            "WEB2",
            "we",
            "api",
        ];
        let shown = |sought: &str| few(sought, names.iter().map(|it| (*it, (*it).to_owned())));
        let expected = ["web", "WEB2", "we", "webshop", "website-of-the-shop"];
        assert_eq!(shown("web"), expected);
        assert_eq!(shown("carts"), ["cart"]);
        assert_eq!(shown("database"), [""; 0]);
    }
}
