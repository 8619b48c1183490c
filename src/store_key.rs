//! What a login's key in a store is made from. The wrapper hashes it.

use crate::credential::{Credential, SignIn};
use crate::options::Options;

/// Where, what, as whom, for which account: what two logins must have in common to share tokens. A hash
/// of a password or a passcode could be guessed: those have none.
pub fn parts(sign_in: &SignIn, options: &Options) -> Option<Vec<String>> {
    let SignIn { credential, assume } = sign_in;
    let mut own_client = None;
    let mut profile = None;
    let (kind, secret) = match credential {
        Credential::ApiKey(key) => ("apiKey", key.expose()),
        Credential::RefreshToken(token) => ("refreshToken", token.expose()),
        Credential::Assertion(token) => ("assertion", token.expose()),
        Credential::Client { id, secret, .. } => {
            own_client = Some(id.as_str());
            ("clientSecret", secret.expose())
        }
        Credential::ComputeResource { token, profile: of } => {
            profile = Some(of);
            ("crToken", token.expose())
        }
        Credential::Password { .. } | Credential::Passcode(_) | Credential::Given { .. } => {
            return None;
        }
    };
    let endpoints = &options.endpoints;
    // An IAM and a UAA may share an address: which of both it is counts too.
    let (service, place) = match &endpoints.iam {
        Some(iam) => ("iam", iam),
        None => ("uaa", endpoints.uaa.as_ref().or(endpoints.cf.as_ref())?),
    };
    let named = options.client.as_ref().map(|client| client.id.as_str());
    let client = own_client.or(named).unwrap_or_default();
    let account = options.account.as_deref().unwrap_or_default();
    let uaa = if options.uaa { "uaa" } else { "" };
    let mut parts = vec![service, place.as_str(), kind, client, secret, account, uaa];
    for (role, profile) in [("profile", profile), ("assume", assume.as_ref())] {
        for (name, text) in profile.iter().flat_map(|profile| profile.fields()) {
            parts.extend([role, name, text]);
        }
    }
    Some(parts.iter().map(|part| (*part).to_owned()).collect())
}
