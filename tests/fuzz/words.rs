//! Words that programs stumble over, and those of a corpus.

use std::collections::BTreeSet;

/// Texts that mean something somewhere.
const ODD: [&str; 40] = [
    "",
    " ",
    "0",
    "-1",
    "+1",
    "00",
    "18446744073709551616",
    "1e400",
    "NaN",
    "null",
    "true",
    "~",
    ".",
    "..",
    "/",
    "//",
    "@",
    ":",
    "*",
    "**",
    "{",
    "}",
    "[",
    "=",
    "==",
    "!",
    ",",
    "(",
    "\\",
    "?",
    "#",
    "%2e%2e",
    "\0",
    "\n",
    "\r\n",
    "\t",
    "\u{feff}",
    "\u{202e}",
    "hunter2",
    "---\n",
];

/// Letters of two and four bytes, and some that change when their case does.
const LETTERS: [&str; 8] = [
    "\u{e9}",
    "\u{1d11e}",
    "\u{130}",
    "\u{df}",
    "\u{3a3}",
    "K",
    "\u{2028}",
    "\u{1f600}",
];

/// The words of these inputs, and all odd ones.
pub(crate) fn of<'a>(inputs: impl Iterator<Item = &'a [u8]>) -> Vec<Vec<u8>> {
    let digest = |digit: &str| format!("sha256:{}", digit.repeat(64));
    let mut words: BTreeSet<Vec<u8>> = ODD
        .iter()
        .chain(&LETTERS)
        .map(|word| word.as_bytes().to_vec())
        .collect();
    for length in [63, 64, 100, 101, 128, 129, 256, 257, 600] {
        words.insert("x".repeat(length).into_bytes());
        words.insert("\u{e9}".repeat(length / 2 + 1).into_bytes());
    }
    words.extend(["a", "F", "0"].map(|digit| digest(digit).into_bytes()));
    for input in inputs {
        let of_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        words.extend(input.split(|byte| !of_name(byte)).map(<[u8]>::to_vec));
        words.extend(
            input
                .split(|byte| *byte == b'\n')
                .filter(|line| line.len() < 300)
                .map(<[u8]>::to_vec),
        );
    }
    words.into_iter().collect()
}
