//! What a JSON Web Token says, unverified (RFC 7519). Clients need it for little: a token is opaque
//! to them (RFC 6749, section 1.4), so nothing here ever refuses a login.

use crate::base64;
use crate::error::Error;
use crate::json;
use crate::json::Object;
use crate::secret::AccessToken;
use crate::text::{own, parts};

/// The life of a token that does not say when it was issued; it sets only when a look is due.
const HOUR_MS: f64 = 3_600_000.0;

/// The claims as JSON text.
///
/// # Errors
/// `invalid_input` if it is not a JWT of three parts whose header and payload are JSON objects.
pub fn claims_text(token: &AccessToken) -> Result<String, Error> {
    read(token.expose()).map(|jwt| jwt.text).ok_or_else(no_jwt)
}

#[cold]
pub(crate) fn no_jwt() -> Error {
    Error::invalid_input(
        "the token is no JWT",
        "An opaque token says nothing about its holder; ask the service that issued it.",
    )
}

/// The parts of a JWT, in the compact form of a JWS (RFC 7515, section 3.1).
pub(crate) struct Jwt<'a> {
    pub(crate) header: Object,
    /// The claims as JSON text.
    pub(crate) text: String,
    pub(crate) claims: Object,
    /// What the signature is about: header and payload as they were written.
    pub(crate) signed: &'a str,
    /// As it was written.
    pub(crate) signature: &'a str,
}

pub(crate) fn read(token: &str) -> Option<Jwt<'_>> {
    let parts = parts(token, b'.');
    let [header, payload, signature] = parts.as_slice() else {
        return None;
    };
    let bytes = base64::decode_url;
    let text = json::text_of(&bytes(payload)?)?;
    Some(Jwt {
        header: json::parse_object(&bytes(header)?)?,
        claims: json::parse_object(text.as_bytes())?,
        text,
        signed: token.get(..header.len() + 1 + payload.len())?,
        signature,
    })
}

/// The claims, where the token is a JWT.
pub fn claims(token: &str) -> Option<Object> {
    read(token).map(|jwt| jwt.claims)
}

/// `exp − iat` in seconds, where the token is a JWT that says both.
pub fn life_seconds(token: &AccessToken) -> Option<f64> {
    let claims = claims(token.expose())?;
    Some(claims.number("exp")? - claims.number("iat")?)
}

/// `exp`, and how long the token lived when it was new, both in milliseconds, where it is a JWT that says
/// when it ends.
pub fn end_ms(token: &AccessToken) -> Option<(f64, f64)> {
    let claims = claims(token.expose())?;
    let end = claims.number("exp")? * 1000.0;
    let life = claims
        .number("iat")
        .map_or(HOUR_MS, |issued| end - issued * 1000.0);
    end.is_finite().then_some((end, life.max(1.0)))
}

/// Whom a token belongs to, as far as it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// E-mail or name of the user, service ID or profile.
    pub user: Option<String>,
    /// IBM Cloud account id (IAM tokens).
    pub account: Option<String>,
}

/// Reads the holder; an opaque token has none.
pub fn holder(token: &AccessToken) -> Holder {
    let Some(claims) = claims(token.expose()) else {
        return Holder::default();
    };
    let user = ["email", "user_name", "name", "sub"]
        .iter()
        .find_map(|name| claims.text(name));
    let account = claims
        .object("account")
        .and_then(|account| account.text("bss"));
    Holder {
        user: own(user),
        account: own(account),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::error::Code;

    pub(crate) fn jwt(claims: &str) -> String {
        let part = |text: &str| {
            base64::encode(text.as_bytes())
                .replace('+', "-")
                .replace('/', "_")
                .replace('=', "")
        };
        format!("{}.{}.c2ln", part(r#"{"alg":"RS256"}"#), part(claims))
    }

    fn token(text: &str) -> AccessToken {
        AccessToken::from_answer(text).unwrap()
    }

    #[test]
    fn claims_are_given_as_they_stand() {
        let claims = r#"{"exp":4600,"iat":1000,"name":"Zoë"}"#;
        assert_eq!(claims_text(&token(&jwt(claims))).unwrap(), claims);
        assert_eq!(life_seconds(&token(&jwt(claims))), Some(3600.0));
    }

    #[test]
    fn the_example_of_rfc_7519_is_read() {
        let example = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        let text = claims_text(&token(example)).unwrap();
        assert!(
            text.contains(r#""iss":"joe""#) && text.contains("1300819380"),
            "{text}"
        );
    }

    #[test]
    fn what_is_no_jwt_is_invalid_input_and_has_no_life() {
        for text in [
            "opaque",
            "a.b",
            "a.b.c",
            "e30.e30",
            "e30.W10.x",
            "e30.e30.x.y",
            "e30.bnVsbA.x",
        ] {
            assert_eq!(
                claims_text(&token(text)).unwrap_err().code,
                Code::InvalidInput,
                "{text}"
            );
            assert_eq!(life_seconds(&token(text)), None);
            assert_eq!(holder(&token(text)), Holder::default());
        }
    }

    #[test]
    fn the_holder_is_read_from_iam_and_uaa_claims() {
        let iam = holder(&token(&jwt(
            r#"{"email":"u@example.test","account":{"bss":"acc"}}"#,
        )));
        assert_eq!(
            (iam.user.as_deref(), iam.account.as_deref()),
            (Some("u@example.test"), Some("acc"))
        );
        let uaa = holder(&token(&jwt(r#"{"user_name":"marissa","sub":"id"}"#)));
        assert_eq!((uaa.user.as_deref(), uaa.account), (Some("marissa"), None));
    }
}
