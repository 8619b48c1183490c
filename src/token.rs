//! What token requests to IAM and UAA have in common, and their answers (RFC 6749, section 5.1): the
//! tokens, and how long they may be used.

use crate::json::{Object, Value};

use crate::credential::Credential;
use crate::error::{Code, Error};
use crate::flow::Sent;
use crate::http::{Reply, Request, Resend, Service, basic};
use crate::jwt;
use crate::lease::Lease;
use crate::options::Options;
use crate::secret::{AccessToken, RefreshToken};
use crate::text::own;

/// One access token and what came with it.
#[derive(Clone, Debug)]
pub struct TokenSet {
    /// The token.
    pub access_token: AccessToken,
    /// As the service writes it (`Bearer`, `bearer`).
    pub token_type: String,
    /// Gets the next one, where the service gave it.
    pub refresh_token: Option<RefreshToken>,
    /// Space-separated (RFC 6749, section 3.3).
    pub scope: Option<String>,
    /// How long it may be handed out.
    pub lease: Lease,
}

/// What an exchange brought.
#[derive(Clone, Debug, Default)]
pub struct Tokens {
    /// From IAM.
    pub iam: Option<TokenSet>,
    /// From UAA, or from IAM in the same answer.
    pub uaa: Option<TokenSet>,
}

/// Builds the request of a grant: its form, and what tells the client (RFC 6749, section 2.3).
/// `public_client` is the id and secret of the client that stands in where the caller names none.
pub(crate) fn request<'a>(
    service: Service,
    url: String,
    mut form: Vec<(&'a str, &'a str)>,
    options: &'a Options,
    public_client: Option<(&str, &str)>,
    credential: &'a Credential,
) -> Request {
    let client = match (credential, &options.client) {
        (
            Credential::Client {
                id,
                secret,
                in_form,
            },
            _,
        ) => {
            let client = (id.as_str(), secret.expose());
            if *in_form {
                form.extend_from_slice(&[("client_id", client.0), ("client_secret", client.1)]);
            }
            (!in_form).then_some(client)
        }
        (_, Some(client)) => match &client.secret {
            Some(secret) => Some((client.id.as_str(), secret.expose())),
            None => {
                form.push(("client_id", &client.id));
                None
            }
        },
        (_, None) => public_client,
    };
    let resend = if credential.spends() {
        Resend::Spends
    } else {
        Resend::Safe
    };
    let mut request = Request::post_form(service, url, &form, resend);
    if let Some((id, secret)) = client {
        request = request.with_header("Authorization", basic(id, secret));
        // The secrets of the public clients are none.
        if client != public_client && !secret.is_empty() {
            request.secrets.push(secret.to_owned());
        }
    }
    request
}

/// Whether the answer is one that holds tokens: 2xx, without a (non-empty) error in it.
pub fn is_success(reply: &Reply, body: Option<&Object>) -> bool {
    let says_error =
        |body: &Object| body.text("error").is_some() || body.text("errorCode").is_some();
    reply.is_success() && !body.is_some_and(says_error)
}

/// Reads IAM's answer; a UAA token in it is taken along, and its absence is normal.
///
/// # Errors
/// `protocol` if a field is missing or of the wrong kind.
pub fn read_iam(body: &Object, sent: Sent) -> Result<Tokens, Error> {
    let iam = read(Service::Iam, body, sent)?;
    let uaa = match body.text("uaa_token") {
        Some(text) => Some(read_uaa_beside(text, body, &iam, sent)?),
        None => None,
    };
    Ok(Tokens {
        iam: Some(iam),
        uaa,
    })
}

/// Reads UAA's answer.
///
/// # Errors
/// `protocol` if a field is missing or of the wrong kind.
pub fn read_uaa(body: &Object, sent: Sent) -> Result<Tokens, Error> {
    Ok(Tokens {
        iam: None,
        uaa: Some(read(Service::Uaa, body, sent)?),
    })
}

