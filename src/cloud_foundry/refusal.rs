//! The Cloud Controller's refusals: v3 `{ errors: [{ code, title, detail }] }`, v2
//! `{ code, error_code, description }`; JSON whatever the content type says.

use crate::json::Object;

use crate::error::{Code, Error};
use crate::http::{Reply, Service};
use crate::json;
use crate::refusal::{code_by_status, complete, in_brackets, refused, shown, without_code};
use crate::text::text;

const SERVICE: Service = Service::CloudController;

/// Reads an answer that is not a success.
pub fn read(reply: &Reply) -> Error {
    let body = json::parse_object(&reply.body);
    let found = body.as_ref().and_then(title_and_detail);
    let Some((title, detail)) = found else {
        return without_controller(reply);
    };
    let meaning = meaning(title, reply.status);
    let said = text!(": ", shown(detail, reply));
    refused(SERVICE, reply, meaning, &said, Some(title))
}

fn title_and_detail(body: &Object) -> Option<(&str, &str)> {
    match body.first("errors") {
        Some(first) => Some((first.text("title")?, first.text("detail").unwrap_or(""))),
        None => Some((
            body.text("error_code")?,
            body.text("description").unwrap_or(""),
        )),
    }
}

/// nginx and the router before the controller answer with pages of their own.
fn without_controller(reply: &Reply) -> Error {
    let error = match reply.status {
        400 | 413 | 414 | 431 => Error::joined(
            Code::Protocol,
            &[
                "the server before the Cloud Controller refused",
                &in_brackets(reply.status),
            ],
            "Its limits for a request's header or address are lower than what this call needs; \
             a token of many KB can be the reason.",
        ),
        _ => return without_code(SERVICE, reply),
    };
    complete(error, SERVICE, reply)
}

/// The controller's titles, our codes, and what to do.
const TITLES: [(&str, Code, &str); 14] = [
    (
        "CF-InvalidAuthToken",
        Code::Expired,
        "The controller does not accept this token: sign in again.",
    ),
    (
        "CF-NotAuthenticated",
        Code::InvalidInput,
        "The call needs a UAA access token.",
    ),
    ("CF-NotAuthorized", Code::Forbidden, NO_ROLE),
    ("CF-InsufficientScope", Code::Forbidden, NO_ROLE),
    ("CF-OrgSuspended", Code::Forbidden, NO_ROLE),
    ("CF-SpaceSuspended", Code::Forbidden, NO_ROLE),
    ("CF-ResourceNotFound", Code::NotFound, NOT_VISIBLE),
    ("CF-OrganizationNotFound", Code::NotFound, NOT_VISIBLE),
    ("CF-SpaceNotFound", Code::NotFound, NOT_VISIBLE),
    (
        "CF-NotFound",
        Code::Protocol,
        "Is the address in endpoints.cf a Cloud Foundry API?",
    ),
    ("CF-BadQueryParameter", Code::Protocol, NOT_TAKEN),
    ("CF-MessageParseError", Code::Protocol, NOT_TAKEN),
    ("CF-BadRequest", Code::Protocol, NOT_TAKEN),
    ("CF-InvalidRequest", Code::Protocol, NOT_TAKEN),
];
const NO_ROLE: &str =
    "This user may not read here: ask for a role, and for the scope cloud_controller.read.";
const NOT_VISIBLE: &str = "It does not exist, or is not visible to this user.";
const NOT_TAKEN: &str = "This controller does not take the request; its version may be old.";

fn meaning(title: &str, status: u16) -> (Code, &'static str) {
    if let Some((_, code, hint)) = TITLES.iter().find(|(known, ..)| *known == title) {
        return (*code, hint);
    }
    let hint = match status {
        429 => "The controller limits how often it is asked: wait.",
        500.. => "The controller is down or busy: try again later.",
        _ => "The controller's own code (serviceCode) says more.",
    };
    match code_by_status(status) {
        Code::InvalidCredentials => (Code::Expired, hint),
        code => (code, hint),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::testing::reply;

    #[test]
    fn v3_and_v2_refusals_are_read_by_title() {
        for (status, body, want) in [
            (
                401,
                r#"{"errors":[{"code":1000,"title":"CF-InvalidAuthToken","detail":"Invalid Auth Token"}]}"#,
                Code::Expired,
            ),
            (
                401,
                r#"{"description":"Invalid Auth Token","error_code":"CF-InvalidAuthToken","code":1000}"#,
                Code::Expired,
            ),
            (
                401,
                r#"{"errors":[{"title":"CF-NotAuthenticated"}]}"#,
                Code::InvalidInput,
            ),
            (
                403,
                r#"{"errors":[{"title":"CF-NotAuthorized"}]}"#,
                Code::Forbidden,
            ),
            (
                404,
                r#"{"errors":[{"title":"CF-ResourceNotFound"}]}"#,
                Code::NotFound,
            ),
            (
                404,
                r#"{"errors":[{"title":"CF-NotFound"}]}"#,
                Code::Protocol,
            ),
            (
                400,
                r#"{"errors":[{"title":"CF-BadQueryParameter"}]}"#,
                Code::Protocol,
            ),
            (
                429,
                r#"{"errors":[{"title":"CF-RateLimitExceeded"}]}"#,
                Code::RateLimited,
            ),
            (
                500,
                r#"{"errors":[{"title":"UnknownError"}]}"#,
                Code::ServerError,
            ),
            (
                502,
                r#"{"errors":[{"title":"CF-UaaUnavailable"}]}"#,
                Code::ServerError,
            ),
            (401, r#"{"errors":[{"title":"CF-Other"}]}"#, Code::Expired),
            (
                400,
                "<html>Request Header Or Cookie Too Large</html>",
                Code::Protocol,
            ),
            (414, "<html>", Code::Protocol),
            (404, "404 Not Found: Requested route", Code::Protocol),
            (502, "502 Bad Gateway", Code::ServerError),
            (200, r#"{"errors":[]}"#, Code::Protocol),
        ] {
            assert_eq!(read(&reply(status, body)).code, want, "{body}");
        }
    }
}
