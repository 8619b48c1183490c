//! UAA's refusals: `{ error, error_description }` (RFC 6749, section 5.2), decided by `error`
//! first, then by the text where one `error` stands for several things.

use crate::json::Object;

use crate::error::{Code, Error};
use crate::http::{Reply, Service};
use crate::refusal::{code_by_status, refused, shown, without_code};
use crate::text::{has, text, trim};

/// Reads an answer that is not a success. `refreshing` tells a refused refresh token from a refused
/// credential.
pub fn read(reply: &Reply, body: Option<&Object>, refreshing: bool) -> Error {
    let said = body.and_then(|body| Some((body, body.text("error")?)));
    let Some((body, error)) = said else {
        return without_code(Service::Uaa, reply);
    };
    let text = body.text("error_description").unwrap_or_default();
    let meaning = meaning(error, text, reply.status, refreshing);
    let said = if is_fit_to_show(error, text) {
        text!(": ", shown(text, reply))
    } else {
        text!(" (", shown(error, reply), ")")
    };
    refused(Service::Uaa, reply, meaning, &said, Some(error))
}

/// Texts of code exchanges repeat the code or verifier; JSON is the body of another server.
fn is_fit_to_show(error: &str, text: &str) -> bool {
    let starts_as_a_body = matches!(trim(text).bytes().next(), Some(b'{' | b'[' | b'<'));
    !text.is_empty() && error != "invalid_grant" && !starts_as_a_body
}

