//! Errors that do not depend on which service refused: by status alone, and how text of a service is
//! made fit to be shown.

use crate::json::{self, Object};

use crate::error::{Code, Error};
use crate::http::{Reply, Service};
use crate::retry::retry_after_ms;
use crate::text::{digits, line, struck_out, text};

/// An answer without the service's own code: a page, an empty body, a bare status. A proxy or an edge
/// speaks, not the service, so it is never a refusal and ends no login.
pub fn without_code(service: Service, reply: &Reply) -> Error {
    let (code, what) = match reply.status {
        403 => (Code::Forbidden, "was refused"),
        407 => (
            Code::Network,
            "was refused by a proxy that wants to know who asks",
        ),
        408 => (Code::Timeout, "took too long"),
        429 => (Code::RateLimited, "came too often"),
        500.. => (Code::ServerError, "failed"),
        _ => (Code::Protocol, "got an answer that is not the service's"),
    };
    let message = text!(
        "the request to ",
        service.name(),
        " ",
        what,
        in_brackets(reply.status)
    );
    let hint = match code {
        Code::RateLimited => "Wait, then try again.",
        Code::ServerError => "Try again later; the service or something before it is down.",
        _ => "Something before the service answered (a proxy, a gateway): check the address.",
    };
    complete(Error::new(code, &message, hint), service, reply)
}

/// The code for a service's own refusal that is in no table: by status.
pub fn code_by_status(status: u16) -> Code {
    match status {
        401 => Code::InvalidCredentials,
        403 => Code::Forbidden,
        404 => Code::NotFound,
        408 => Code::Timeout,
        429 => Code::RateLimited,
        500.. => Code::ServerError,
        _ => Code::Protocol,
    }
}

/// The object that a public document is; without a code of the service's it is no refusal.
///
/// # Errors
/// Those of [`without_code`], `protocol` where it can't be read.
pub fn document(service: Service, reply: &Reply) -> Result<Object, Error> {
    if !reply.is_success() {
        return Err(without_code(service, reply));
    }
    json::parse_object(&reply.body).ok_or_else(|| unreadable(service, reply))
}

/// A 2xx answer that can't be read.
pub fn unreadable(service: Service, reply: &Reply) -> Error {
    let error = Error::joined(
        Code::Protocol,
        &[
            "the answer of ",
            service.name(),
            " is not the JSON that was promised",
        ],
        "Does the address belong to that service? A proxy may have answered in its place.",
    );
    complete(error, service, reply)
}

/// Adds what every answer tells: status, request id, how long to wait.
pub fn complete(mut error: Error, service: Service, reply: &Reply) -> Error {
    error.status = Some(reply.status);
    error.request_id = reply.request_id(service);
    if error.code.retryable() {
        error.retry_after_ms = retry_after_ms(reply);
    }
    error
}

/// A service's own refusal: `said` goes on after its name and "refused".
#[inline(never)]
pub(crate) fn refused(
    service: Service,
    reply: &Reply,
    (code, hint): (Code, &str),
    said: &str,
    service_code: Option<&str>,
) -> Error {
    let message = text!(service.name(), " refused", said);
    complete(Error::new(code, &message, hint), service, reply)
        .with_service_code(service_code.map(|code| shown(code, reply)))
}

/// A status in brackets, for messages.
#[inline(never)]
pub(crate) fn in_brackets(status: u16) -> String {
    text!(" (status ", digits(status), ")")
}

/// The refusal of a service that writes IBM Cloud's general form: `errors[0]` or `message`, `code` or
/// `error_code`, `trace` or `transaction_id`.
pub fn general_form(service: Service, reply: &Reply, body: &Object) -> Error {
    let first = body.first("errors");
    let field = |name: &str| first.and_then(|first| first.text(name));
    let said = field("message").or_else(|| body.text("message"));
    let mut error = without_code(service, reply);
    if let Some(said) = said {
        let status = in_brackets(reply.status);
        error.message = text!(service.name(), " refused", status, ": ", shown(said, reply));
        error.code = code_by_status(reply.status);
    }
    error.service_code = field("code")
        .or_else(|| body.text("error_code"))
        .map(|code| shown(code, reply));
    let id = ["trace", "transaction_id", "global_transaction_id"];
    if let Some(id) = id.iter().find_map(|name| body.text(name)) {
        error.request_id = Some(shown(id, reply));
    }
    error
}

/// A service's text for people: one line, bounded, the request's secrets struck out.
pub fn shown(text: &str, reply: &Reply) -> String {
    line(&struck_out(text, &reply.secrets), 300)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::testing::reply;
    use crate::json;

    #[test]
    fn a_page_of_a_proxy_is_never_a_refusal() {
        for (status, code) in [
            (400, Code::Protocol),
            (401, Code::Protocol),
            (403, Code::Forbidden),
            (404, Code::Protocol),
            (407, Code::Network),
            (408, Code::Timeout),
            (421, Code::Protocol),
            (429, Code::RateLimited),
            (500, Code::ServerError),
            (524, Code::ServerError),
        ] {
            let error = without_code(Service::Iam, &reply(status, "<html>SENTINEL</html>"));
            assert_eq!(error.code, code, "{status}");
            assert_eq!(error.status, Some(status));
            assert!(!format!("{error:?}").contains("SENTINEL"));
        }
    }

    #[test]
    fn ibms_general_form_is_read_in_both_spellings() {
        let body = br#"{"message":"Token expired","code":401,"global_transaction_id":"g1"}"#;
        let body = json::parse_object(body).unwrap();
        let error = general_form(Service::ResourceController, &reply(401, ""), &body);
        assert_eq!(
            (error.status, error.request_id.as_deref()),
            (Some(401), Some("g1"))
        );
        let body = br#"{"errors":[{"code":"bad","message":"no"}],"trace":"t1"}"#;
        let body = json::parse_object(body).unwrap();
        let error = general_form(Service::ResourceController, &reply(403, ""), &body);
        assert_eq!(error.service_code.as_deref(), Some("bad"));
        assert_eq!(
            (error.code, error.request_id.as_deref()),
            (Code::Forbidden, Some("t1"))
        );
    }
}
