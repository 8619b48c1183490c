//! Token requests at `POST {uaa}/oauth/token`.

use crate::credential::Credential;
use crate::endpoint::Endpoint;
use crate::http::{Request, Service, url};
use crate::options::Options;
use crate::text::text;
use crate::token;

/// Builds the request that trades a credential for a token.
///
/// Source: RFC 6749, sections 4.3, 4.4 and 6, RFC 7523, section 2.1; `passcode`, `login_hint` and the user `apikey` are UAA's.
pub fn request(uaa: &Endpoint, credential: &Credential, options: &Options) -> Request {
    let hint;
    let mut form = Vec::new();
    let grant_type = match credential {
        Credential::RefreshToken(_) => "refresh_token",
        Credential::Client { .. } => "client_credentials",
        Credential::Assertion(_) => "urn:ietf:params:oauth:grant-type:jwt-bearer",
        _ => "password",
    };
    form.push(("grant_type", grant_type));
    match credential {
        Credential::ApiKey(key) => {
            form.extend_from_slice(&[("username", "apikey"), ("password", key.expose())]);
        }
        Credential::Password {
            username,
            password,
            origin,
        } => {
            form.extend_from_slice(&[("username", username), ("password", password.expose())]);
            if let Some(origin) = origin {
                hint = login_hint(origin);
                form.push(("login_hint", &hint));
            }
        }
        Credential::Passcode(passcode) => form.push(("passcode", passcode.expose())),
        Credential::RefreshToken(token) => form.push(("refresh_token", token.expose())),
        Credential::Assertion(token) => form.push(("assertion", token.expose())),
        // The client says who it is beside the form; the others never come here.
        Credential::Client { .. }
        | Credential::ComputeResource { .. }
        | Credential::Given { .. } => {}
    }
    // UAA's public `cf` client has an empty secret; it still demands the Basic header.
    let public_client = Some(("cf", ""));
    let url = url(uaa, "/oauth/token", &[]);
    token::request(Service::Uaa, url, form, options, public_client, credential)
}

/// `{"origin":"…"}`; UAA form-decodes the value once more before it parses it, so `%` and `+` of an
/// origin are encoded twice.
fn login_hint(origin: &str) -> String {
    let mut quoted = String::new();
    for c in origin.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '%' => quoted.push_str("%25"),
            '+' => quoted.push_str("%2B"),
            _ => quoted.push(c),
        }
    }
    text!("{\"origin\":\"", quoted, "\"}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_with_signs_survives_being_decoded_twice() {
        assert_eq!(login_hint("ldap"), r#"{"origin":"ldap"}"#);
        assert_eq!(login_hint(r#"a+b%"\"#), r#"{"origin":"a%2Bb%25\"\\"}"#);
    }
}
