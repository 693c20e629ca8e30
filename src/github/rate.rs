//! What an answer's headers say about when to ask again. Times in them are turned into durations
//! by the answer's own `Date`, never by this machine's clock, which may be wrong. A header that
//! cannot be read says nothing.

use std::time::Duration;

use http::header::{AsHeaderName, DATE, HeaderMap, RETRY_AFTER};
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

/// The longest wait that headers can ask for: longer ones are taken for this one, so that one
/// mad header cannot silence the program for good.
const LONGEST: Duration = Duration::from_hours(24);

/// What the headers of one answer say about the pace (`contract/README.md`, "Rate").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// Whether there is a `retry-after`, readable or not.
    pub has_retry_after: bool,
    /// `retry-after`: seconds, or a date as seen from `date`. A wait of nothing is none.
    pub retry_after: Option<Duration>,
    /// `x-ratelimit-remaining`: how many requests GitHub still takes in this window.
    pub remaining: Option<u64>,
    /// How long after this answer `x-ratelimit-reset` comes: the end of the window. None where
    /// either of reset and date is missing, or the reset is not later.
    pub resets_in: Option<Duration>,
}

impl Rate {
    /// Reads the headers of an answer.
    pub fn read(headers: &HeaderMap) -> Self {
        let date = date(headers);
        let wait = |text: &str| match seconds(text) {
            Some(seconds) => Some(Duration::from_secs(seconds)),
            None => until(moment(text)?, date?),
        };
        let reset = |text: &str| {
            let seconds = i64::try_from(seconds(text)?).unwrap_or(i64::MAX);
            until(
                Timestamp::from_second(seconds).unwrap_or(Timestamp::MAX),
                date?,
            )
        };
        Self {
            has_retry_after: headers.contains_key(RETRY_AFTER),
            retry_after: longest(texts(headers, RETRY_AFTER).filter_map(wait)),
            remaining: texts(headers, "x-ratelimit-remaining")
                .filter_map(seconds)
                .min(),
            resets_in: longest(texts(headers, "x-ratelimit-reset").filter_map(reset)),
        }
    }

    /// Whether GitHub limits with this answer: it names a wait, or nothing remains. Every answer
    /// says what remains, so that alone is no limit.
    pub fn limits(&self) -> bool {
        self.has_retry_after || self.remaining == Some(0)
    }

    /// How long to wait after this answer: `retry-after`, else until the reset when nothing
    /// remains. None where the headers do not say.
    pub fn pause(&self) -> Option<Duration> {
        self.retry_after
            .or_else(|| self.resets_in.filter(|_| self.remaining == Some(0)))
    }
}

/// What the clock of whoever answered showed.
pub(super) fn date(headers: &HeaderMap) -> Option<Timestamp> {
    texts(headers, DATE).find_map(moment)
}

/// The values of a header that are text.
fn texts(headers: &HeaderMap, name: impl AsHeaderName) -> impl Iterator<Item = &str> {
    headers
        .get_all(name)
        .into_iter()
        .filter_map(|value| value.to_str().ok())
        .map(str::trim)
}

/// A count of digits alone; too many of them are the highest number.
fn seconds(text: &str) -> Option<u64> {
    let is_count = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_count.then(|| text.parse().unwrap_or(u64::MAX))
}

/// A date as HTTP writes it (RFC 9110, section 5.6.7, its preferred form).
fn moment(text: &str) -> Option<Timestamp> {
    DateTimeParser::new()
        .relaxed_weekday(true)
        .parse_timestamp(text)
        .ok()
}

fn until(later: Timestamp, earlier: Timestamp) -> Option<Duration> {
    Duration::try_from(later.duration_since(earlier)).ok()
}