/// A refusal of UAA: its `error` (`DENIED` stands for `unauthorized` and `invalid_client`, which
/// versions use for the same things), a part of its text, our code, and what to do. The first row that
/// fits counts.
type Row = (&'static str, &'static str, Code, &'static str);

const DENIED: &str = "";

const ROWS: [Row; 21] = [
    (
        DENIED,
        "client with requested id",
        Code::InvalidCredentials,
        "This UAA does not know the client: name one that it has in the option client.",
    ),
    (
        DENIED,
        "account has been locked",
        Code::Forbidden,
        "Too many wrong passwords: wait 5 minutes, then sign in with the right one.",
    ),
    (
        DENIED,
        "password change required",
        Code::MfaRequired,
        "The password has ended: set a new one on the sign-in page of this Cloud Foundry.",
    ),
    (
        DENIED,
        "Invalid passcode",
        Code::InvalidCredentials,
        "A passcode is good once and for 5 minutes: get a new one from the sign-in page.",
    ),
    (
        DENIED,
        "Passcode information is missing",
        Code::InvalidInput,
        "The passcode is empty.",
    ),
    (DENIED, "login_hint", Code::InvalidInput, NO_SUCH_ORIGIN),
    (DENIED, "login hint", Code::InvalidInput, NO_SUCH_ORIGIN),
    (
        DENIED,
        "Authentication object was not found",
        Code::Protocol,
        "UAA saw no client: does a proxy drop the Authorization header?",
    ),
    (
        DENIED,
        "multiple identity providers",
        Code::InvalidInput,
        "Name the identity provider: add origin to the credential.",
    ),
    (
        DENIED,
        "Unauthorized grant type",
        Code::InvalidInput,
        "This client may not use this grant: name another one in the option client.",
    ),
    (
        "unauthorized_client",
        "",
        Code::Forbidden,
        "This client may not sign in users of that identity provider.",
    ),
    (
        "access_denied",
        "",
        Code::Forbidden,
        "The account is not verified yet: see its e-mail.",
    ),
    ("invalid_scope", "", Code::Forbidden, NO_SCOPE),
    ("insufficient_scope", "", Code::Forbidden, NO_SCOPE),
    (
        "invalid_grant",
        "Wrong client",
        Code::InvalidCredentials,
        "The refresh token was made for another client: name that one in the option client.",
    ),
    ("invalid_token", "", Code::Expired, ENDED),
    ("invalid-token", "", Code::Expired, ENDED),
    (
        "invalid_request",
        "",
        Code::InvalidInput,
        "UAA misses a field of the request.",
    ),
    ("unsupported_grant_type", "", Code::Protocol, NOT_A_UAA),
    ("method_not_allowed", "", Code::Protocol, NOT_A_UAA),
    ("query_string_not_allowed", "", Code::Protocol, NOT_A_UAA),
];
const NO_SUCH_ORIGIN: &str = "There is no identity provider of this name: check origin.";
const NO_SCOPE: &str = "This user has no right that the client asks for.";
const ENDED: &str = "The login has ended or was revoked: sign in again.";
const NOT_A_UAA: &str = "Is this the address of a UAA?";

fn meaning(error: &str, text: &str, status: u16, refreshing: bool) -> (Code, &'static str) {
    match status {
        500.. => return (Code::ServerError, "UAA is down or busy: try again later."),
        429 => return (Code::RateLimited, "UAA limits how often it is asked: wait."),
        _ => {}
    }
    let denied = matches!(error, "unauthorized" | "invalid_client");
    let fits = |row: &&Row| (row.0 == error || (row.0 == DENIED && denied)) && has(text, row.1);
    if let Some((_, _, code, hint)) = ROWS.iter().find(fits) {
        return (*code, hint);
    }
    match (denied, error, refreshing) {
        (true, _, false) => (
            Code::InvalidCredentials,
            "Check user name and password (or client and secret), and origin where there are \
             several identity providers; federated users need a passcode.",
        ),
        (true, _, true) => (
            Code::InvalidCredentials,
            "Check the option client: the token's own client is needed.",
        ),
        (_, "invalid_grant", true) => (Code::Expired, "The login has ended: sign in again."),
        (_, "invalid_grant", false) => (Code::InvalidCredentials, "Sign in again."),
        _ => (
            code_by_status(status),
            "UAA's own code (serviceCode) says more.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::testing::reply;
    use crate::json;

    fn read_text(status: u16, error: &str, text: &str, refreshing: bool) -> Error {
        let body = format!(r#"{{"error":"{error}","error_description":"{text}"}}"#);
        read(
            &reply(status, &body),
            json::parse_object(body.as_bytes()).as_ref(),
            refreshing,
        )
    }

    #[test]
    fn each_refusal_leads_to_its_code() {
        for (status, error, text, refreshing, want) in [
            (
                401,
                "invalid_client",
                "Bad credentials",
                false,
                Code::InvalidCredentials,
            ),
            (
                401,
                "unauthorized",
                "Bad credentials",
                false,
                Code::InvalidCredentials,
            ),
            (
                401,
                "unauthorized",
                "No client with requested id: cf",
                false,
                Code::InvalidCredentials,
            ),
            (
                401,
                "unauthorized",
                "Invalid passcode",
                false,
                Code::InvalidCredentials,
            ),
            (
                401,
                "unauthorized",
                "Passcode information is missing.",
                false,
                Code::InvalidInput,
            ),
            (
                401,
                "unauthorized",
                "Your account has been locked because of too many failed attempts to login.",
                false,
                Code::Forbidden,
            ),
            (
                401,
                "unauthorized",
                "password change required",
                false,
                Code::MfaRequired,
            ),
            (
                403,
                "access_denied",
                "Account not verified",
                false,
                Code::Forbidden,
            ),
            (
                401,
                "unauthorized",
                "The origin provided in the login hint is invalid.",
                false,
                Code::InvalidInput,
            ),
            (
                401,
                "invalid_client",
                "The client is authorized for multiple identity providers",
                false,
                Code::InvalidInput,
            ),
            (401, "unauthorized_client", "x", false, Code::Forbidden),
            (
                401,
                "invalid_client",
                "Unauthorized grant type",
                false,
                Code::InvalidInput,
            ),
            (400, "unsupported_grant_type", "x", false, Code::Protocol),
            (
                400,
                "invalid_request",
                "Missing grant type",
                false,
                Code::InvalidInput,
            ),
            (400, "invalid_scope", "x", false, Code::Forbidden),
            (
                400,
                "invalid_grant",
                "Wrong client for this refresh token: x",
                true,
                Code::InvalidCredentials,
            ),
            (
                401,
                "invalid_token",
                "Invalid refresh token expired at x",
                true,
                Code::Expired,
            ),
            (401, "invalid-token", "x", true, Code::Expired),
            (403, "insufficient_scope", "x", true, Code::Forbidden),
            (
                429,
                "429 - Too Many Request - Request limited",
                "",
                false,
                Code::RateLimited,
            ),
            (
                500,
                "server_error",
                "Internal Server Error",
                true,
                Code::ServerError,
            ),
        ] {
            let error = read_text(status, error, text, refreshing);
            assert_eq!(error.code, want, "{text}");
            assert!(!error.hint.is_empty());
        }
    }

    #[test]
    fn an_unknown_client_is_not_blamed_on_the_password() {
        let error = read_text(
            401,
            "unauthorized",
            "No client with requested id: cf",
            false,
        );
        assert!(error.hint.contains("client") && !error.hint.contains("password"));
    }

    #[test]
    fn texts_of_other_servers_and_codes_are_not_shown() {
        for (error, text) in [
            ("invalid_client", r#"{\"error\":\"SECRET-OF-ANOTHER\"}"#),
            (
                "invalid_grant",
                "Invalid authorization code: SECRET-OF-ANOTHER",
            ),
            ("unauthorized", "SENTINEL is wrong"),
        ] {
            let shown = format!("{:?}", read_text(401, error, text, false));
            assert!(
                !shown.contains("SECRET-OF-ANOTHER") && !shown.contains("SENTINEL"),
                "{shown}"
            );
        }
    }

    #[test]
    fn a_page_is_no_refusal() {
        let error = read(
            &reply(400, "<h1>request must be over https</h1>"),
            None,
            false,
        );
        assert_eq!(error.code, Code::Protocol);
    }
}
