//! Secrets as types: they can be read only by `expose`, and never printed or compared.
//!
//! Parsing drops what pasting adds (white space around, a `Bearer ` before a token) and refuses
//! what cannot be a secret of that kind, before anything is sent.

use crate::error::{Code, Error};
use crate::text::{cut, trim_end, trim_start};

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(String);

        impl $name {
            /// The raw value. Every call site is a place where it can leak.
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), "([redacted])"))
            }
        }
    };
}

secret! {
    /// Bearer credential for an API call (RFC 6749, section 1.4).
    AccessToken
}
secret! {
    /// Credential that gets new access tokens (RFC 6749, section 1.5).
    RefreshToken
}
secret! {
    /// IBM Cloud API key of a user or a service ID.
    ApiKey
}
secret! {
    /// Resource owner's password (RFC 6749, section 4.3); white space counts.
    Password
}
secret! {
    /// One-time passcode from the sign-in page.
    Passcode
}
secret! {
    /// A token of elsewhere that speaks for its holder (RFC 7521, section 4): a JWT of an identity
    /// provider, a compute resource token.
    Assertion
}
secret! {
    /// Secret of an OAuth client (RFC 6749, section 2.3.1); may be empty (`cf:`).
    ClientSecret
}

impl AccessToken {
    /// Reads a token that a caller gave, with or without `Bearer ` before it.
    ///
    /// # Errors
    /// `invalid_input` if it is empty or holds what no header may hold.
    pub fn parse(field: &str, text: &str) -> Result<Self, Error> {
        let bare = strip_bearer(trim(text));
        pasted(field, bare)?;
        Self::from_answer(bare).ok_or_else(|| not_sendable(field))
    }

    /// Takes a token as a service gave it; `None` if it can't stand in a header
    /// (RFC 6750, section 2.1: visible ASCII).
    pub fn from_answer(text: &str) -> Option<Self> {
        let visible = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        visible.then(|| Self(text.to_owned()))
    }
}

impl Assertion {
    /// Reads a token that a caller gave, with or without `Bearer ` before it.
    ///
    /// # Errors
    /// As [`AccessToken::parse`].
    pub fn parse(field: &str, text: &str) -> Result<Self, Error> {
        AccessToken::parse(field, text).map(|token| Self(token.0))
    }
}

impl RefreshToken {
    /// Reads a refresh token that a caller gave.
    ///
    /// # Errors
    /// `invalid_input` if it is empty or wrapped, or holds a control character.
    pub fn parse(field: &str, text: &str) -> Result<Self, Error> {
        pasted(field, trim(text)).map(Self)
    }

    /// Takes a refresh token as a service gave it; IAM's `not_supported` and the empty text mean
    /// that there is none.
    pub fn from_answer(text: &str) -> Option<Self> {
        (!text.is_empty() && text != "not_supported").then(|| Self(text.to_owned()))
    }
}

impl ApiKey {
    /// Reads an API key that a caller gave.
    ///
    /// # Errors
    /// `invalid_input` if it is empty or wrapped, or holds a control character.
    pub fn parse(field: &str, text: &str) -> Result<Self, Error> {
        pasted(field, trim(text)).map(Self)
    }
}

impl Passcode {
    /// Reads a passcode that a caller gave.
    ///
    /// # Errors
    /// `invalid_input` if it is empty or wrapped, or holds a control character.
    pub fn parse(field: &str, text: &str) -> Result<Self, Error> {
        pasted(field, trim(text)).map(Self)
    }
}

impl Password {
    /// Takes a password as it is.
    ///
    /// # Errors
    /// `invalid_input` if it is empty.
    pub fn parse(field: &str, text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(empty(field));
        }
        Ok(Self(text.to_owned()))
    }
}

impl ClientSecret {
    /// Takes a client secret as it is; the empty one is a secret too.
    pub fn new(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// Drops white space at both ends, and the marks that copying from a page leaves there.
pub fn trim(text: &str) -> &str {
    fn is_blank(c: char) -> bool {
        c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}')
    }
    trim_end(trim_start(text, is_blank), is_blank)
}

/// Drops one `Bearer ` (any case) and the blanks after it.
fn strip_bearer(text: &str) -> &str {
    match cut(text, b" \t\n\x0c\r") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("bearer") => trim(rest),
        _ => text,
    }
}