/// The longest of these waits, if it is one at all, and no more than [`LONGEST`].
fn longest(waits: impl Iterator<Item = Duration>) -> Option<Duration> {
    waits
        .max()
        .filter(|wait| !wait.is_zero())
        .map(|wait| wait.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use http::header::{HeaderName, HeaderValue};

    use super::*;

    const NOON: &str = "Sun, 22 Nov 2026 12:00:00 GMT";
    type Headers = [(&'static str, &'static [u8])];
    /// The same, in seconds since 1970.
    const NOON_SECONDS: u64 = 1_795_348_800;

    fn rate(headers: &[(&'static str, &[u8])]) -> Rate {
        let headers = headers.iter().map(|(name, value)| {
            (
                HeaderName::from_static(name),
                HeaderValue::from_bytes(value).unwrap(),
            )
        });
        let mut map = HeaderMap::new();
        headers.for_each(|(name, value)| {
            map.append(name, value);
        });
        Rate::read(&map)
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date_from_the_answers_own_date() {
        const FIVE_PAST: &[u8] = b"Sun, 22 Nov 2026 12:05:00 GMT";
        const DATE: (&str, &[u8]) = ("date", NOON.as_bytes());
        let table: [(&Headers, Option<u64>); 16] = [
            (&[("retry-after", b"30")], Some(30)),
            (&[("retry-after", b" 30 ")], Some(30)),
            (&[("retry-after", b"30"), ("retry-after", b"90")], Some(90)),
            (&[("retry-after", b"0")], None),
            (&[("retry-after", b"-30")], None),
            (&[("retry-after", b"+30")], None),
            (&[("retry-after", b"1.5")], None),
            (&[("retry-after", b"")], None),
            (&[("retry-after", b"soon")], None),
            (&[("retry-after", b"\xff30")], None),
            (&[("retry-after", b"7200")], Some(7200)),
            (
                &[("retry-after", b"99999999999999999999999999")],
                Some(86_400),
            ),
            (&[("retry-after", FIVE_PAST), DATE], Some(300)),
            (&[("retry-after", FIVE_PAST)], None),
            (&[("retry-after", FIVE_PAST), ("date", b"yesterday")], None),
            (
                &[("retry-after", b"Sun, 22 Nov 2026 11:55:00 GMT"), DATE],
                None,
            ),
        ];
        for (headers, expected) in table {
            let rate = rate(headers);
            assert_eq!(
                rate.pause(),
                expected.map(Duration::from_secs),
                "{headers:?}"
            );
            assert!(rate.limits(), "{headers:?}");
        }
    }

    #[test]
    fn the_reset_counts_from_the_answers_own_date_when_nothing_remains() {
        let at = |offset: i64| (NOON_SECONDS.saturating_add_signed(offset)).to_string();
        let table = [
            ("0", at(600), Some(NOON), Some(600)),
            ("0", at(0), Some(NOON), None),
            ("0", at(-5), Some(NOON), None),
            ("0", at(600), None, None),
            ("0", at(600), Some("noon"), None),
            (
                "0",
                "99999999999999999999".to_owned(),
                Some(NOON),
                Some(86_400),
            ),
            ("0", "-1".to_owned(), Some(NOON), None),
            ("1", at(600), Some(NOON), None),
            ("-0", at(600), Some(NOON), None),
            ("", at(600), Some(NOON), None),
        ];
        for (remaining, reset, date, expected) in table {
            let mut headers = vec![
                ("x-ratelimit-remaining", remaining.as_bytes()),
                ("x-ratelimit-reset", reset.as_bytes()),
            ];
            headers.extend(date.map(|date| ("date", date.as_bytes())));
            let rate = rate(&headers);
            assert_eq!(
                rate.pause(),
                expected.map(Duration::from_secs),
                "{headers:?}"
            );
            assert_eq!(rate.limits(), remaining == "0", "{headers:?}");
        }
    }

    #[test]
    fn a_wait_that_is_named_goes_before_the_reset() {
        let reset = (NOON_SECONDS + 600).to_string();
        let rate = rate(&[
            ("date", NOON.as_bytes()),
            ("x-ratelimit-remaining", b"0"),
            ("x-ratelimit-reset", reset.as_bytes()),
            ("retry-after", b"5"),
        ]);
        assert_eq!(rate.pause(), Some(Duration::from_secs(5)));
    }

    #[test]
    fn an_answer_without_rate_headers_says_nothing() {
        assert_eq!(rate(&[("date", NOON.as_bytes())]), Rate::default());
        assert!(!Rate::default().limits());
    }
}