fn read(service: Service, body: &Object, sent: Sent) -> Result<TokenSet, Error> {
    let Some(text) = body.text("access_token") else {
        return Err(missing(service, "access_token"));
    };
    let access_token =
        AccessToken::from_answer(text).ok_or_else(|| missing(service, "access_token"))?;
    let token_type = body.text("token_type").unwrap_or("Bearer");
    if !token_type.eq_ignore_ascii_case("bearer") {
        return Err(missing(service, "token_type"));
    }
    let life = life_seconds(body, &access_token).ok_or_else(|| missing(service, "expires_in"))?;
    Ok(TokenSet {
        access_token,
        token_type: token_type.to_owned(),
        refresh_token: body
            .text("refresh_token")
            .and_then(RefreshToken::from_answer),
        scope: own(body.text("scope")),
        lease: Lease::new(sent.at, life * 1000.0, sent.random),
    })
}

/// A token that a caller has. It ends when it says so itself, by the wall clock; the service alone knows
/// the end of an opaque one.
pub fn given(access_token: AccessToken, now: Sent) -> TokenSet {
    let lease = match jwt::end_ms(&access_token) {
        Some((end, life_ms)) => {
            let left_ms = end - now.at.wall;
            Lease::new(now.at.plus(left_ms - life_ms), life_ms, now.random)
        }
        None => Lease::new(now.at, f64::MAX, now.random),
    };
    TokenSet {
        access_token,
        token_type: "Bearer".to_owned(),
        refresh_token: None,
        scope: None,
        lease,
    }
}

/// IAM gives the life of its own token only: the UAA token's is what it says itself, and for an
/// opaque one the IAM token's.
fn read_uaa_beside(
    text: &str,
    body: &Object,
    iam: &TokenSet,
    sent: Sent,
) -> Result<TokenSet, Error> {
    let access_token =
        AccessToken::from_answer(text).ok_or_else(|| missing(Service::Iam, "uaa_token"))?;
    let life_ms = match jwt::life_seconds(&access_token) {
        Some(seconds) if seconds > 0.0 => seconds * 1000.0,
        Some(_) => return Err(missing(Service::Iam, "the life of uaa_token")),
        None => iam.lease.life_ms,
    };
    Ok(TokenSet {
        access_token,
        token_type: "bearer".to_owned(),
        refresh_token: body
            .text("uaa_refresh_token")
            .and_then(RefreshToken::from_answer),
        scope: None,
        lease: Lease::new(sent.at, life_ms, sent.random),
    })
}

/// `expires_in` (also as digits in text), else `exp − iat` of the JWT; only what is above 0.
fn life_seconds(body: &Object, token: &AccessToken) -> Option<f64> {
    let seconds = match body.get("expires_in") {
        None | Some(Value::Null) => jwt::life_seconds(token)?,
        Some(_) => body.number("expires_in")?,
    };
    (seconds > 0.0 && seconds.is_finite()).then_some(seconds)
}