fn pasted(field: &str, text: &str) -> Result<String, Error> {
    if text.is_empty() {
        return Err(empty(field));
    }
    if text.chars().any(char::is_control) {
        return Err(Error::joined(
            Code::InvalidInput,
            &[field, " has a line break or a control character within"],
            "Copy it again, without line breaks.",
        ));
    }
    let wrapped = [('{', '}'), ('<', '>'), ('"', '"'), ('\'', '\'')]
        .iter()
        .any(|(open, close)| text.starts_with(*open) || text.ends_with(*close));
    if wrapped {
        return Err(Error::joined(
            Code::InvalidInput,
            &[field, " is wrapped in braces, angle brackets or quotes"],
            "Give the bare value; a text such as <apikey> is a place holder.",
        ));
    }
    Ok(text.to_owned())
}

fn empty(field: &str) -> Error {
    Error::joined(
        Code::InvalidInput,
        &[field, " is empty"],
        "Is the variable that it comes from set?",
    )
}

fn not_sendable(field: &str) -> Error {
    Error::joined(
        Code::InvalidInput,
        &[field, " holds a character that no token has"],
        "A token is one word of visible ASCII characters; copy it again.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const SENTINEL: &str = "SENTINEL-0001";

    #[test]
    fn debug_of_each_secret_hides_the_value() {
        let shown = format!(
            "{:?} {:?} {:?} {:?} {:?} {:?}",
            AccessToken::parse("t", SENTINEL).unwrap(),
            RefreshToken::parse("t", SENTINEL).unwrap(),
            ApiKey::parse("t", SENTINEL).unwrap(),
            Password::parse("t", SENTINEL).unwrap(),
            Passcode::parse("t", SENTINEL).unwrap(),
            ClientSecret::new(SENTINEL),
        );
        assert!(!shown.contains("SENTINEL"), "{shown}");
        assert_eq!(shown.matches("[redacted]").count(), 6);
    }

    #[test]
    fn white_space_around_pasted_secrets_is_dropped_but_never_around_passwords() {
        assert_eq!(
            ApiKey::parse("apiKey", "FAKE-KEY-0001   \n")
                .unwrap()
                .expose(),
            "FAKE-KEY-0001"
        );
        assert_eq!(
            Passcode::parse("passcode", "FAKEpass01\r\n")
                .unwrap()
                .expose(),
            "FAKEpass01"
        );
        assert_eq!(
            ApiKey::parse("apiKey", "\u{feff} K1\u{a0}")
                .unwrap()
                .expose(),
            "K1"
        );
        assert_eq!(Password::parse("password", " p ").unwrap().expose(), " p ");
    }

    #[test]
    fn bearer_before_a_given_token_is_dropped_once_in_any_case() {
        for text in [
            "a.b.c",
            "Bearer a.b.c",
            "bearer  a.b.c\n",
            " BEARER\ta.b.c ",
        ] {
            assert_eq!(
                AccessToken::parse("token", text).unwrap().expose(),
                "a.b.c",
                "{text:?}"
            );
        }
    }

    #[test]
    fn what_cannot_be_a_secret_is_invalid_input_that_does_not_repeat_it() {
        for text in [
            "",
            " \n ",
            "{apikey}",
            "<apikey>",
            "\"SENTINEL\"",
            "'SENTINEL'",
            "SENT\nINEL",
            "SENT\u{0}INEL",
        ] {
            let error = ApiKey::parse("apiKey", text).unwrap_err();
            assert_eq!(error.code, Code::InvalidInput, "{text:?}");
            assert!(error.message.starts_with("apiKey "), "{}", error.message);
            assert!(!format!("{error:?}").contains("SENT"), "{error:?}");
        }
        for text in ["eyJ.e30\n.SENTINEL", "eyJ.\u{200b}SENTINEL", "a b"] {
            let error = AccessToken::parse("token", text).unwrap_err();
            assert_eq!(error.code, Code::InvalidInput);
            assert!(!format!("{error:?}").contains("SENT"), "{error:?}");
        }
    }
}
