//! IAM's refusals: `{ errorCode, errorMessage, errorDetails?, requirements?, context? }`.
//!
//! `errorDetails` quotes what was sent, so it is never shown. Texts follow the caller's language:
//! only codes decide.

use crate::json::Object;

use crate::error::{Code, Error};
use crate::http::{Reply, Service};
use crate::refusal::{code_by_status, general_form, in_brackets, refused, shown, without_code};
use crate::text::{has, text};

/// Reads an answer that is not a success. `refreshing` tells a refused refresh token from a refused
/// credential.
pub fn read(reply: &Reply, body: Option<&Object>, refreshing: bool) -> Error {
    let Some(body) = body else {
        return without_code(Service::Iam, reply);
    };
    let Some(service_code) = body.text("errorCode") else {
        return general_form(Service::Iam, reply, body);
    };
    let said = match body.text("errorMessage") {
        Some(text) => text!(": ", shown(text, reply)),
        None => in_brackets(reply.status),
    };
    let meaning = meaning(service_code, reply.status, body, refreshing);
    let service_code = Some(service_code);
    let mut error = refused(Service::Iam, reply, meaning, &said, service_code);
    let context_id = body
        .object("context")
        .and_then(|context| context.text("requestId"));
    if let Some(id) = context_id {
        error.request_id = Some(shown(id, reply));
    }
    error
}

/// Whether IAM refused the asking for a UAA token itself (400 about `response_type`), so that the
/// same exchange without it may work.
pub fn is_about_response_type(reply: &Reply, body: Option<&Object>) -> bool {
    let Some(body) = body else { return false };
    let about = |name| {
        body.text(name)
            .is_some_and(|text| has(text, "response_type"))
    };
    reply.status == 400
        && body.text("errorCode").is_some()
        && (about("errorMessage") || about("errorDetails"))
}

/// IAM's codes, ours, and what to do. The first row of a code counts.
const CODES: [(&str, Code, &str); 15] = [
    (
        "BXNIM0415E",
        Code::InvalidCredentials,
        "There is no such API key: was it deleted, cut short, or made in another account or \
         environment?",
    ),
    (
        "BXNIM0462E",
        Code::InvalidCredentials,
        "The API key is disabled: enable it in IAM.",
    ),
    (
        "BXNIM0602E",
        Code::InvalidCredentials,
        "Check user name and password.",
    ),
    (
        "BXNIM0608E",
        Code::InvalidCredentials,
        "This user signs in through a company's login: use a passcode or an API key.",
    ),
    ("BXNIM0137E", Code::InvalidCredentials, OTHER_CLIENT),
    // IBM's own page prints the letter O in this one.
    ("BXNIMO137E", Code::InvalidCredentials, OTHER_CLIENT),
    (
        "BXNIM0310E",
        Code::InvalidCredentials,
        "IAM does not know this client: check the option client.",
    ),
    (
        "BXNIM0408E",
        Code::Expired,
        "The refresh token has ended: sign in again.",
    ),
    (
        "BXNIM0439E",
        Code::Expired,
        "The login ended since it was not used: sign in again.",
    ),
    (
        "BXNIM0528E",
        Code::MfaRequired,
        "An account of this user refuses user name and password alone: use a passcode or an API key.",
    ),
    (
        "BXNIM0398E",
        Code::Forbidden,
        "The trusted profile may not be taken on from here: check its trust conditions.",
    ),
    (
        "BXNIM0501E",
        Code::Forbidden,
        "This identity lacks the right: ask for access.",
    ),
    ("BXNIM0109E", Code::InvalidInput, FIELD_MISSING),
    ("BXNIM0308E", Code::InvalidInput, FIELD_MISSING),
    (
        "BXNIM0060E",
        Code::Protocol,
        "Is this the address of IBM Cloud IAM?",
    ),
];
const OTHER_CLIENT: &str =
    "The refresh token was made for another client: name that one in the option client.";
const FIELD_MISSING: &str =
    "IAM misses a field of the request: check the credential and the option client.";

