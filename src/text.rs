//! Texts put together from parts. Lighter in wasm than `format!`, which brings its machinery to each
//! of some hundred places; and search without the tables of a general matcher.

/// Joins parts into one text; a part is anything that reads as `str`.
macro_rules! text {
    ($($part:expr),+ $(,)?) => {
        $crate::text::join(&[$(AsRef::<str>::as_ref(&$part)),+])
    };
}
pub(crate) use text;

/// The parts one after the other.
#[inline(never)]
pub(crate) fn join(parts: &[&str]) -> String {
    let mut all = String::with_capacity(parts.iter().map(|part| part.len()).sum());
    for part in parts {
        all.push_str(part);
    }
    all
}

/// The parts with a separator between them.
#[inline(never)]
pub(crate) fn list(parts: &[&str], separator: &str) -> String {
    let mut all = String::new();
    for part in parts {
        if !all.is_empty() {
            all.push_str(separator);
        }
        all.push_str(part);
    }
    all
}

/// What lies before and after the first of some ASCII marks. As [`parts`], it stands in for std's
/// searches, which are compiled anew for each kind of pattern.
#[inline(never)]
pub(crate) fn cut<'a>(text: &'a str, marks: &[u8]) -> Option<(&'a str, &'a str)> {
    let at = text.bytes().position(|byte| is_one_of(byte, marks))?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// What lies before the first of some ASCII marks; all of it, if there is none.
pub(crate) fn before<'a>(text: &'a str, marks: &[u8]) -> &'a str {
    cut(text, marks).map_or(text, |(before, _)| before)
}

/// What lies between ASCII marks.
#[inline(never)]
pub(crate) fn parts(text: &str, mark: u8) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some((part, after)) = cut(rest, &[mark]) {
        parts.push(part);
        rest = after;
    }
    parts.push(rest);
    parts
}

/// Whether a byte is one of some marks.
#[inline(never)]
#[allow(clippy::manual_contains)] // `contains` searches word by word, which weighs four times as much
pub(crate) fn is_one_of(byte: u8, marks: &[u8]) -> bool {
    marks.iter().any(|mark| *mark == byte)
}

/// Without white space at both ends.
pub(crate) fn trim(text: &str) -> &str {
    trim_end(trim_start(text, char::is_whitespace), char::is_whitespace)
}

/// Without what is blank at the start.
#[inline(never)]
pub(crate) fn trim_start(text: &str, is_blank: fn(char) -> bool) -> &str {
    let mut rest = text.chars();
    while rest.clone().next().is_some_and(is_blank) {
        rest.next();
    }
    rest.as_str()
}

/// Without what is blank at the end.
#[inline(never)]
pub(crate) fn trim_end(text: &str, is_blank: fn(char) -> bool) -> &str {
    let mut rest = text.chars();
    while rest.clone().next_back().is_some_and(is_blank) {
        rest.next_back();
    }
    rest.as_str()
}

/// Without any number of the same end.
#[inline(never)]
pub(crate) fn without_end<'a>(mut text: &'a str, end: &str) -> &'a str {
    while let Some(head) = text.strip_suffix(end) {
        text = head;
    }
    text
}

/// Whether a text has another within.
#[inline(never)]
pub(crate) fn has(text: &str, part: &str) -> bool {
    part.is_empty()
        || text
            .as_bytes()
            .windows(part.len())
            .any(|window| window == part.as_bytes())
}

/// A copy, if there is one.
#[inline(never)]
pub(crate) fn own(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}

/// A count or a status as text; `to_string` would link std's formatting.
pub(crate) fn digits(number: impl Into<u32>) -> String {
    let mut out = String::new();
    push_digits(&mut out, number.into());
    out
}

#[inline(never)]
fn push_digits(out: &mut String, number: u32) {
    if number >= 10 {
        push_digits(out, number / 10);
    }
    out.extend(char::from_digit(number % 10, 10));
}

/// A text of unknown origin, fit to be shown: one line of at most `most` characters.
#[inline(never)]
pub(crate) fn line(text: &str, most: usize) -> String {
    let mut out = String::new();
    for c in text.chars().take(most) {
        out.push(if c.is_control() { ' ' } else { c });
    }
    out
}

/// A text without any of the secrets in it.
#[inline(never)]
pub(crate) fn struck_out(text: &str, secrets: &[String]) -> String {
    let mut all = text.to_owned();
    // Very short ones would strike out half of any text, and tell more by that than they hide.
    for secret in secrets.iter().filter(|secret| secret.len() >= 4) {
        let mut rest = all.as_str();
        let mut out = String::new();
        while let Some((before, after)) = split(rest, secret) {
            out.push_str(before);
            out.push_str("[redacted]");
            rest = after;
        }
        out.push_str(rest);
        all = out;
    }
    all
}

fn split<'a>(text: &'a str, part: &str) -> Option<(&'a str, &'a str)> {
    let at = text
        .as_bytes()
        .windows(part.len())
        .position(|window| window == part.as_bytes())?;
    Some((text.get(..at)?, text.get(at + part.len()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_joined_listed_and_searched() {
        assert_eq!(text!("a", String::from("b"), &"c"), "abc");
        assert_eq!(list(&["a", "b"], ", "), "a, b");
        assert!(has("abc", "bc") && has("abc", "") && !has("ab", "abc") && !has("", "a"));
    }

    #[test]
    fn texts_are_cut_at_marks() {
        assert_eq!(cut("a?b#c", b"?#"), Some(("a", "b#c")));
        assert_eq!((cut("ä", b"?"), before("a#", b"?#")), (None, "a"));
        assert_eq!(parts("a..ö.", b'.'), ["a", "", "ö", ""]);
        assert_eq!(parts("", b'.'), [""]);
        assert_eq!(without_end("/a//", "/"), "/a");
        for text in ["", " ", "ä", " \u{a0}a b\n\u{2003}"] {
            assert_eq!(trim(text), text.trim());
        }
    }

    #[test]
    fn numbers_are_written_as_std_does() {
        for number in [0, 9, 10, 503, 1_000, u32::MAX] {
            assert_eq!(digits(number), number.to_string());
        }
    }

    #[test]
    fn what_is_shown_is_one_bounded_line_without_secrets() {
        assert_eq!(line("a\nb\u{0}c", 9), "a b c");
        assert_eq!(line("äöü", 2), "äö");
        assert_eq!(
            struck_out("key K-1234 is K-1234", &["K-1234".to_owned()]),
            "key [redacted] is [redacted]"
        );
        assert_eq!(struck_out("abc", &["abc".to_owned()]), "abc");
    }
}
