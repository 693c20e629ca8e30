//! Answers as long as are read, and how much of the memory is taken while they are.

use std::fs;

/// How many bytes of an answer are read.
const LONGEST: usize = 8 << 20;

/// How much may be taken beside such an answer: half of the 64 MiB that the chart allows the process.
const MOST: usize = 32 << 20;

/// As long an answer as is read: `begin`, `item` as often as there is room for it, a comma between
/// them, `end`.
pub(in crate::github) fn filled(begin: &str, item: &str, end: &str) -> Vec<u8> {
    let mut body = Vec::with_capacity(LONGEST);
    body.extend_from_slice(begin.as_bytes());
    while body.len() + item.len() + 1 + end.len() <= LONGEST {
        body.extend_from_slice(item.as_bytes());
        body.push(b',');
    }
    body.pop();
    body.extend_from_slice(end.as_bytes());
    body
}

/// Asserts that what reads these answers, one at a time, takes little of the memory. The process has to be
/// the test's own: its peak is asked of the kernel.
pub(in crate::github) fn little_more<T>(
    answers: impl IntoIterator<Item = (&'static str, Vec<u8>, T)>,
    read: impl Fn(&[u8], T),
) {
    let mut before = None;
    for (name, body, how) in answers {
        let before = *before.get_or_insert_with(peak);
        read(&body, how);
        let took = peak().saturating_sub(before);
        assert!(took < MOST, "{name}: {} MiB", took >> 20);
    }
}

/// The most that this process has had in memory so far, in bytes, but for the program itself: of that more and
/// more is read in.
fn peak() -> usize {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let of = |field: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(field));
        let number = line.unwrap().split_whitespace().next().unwrap();
        number.parse::<usize>().unwrap() << 10
    };
    of("VmHWM:") - of("RssFile:")
}
