//! What an error says, with everything that caused it.

/// An error with everything that caused it, in one text of bounded length.
pub fn chain(error: &dyn std::error::Error) -> String {
    /// In bytes; the longest advice of ours has less than half of it.
    const LONGEST: usize = 1000;
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    if text.len() > LONGEST {
        text.truncate(text.floor_char_boundary(LONGEST));
        text.push_str("...");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_error_says_is_bounded_and_ends_at_a_whole_character() {
        let long = std::io::Error::other("é".repeat(10_000));
        let said = chain(&std::io::Error::other(long));
        assert!(
            said.len() <= 1003 && said.ends_with("é..."),
            "{}",
            said.len()
        );
        assert_eq!(chain(&std::io::Error::other("short")), "short");
        let whole = "e".repeat(1000);
        assert_eq!(chain(&std::io::Error::other(whole.clone())), whole);
    }

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Says {
        text: &'static str,
        source: Option<Box<Says>>,
    }

    #[test]
    fn what_caused_it_is_said_unless_that_was_said_already() {
        let mut said = Says {
            text: "connection refused",
            source: None,
        };
        for text in ["connection refused (111)", "GitHub was not reached"] {
            let source = Some(Box::new(said));
            said = Says { text, source };
        }
        let expected = "GitHub was not reached: connection refused (111)";
        assert_eq!(chain(&said), expected);
    }
}
