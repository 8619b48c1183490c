//! Token requests at `POST {iam}/identity/token`.

use crate::credential::Credential;
use crate::endpoint::Endpoint;
use crate::http::{Request, Resend, Service, url};
use crate::options::Options;
use crate::profile::Profile;
use crate::secret::AccessToken;
use crate::token;

const API_KEY: &str = "urn:ibm:params:oauth:grant-type:apikey";
const PASSCODE: &str = "urn:ibm:params:oauth:grant-type:passcode";
const COMPUTE_RESOURCE: &str = "urn:ibm:params:oauth:grant-type:cr-token";
const ASSUME: &str = "urn:ibm:params:oauth:grant-type:assume";

/// Builds the request that trades a credential for tokens. Where it is a refresh token (RFC 6749,
/// section 6), one request renews both tokens; IAM takes it only from the client that got it.
///
/// `with_uaa` asks for a UAA token in the same answer (`response_type=cloud_iam,uaa`).
///
/// Source: IBM's IAM identity token API; the `uaa` fields are what IBM's 2017 command line sent.
pub fn request<'a>(
    iam: &Endpoint,
    credential: &'a Credential,
    options: &'a Options,
    with_uaa: bool,
) -> Request {
    let mut form = Vec::new();
    let url = url(iam, "/identity/token", &[]);
    match credential {
        Credential::ApiKey(key) => {
            form.extend_from_slice(&[("grant_type", API_KEY), ("apikey", key.expose())]);
        }
        Credential::Password {
            username, password, ..
        } => form.extend_from_slice(&[
            ("grant_type", "password"),
            ("username", username),
            ("password", password.expose()),
        ]),
        Credential::Passcode(passcode) => {
            form.extend_from_slice(&[("grant_type", PASSCODE), ("passcode", passcode.expose())]);
        }
        Credential::RefreshToken(token) => form.extend_from_slice(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", token.expose()),
        ]),
        // It has neither an account to choose nor a UAA token, and wants no client.
        Credential::ComputeResource { token, profile } => {
            form.extend_from_slice(&[
                ("grant_type", COMPUTE_RESOURCE),
                ("cr_token", token.expose()),
            ]);
            form.extend(profile.fields());
            return token::request(Service::Iam, url, form, options, None, credential);
        }
        // Refused before, by `Credential::check_service`; given tokens are not asked for.
        Credential::Client { .. } | Credential::Assertion(_) | Credential::Given { .. } => {}
    }
    if with_uaa {
        form.extend_from_slice(&[
            ("response_type", "cloud_iam,uaa"),
            // The secret's key must be there although its value is empty.
            ("uaa_client_id", "cf"),
            ("uaa_client_secret", ""),
        ]);
    } else {
        form.push(("response_type", "cloud_iam"));
    }
    if let Some(account) = &options.account {
        form.push(("account", account));
    }
    // Without a client the API-key grant gives no refresh token, and none is needed.
    let needs_client = with_uaa || !matches!(credential, Credential::ApiKey(_));
    let public_client = needs_client.then_some(("bx", "bx"));
    token::request(Service::Iam, url, form, options, public_client, credential)
}

/// Builds the request by which an identity, shown by its access token, becomes a trusted profile.
///
/// Source: IBM's IAM identity token API.
pub fn assume_request(iam: &Endpoint, identity: &AccessToken, profile: &Profile) -> Request {
    let mut form = vec![("grant_type", ASSUME), ("access_token", identity.expose())];
    form.extend(profile.fields());
    let url = url(iam, "/identity/token", &[]);
    Request::post_form(Service::Iam, url, &form, Resend::Safe)
}
