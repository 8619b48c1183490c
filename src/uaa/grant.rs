//! Token requests at `POST {uaa}/oauth/token`.

use crate::credential::Credential;
use crate::endpoint::Endpoint;
use crate::http::{Request, Resend, Service, basic, url};
use crate::options::Options;
use crate::secret::{ClientSecret, RefreshToken};
use crate::text::text;

/// Builds the request that trades a credential for a token.
///
/// Source: RFC 6749, sections 4.3 and 6; `passcode`, `login_hint` and the user `apikey` are UAA's.
pub fn credential_request(uaa: &Endpoint, credential: &Credential, options: &Options) -> Request {
    let resend = if credential.spends() {
        Resend::Spends
    } else {
        Resend::Safe
    };
    let hint;
    let mut form = vec![("grant_type", "password")];
    match credential {
        Credential::ApiKey(key) => {
            form.extend([("username", "apikey"), ("password", key.expose())]);
        }
        Credential::Password {
            username,
            password,
            origin,
        } => {
            form.extend([
                ("username", username.as_str()),
                ("password", password.expose()),
            ]);
            if let Some(origin) = origin {
                hint = login_hint(origin);
                form.push(("login_hint", &hint));
            }
        }
        Credential::Passcode(passcode) => form.push(("passcode", passcode.expose())),
        Credential::RefreshToken(token) => return refresh_request(uaa, token, options),
    }
    request(uaa, form, options, resend)
}

/// Builds the request that gets a new token by a refresh token (RFC 6749, section 6).
pub fn refresh_request(uaa: &Endpoint, token: &RefreshToken, options: &Options) -> Request {
    let form = vec![
        ("grant_type", "refresh_token"),
        ("refresh_token", token.expose()),
    ];
    request(uaa, form, options, Resend::Safe)
}

fn request<'a>(
    uaa: &Endpoint,
    mut form: Vec<(&'a str, &'a str)>,
    options: &'a Options,
    resend: Resend,
) -> Request {
    // UAA's public `cf` client has an empty secret; it still demands the Basic header.
    let authorization = match &options.client {
        Some(client) => match &client.secret {
            Some(secret) => Some(basic(&client.id, secret)),
            None => {
                form.push(("client_id", client.id.as_str()));
                None
            }
        },
        None => Some(basic("cf", &ClientSecret::new(""))),
    };
    let request = Request::post_form(Service::Uaa, url(uaa, "/oauth/token", &[]), &form, resend);
    match authorization {
        Some(value) => request.with_header("Authorization", value),
        None => request,
    }
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
