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
pub(crate) fn list<'a>(parts: impl IntoIterator<Item = &'a str>, separator: &str) -> String {
    let mut all = String::new();
    for part in parts {
        if !all.is_empty() {
            all.push_str(separator);
        }
        all.push_str(part);
    }
    all
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

/// A count or a status as text.
pub(crate) fn digits(number: impl Into<u32>) -> String {
    number.into().to_string()
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
pub(crate) fn struck_out(text: &str, secrets: &[&str]) -> String {
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
        assert_eq!(list(["a", "b"], ", "), "a, b");
        assert!(has("abc", "bc") && has("abc", "") && !has("ab", "abc") && !has("", "a"));
    }

    #[test]
    fn what_is_shown_is_one_bounded_line_without_secrets() {
        assert_eq!(line("a\nb\u{0}c", 9), "a b c");
        assert_eq!(line("äöü", 2), "äö");
        assert_eq!(
            struck_out("key K-1234 is K-1234", &["K-1234"]),
            "key [redacted] is [redacted]"
        );
        assert_eq!(struck_out("abc", &["abc"]), "abc");
    }
}
