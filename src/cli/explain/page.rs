//! A page of facts for people: headings, and under them labels with what they say, wrapped. Knows
//! nothing of what is said.

use std::io::{self, Write};

/// How wide a page is.
const WIDTH: usize = 100;

/// How wide labels are.
const LABEL: usize = 12;

/// A page in the making.
pub(super) struct Page<'a> {
    out: &'a mut dyn Write,
}

impl<'a> Page<'a> {
    pub(super) fn new(out: &'a mut dyn Write) -> Self {
        Self { out }
    }

    /// An empty line.
    pub(super) fn gap(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// Text by itself, `indent` characters in.
    pub(super) fn line(&mut self, indent: usize, text: &str) -> io::Result<()> {
        self.wrapped(indent, indent, text)
    }

    /// What a label says: each of `lines` begins anew under the first.
    pub(super) fn fact<T: AsRef<str>>(
        &mut self,
        indent: usize,
        label: &str,
        lines: &[T],
    ) -> io::Result<()> {
        let mut label = format!("{:indent$}{label:LABEL$}", "");
        for line in lines {
            let column = indent + LABEL;
            write!(self.out, "{label:column$}")?;
            self.wrapped(0, column, line.as_ref())?;
            label.clear();
        }
        Ok(())
    }

    /// Writes `text`, whose first line begins `first` characters in and each other one `rest`. Line
    /// breaks and other control characters are shown as `?`: what is said comes from a cluster.
    fn wrapped(&mut self, first: usize, rest: usize, text: &str) -> io::Result<()> {
        let text = text.replace(char::is_control, "?");
        let mut line = " ".repeat(first);
        // Where the first line follows a label, that takes as much room as the others' indent.
        let mut taken = rest;
        let mut is_empty = true;
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let width = word.chars().count();
            if !is_empty && taken + 1 + width > WIDTH {
                writeln!(self.out, "{line}")?;
                line = " ".repeat(rest);
                taken = rest;
                is_empty = true;
            }
            if !is_empty {
                line.push(' ');
                taken += 1;
            }
            line.push_str(word);
            taken += width;
            is_empty = false;
        }
        writeln!(self.out, "{line}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Page<'_>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut Page::new(&mut out)).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn facts_stand_under_each_other_and_long_ones_are_wrapped_within_the_width() {
        let long = "word ".repeat(40);
        let page = written(|page| {
            page.line(2, "Container app")?;
            page.fact(4, "Image", &["one", "two"])?;
            page.fact(4, "Digest", &[&*long])
        });
        let mut lines = page.lines();
        assert_eq!(lines.next(), Some("  Container app"));
        assert_eq!(lines.next(), Some("    Image       one"));
        assert_eq!(lines.next(), Some("                two"));
        let rest: Vec<&str> = lines.collect();
        assert!(rest[0].starts_with("    Digest      word word"), "{page}");
        assert!(rest[1].starts_with("                word"), "{page}");
        assert!(
            rest.iter().all(|line| line.chars().count() <= WIDTH),
            "{page}"
        );
        assert_eq!(page.matches("word").count(), 40);
    }

    #[test]
    fn what_a_cluster_says_cannot_move_the_cursor() {
        let page = written(|page| page.fact(0, "Image", &["a\u{1b}[2Jb\nc"]));
        assert_eq!(page, "Image       a?[2Jb?c\n");
    }

    #[test]
    fn a_word_that_is_too_long_stands_whole() {
        let long = "x".repeat(150);
        let page = written(|page| page.fact(0, "Image", &[format!("a {long} b")]));
        assert_eq!(page.lines().count(), 3);
        assert!(page.contains(&long));
    }
}