fn meaning(code: &str, status: u16, body: &Object, refreshing: bool) -> (Code, &'static str) {
    match code {
        "BXNIM0407E" if refreshing => {
            return (
                Code::Expired,
                "The refresh token is no longer good: sign in again.",
            );
        }
        "BXNIM0407E" => {
            return (
                Code::InvalidCredentials,
                "The passcode or token is no longer good: get a new one.",
            );
        }
        "BXNIM0400E" if locked(body) => {
            return (
                Code::Forbidden,
                "The account of this user is locked: wait, or ask its owner.",
            );
        }
        "BXNIM0400E" => {
            return (
                Code::MfaRequired,
                "A further factor is asked for: sign in with a passcode or an API key.",
            );
        }
        _ => {}
    }
    if let Some((_, code, hint)) = CODES.iter().find(|(known, ..)| *known == code) {
        return (*code, hint);
    }
    let hint = match status {
        429 => {
            "IAM limits how often it is asked: wait; share one session, or bring a client of \
                your own."
        }
        500.. => "IAM is down or busy: try again later.",
        _ => "IAM's own code (serviceCode) says more; quote requestId to its support.",
    };
    (code_by_status(status), hint)
}

fn locked(body: &Object) -> bool {
    body.object("requirements")
        .and_then(|requirements| requirements.text("code"))
        .is_some_and(|code| has(code, "Locked"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::testing::reply;
    use crate::json;

    fn read_text(status: u16, body: &str, refreshing: bool) -> Error {
        read(
            &reply(status, body),
            json::parse_object(body.as_bytes()).as_ref(),
            refreshing,
        )
    }

    #[test]
    fn each_known_code_leads_to_its_own_code() {
        for (status, service_code, refreshing, want) in [
            (400, "BXNIM0415E", false, Code::InvalidCredentials),
            (400, "BXNIM0462E", false, Code::InvalidCredentials),
            (401, "BXNIM0602E", false, Code::InvalidCredentials),
            (400, "BXNIM0608E", false, Code::InvalidCredentials),
            (400, "BXNIM0137E", true, Code::InvalidCredentials),
            (400, "BXNIM0407E", true, Code::Expired),
            (400, "BXNIM0407E", false, Code::InvalidCredentials),
            (400, "BXNIM0408E", true, Code::Expired),
            (400, "BXNIM0439E", true, Code::Expired),
            (401, "BXNIM0400E", false, Code::MfaRequired),
            (403, "BXNIM0528E", false, Code::MfaRequired),
            (400, "BXNIM0398E", false, Code::Forbidden),
            (400, "BXNIM0109E", false, Code::InvalidInput),
            (405, "BXNIM0060E", false, Code::Protocol),
            (400, "BXNIM9999E", false, Code::Protocol),
            (401, "BXNIM9999E", false, Code::InvalidCredentials),
            (403, "BXNIM9999E", false, Code::Forbidden),
            (429, "BXNIM9999E", false, Code::RateLimited),
            (503, "BXNIM9999E", false, Code::ServerError),
        ] {
            let body = format!(r#"{{"errorCode":"{service_code}","errorMessage":"m"}}"#);
            let error = read_text(status, &body, refreshing);
            assert_eq!(error.code, want, "{service_code}");
            assert_eq!(error.service_code.as_deref(), Some(service_code));
            assert!(!error.hint.is_empty());
        }
    }

    #[test]
    fn a_locked_account_is_forbidden() {
        let body = r#"{"errorCode":"BXNIM0400E","errorMessage":"m",
            "requirements":{"code":"SoftLayer_Exception_User_Customer_AccountLocked"}}"#;
        assert_eq!(read_text(401, body, false).code, Code::Forbidden);
    }

    #[test]
    fn what_the_service_quotes_of_the_input_is_not_shown() {
        let body = r#"{"errorCode":"BXNIM0602E","errorMessage":"no SENTINEL here",
            "errorDetails":"SENTINEL","context":{"requestId":"r1"}}"#;
        let error = read_text(401, body, false);
        assert!(!format!("{error:?}").contains("SENTINEL"), "{error:?}");
        assert_eq!(error.request_id.as_deref(), Some("r1"));
    }

    #[test]
    fn odd_error_bodies_are_protocol_with_the_id_that_was_sent() {
        for body in [
            "[]",
            "null",
            "\"x\"",
            r#"{"errorCode":415}"#,
            r#"{"context":[]}"#,
            "",
        ] {
            let error = read_text(400, body, false);
            assert_eq!(
                (error.code, error.service_code.is_some()),
                (Code::Protocol, false),
                "{body}"
            );
            assert_eq!(error.request_id.as_deref(), Some("ours"));
        }
        let error = read_text(
            400,
            r#"{"errorCode":"TEST123","errorMessage":"odd","context":null}"#,
            false,
        );
        assert_eq!(
            (error.code, error.service_code.as_deref()),
            (Code::Protocol, Some("TEST123"))
        );
    }
}
