//! Token requests at `POST {iam}/identity/token`.

use crate::credential::Credential;
use crate::endpoint::Endpoint;
use crate::http::{Request, Resend, Service, basic};
use crate::options::Options;
use crate::secret::{ClientSecret, RefreshToken};

const API_KEY: &str = "urn:ibm:params:oauth:grant-type:apikey";
const PASSCODE: &str = "urn:ibm:params:oauth:grant-type:passcode";

/// Builds the request that trades a credential for tokens.
///
/// `with_uaa` asks for a UAA token in the same answer (`response_type=cloud_iam,uaa`).
///
/// Source: IBM's IAM identity token API; the `uaa` fields are what IBM's 2017 command line sent.
pub fn credential_request(
    iam: &Endpoint,
    credential: &Credential,
    options: &Options,
    with_uaa: bool,
) -> Request {
    let resend = if credential.spends() {
        Resend::Spends
    } else {
        Resend::Safe
    };
    let (grant, needs_client): (Vec<(&str, &str)>, bool) = match credential {
        // Without a client the API-key grant gives no refresh token, and none is needed.
        Credential::ApiKey(key) => (
            vec![("grant_type", API_KEY), ("apikey", key.expose())],
            with_uaa,
        ),
        Credential::Password {
            username, password, ..
        } => (
            vec![
                ("grant_type", "password"),
                ("username", username.as_str()),
                ("password", password.expose()),
            ],
            true,
        ),
        Credential::Passcode(passcode) => (
            vec![("grant_type", PASSCODE), ("passcode", passcode.expose())],
            true,
        ),
        Credential::RefreshToken(token) => return refresh_request(iam, token, options, with_uaa),
    };
    request(iam, grant, options, with_uaa, needs_client, resend)
}

/// Builds the request that gets new tokens by a refresh token (RFC 6749, section 6). One request
/// renews both tokens; IAM takes a refresh token only from the client that got it.
pub fn refresh_request(
    iam: &Endpoint,
    token: &RefreshToken,
    options: &Options,
    with_uaa: bool,
) -> Request {
    let grant = vec![
        ("grant_type", "refresh_token"),
        ("refresh_token", token.expose()),
    ];
    request(iam, grant, options, with_uaa, true, Resend::Safe)
}

fn request<'a>(
    iam: &Endpoint,
    mut form: Vec<(&'a str, &'a str)>,
    options: &'a Options,
    with_uaa: bool,
    needs_client: bool,
    resend: Resend,
) -> Request {
    form.push((
        "response_type",
        if with_uaa {
            "cloud_iam,uaa"
        } else {
            "cloud_iam"
        },
    ));
    if with_uaa {
        // The secret's key must be there although its value is empty.
        form.extend([("uaa_client_id", "cf"), ("uaa_client_secret", "")]);
    }
    if let Some(account) = &options.account {
        form.push(("account", account.as_str()));
    }
    let authorization = match &options.client {
        Some(client) => match &client.secret {
            Some(secret) => Some(basic(&client.id, secret)),
            None => {
                form.push(("client_id", client.id.as_str()));
                None
            }
        },
        None => needs_client.then(|| basic("bx", &ClientSecret::new("bx"))),
    };
    let url = crate::http::url(iam, "/identity/token", &[]);
    let request = Request::post_form(Service::Iam, url, &form, resend);
    match authorization {
        Some(value) => request.with_header("Authorization", value),
        None => request,
    }
}