fn missing(service: Service, field: &str) -> Error {
    Error::joined(
        Code::Protocol,
        &[
            "the token answer of ",
            service.name(),
            " has no usable ",
            field,
        ],
        "Does the address belong to that service? A proxy may have changed the answer.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::testing::{SENT, reply};
    use crate::json;
    use crate::jwt::tests::jwt;

    fn object(text: &str) -> Object {
        json::parse_object(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_given_token_ends_when_it_says_so_and_an_opaque_one_when_the_service_says_so() {
        let left = |token: &str| {
            let set = given(AccessToken::from_answer(token).unwrap(), SENT);
            set.lease.end.left_at(SENT.at)
        };
        // SENT is second 1,000.
        assert_eq!(left(&jwt(r#"{"iat":900,"exp":1600}"#)), 600_000.0);
        assert_eq!(left(&jwt(r#"{"exp":1600}"#)), 600_000.0);
        assert_eq!(left(&jwt(r#"{"iat":100,"exp":900}"#)), -100_000.0);
        assert_eq!(left(&jwt(r#"{"iat":2000,"exp":900}"#)), -100_000.0);
        for opaque in ["OPAQUE", "a.b.c", &jwt("{}"), &jwt(r#"{"exp":"x"}"#)] {
            assert_eq!(left(opaque), 365.0 * 86_400_000.0, "{opaque}");
        }
    }

    fn life(fields: &str, token: &str) -> Option<f64> {
        let body = object(&format!(
            r#"{{"access_token":"{token}","token_type":"Bearer"{fields}}}"#
        ));
        read_uaa(&body, SENT)
            .ok()
            .and_then(|tokens| tokens.uaa)
            .map(|uaa| uaa.lease.life_ms)
    }

    #[test]
    fn a_lifetime_is_read_in_each_form_that_services_send() {
        let opaque = "0123abcd";
        assert_eq!(life(r#","expires_in":3600"#, opaque), Some(3_600_000.0));
        assert_eq!(life(r#","expires_in":"3600""#, opaque), Some(3_600_000.0));
        assert_eq!(
            life(r#","expires_in":1e12"#, opaque),
            Some(31_536_000_000.0)
        );
        for fields in [
            r#","expires_in":0"#,
            r#","expires_in":-5"#,
            r#","expires_in":"soon""#,
            "",
        ] {
            assert_eq!(life(fields, opaque), None, "{fields}");
        }
        assert_eq!(
            life("", &jwt(r#"{"iat":1000,"exp":4600}"#)),
            Some(3_600_000.0)
        );
        assert_eq!(
            life(r#","expires_in":null"#, &jwt(r#"{"iat":1000,"exp":4600}"#)),
            Some(3_600_000.0)
        );
        assert_eq!(life("", &jwt(r#"{"exp":4600}"#)), None);
        assert_eq!(life("", &jwt(r#"{"iat":4600,"exp":1000}"#)), None);
    }

    #[test]
    fn an_empty_error_field_beside_a_good_token_is_no_error() {
        for extra in [
            r#""error":"""#,
            r#""error":null"#,
            r#""errorCode":null"#,
            r#""errorMessage":"""#,
        ] {
            assert!(
                is_success(&reply(200, ""), Some(&object(&format!("{{{extra}}}")))),
                "{extra}"
            );
        }
        assert!(!is_success(
            &reply(200, ""),
            Some(&object(r#"{"errorCode":"BXNIM0415E"}"#))
        ));
        assert!(!is_success(&reply(400, ""), Some(&object("{}"))));
    }

    #[test]
    fn the_uaa_token_of_an_iam_answer_lives_as_long_as_it_says_itself() {
        let uaa = jwt(r#"{"iat":1000,"exp":2200,"user_name":"u"}"#);
        let body = object(&format!(
            r#"{{"access_token":"A","refresh_token":"not_supported","uaa_token":"{uaa}",
               "uaa_refresh_token":"UR","token_type":"Bearer","expires_in":3600}}"#
        ));
        let tokens = read_iam(&body, SENT).unwrap();
        let (iam, uaa) = (tokens.iam.unwrap(), tokens.uaa.unwrap());
        assert!(iam.refresh_token.is_none());
        assert_eq!(uaa.lease.life_ms, 1_200_000.0);
        assert_eq!(uaa.refresh_token.unwrap().expose(), "UR");
        let opaque = object(r#"{"access_token":"A","uaa_token":"O","expires_in":900}"#);
        assert_eq!(
            read_iam(&opaque, SENT).unwrap().uaa.unwrap().lease.life_ms,
            900_000.0
        );
        let without = object(r#"{"access_token":"A","expires_in":900}"#);
        assert!(read_iam(&without, SENT).unwrap().uaa.is_none());
    }

    #[test]
    fn answers_of_the_wrong_shape_are_protocol_and_hide_the_token() {
        for text in [
            "{}",
            r#"{"access_token":5,"expires_in":1}"#,
            r#"{"access_token":"SENT\nINEL","expires_in":1}"#,
            r#"{"access_token":"SENTINEL","expires_in":[]}"#,
            r#"{"access_token":"SENTINEL","expires_in":9,"token_type":"mac"}"#,
        ] {
            let error = read_iam(&object(text), SENT).unwrap_err();
            assert_eq!(error.code.as_str(), "protocol", "{text}");
            assert!(!format!("{error:?}").contains("SENT"));
        }
        let tokens = read_iam(
            &object(r#"{"access_token":"SENTINEL","expires_in":9}"#),
            SENT,
        );
        assert!(!format!("{tokens:?}").contains("SENTINEL"));
    }
}
