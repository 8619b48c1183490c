//! HTTP as plain data: what to send, what came back, and how a failed attempt reads.
//!
//! No I/O: `fetch.rs` sends a [`Request`] and gives an [`Outcome`].

use crate::base64;
use crate::endpoint::Endpoint;
use crate::error::{Code, Error};
use crate::secret::AccessToken;
use crate::text::{before, cut, digits, has, is_one_of, text};

/// Bound of a token or error body, in bytes.
pub const SMALL_BODY: usize = 1 << 20;
/// Bound of a page of a list, in bytes (5,000 spaces with their organizations are 7.5 MiB).
pub const LIST_BODY: usize = 64 << 20;

/// Fields of forms that hold a secret.
const SECRET_FIELDS: [&str; 9] = [
    "apikey",
    "password",
    "passcode",
    "refresh_token",
    "token",
    "client_secret",
    "assertion",
    "cr_token",
    "access_token",
];

/// Answer headers that the core reads; the transport brings these and no others.
pub const READ_HEADERS: [&str; 6] = [
    "retry-after",
    "x-ratelimit-reset",
    "transaction-id",
    "x-correlation-id",
    "correlation-id",
    "x-vcap-request-id",
];

/// The service that a request goes to, for what differs by service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// IBM Cloud IAM.
    Iam,
    /// Cloud Foundry's UAA.
    Uaa,
    /// Cloud Foundry's Cloud Controller.
    CloudController,
    /// IBM Cloud's Resource Controller.
    ResourceController,
    /// IBM Key Protect.
    KeyProtect,
    /// Whoever issued a token that is verified.
    Issuer,
}

impl Service {
    /// The name for people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Iam => "IAM",
            Self::Uaa => "UAA",
            Self::CloudController => "the Cloud Controller",
            Self::ResourceController => "the Resource Controller",
            Self::KeyProtect => "Key Protect",
            Self::Issuer => "the issuer",
        }
    }

    /// The name in events, as the option that has its address spells it.
    pub fn key(self) -> &'static str {
        match self {
            Self::Iam => "iam",
            Self::Uaa => "uaa",
            Self::CloudController => "cf",
            Self::ResourceController => "resourceController",
            Self::KeyProtect => "keyProtect",
            Self::Issuer => "issuer",
        }
    }

    /// The header that carries our request id there, if the service takes one.
    pub fn correlation_header(self) -> Option<&'static str> {
        match self {
            Self::Iam | Self::ResourceController => Some("X-Correlation-ID"),
            Self::KeyProtect => Some("Correlation-Id"),
            Self::CloudController => Some("X-Vcap-Request-Id"),
            Self::Uaa | Self::Issuer => None,
        }
    }

    fn request_id_headers(self) -> &'static [&'static str] {
        match self {
            Self::Iam | Self::ResourceController => &["transaction-id", "x-correlation-id"],
            Self::KeyProtect => &["correlation-id"],
            Self::CloudController | Self::Uaa => &["x-vcap-request-id"],
            Self::Issuer => &["transaction-id", "x-vcap-request-id"],
        }
    }
}

/// The methods that the core needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// RFC 9110, section 9.3.1.
    Get,
    /// RFC 9110, section 9.3.3.
    Post,
    /// RFC 5789.
    Patch,
    /// RFC 9110, section 9.3.5.
    Delete,
}

/// What may be sent again when an attempt fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resend {
    /// A read, or an exchange of what can be used again.
    Safe,
    /// It spends something (a passcode): only where nothing was sent, or on 429 and 503.
    Spends,
}

/// One request, ready to be sent. Its `Debug` hides headers and body.
#[derive(Clone)]
pub struct Request {
    /// Where it goes, for errors and the correlation header.
    pub service: Service,
    /// The method.
    pub method: Method,
    /// Absolute, with the query.
    pub url: String,
    /// In the order sent; values are checked to be sendable.
    pub headers: Vec<(&'static str, String)>,
    /// A form (`application/x-www-form-urlencoded`), for POST.
    pub body: Option<String>,
    /// More bytes than this in the answer are `protocol`.
    pub max_body: usize,
    /// Whether it may be sent again.
    pub resend: Resend,
    /// What it bears that a service may quote, and that is never shown.
    pub secrets: Vec<String>,
}

impl Request {
    /// A read of JSON.
    pub fn get(service: Service, url: String) -> Self {
        Self {
            service,
            method: Method::Get,
            url,
            headers: vec![("Accept", "application/json".to_owned())],
            body: None,
            max_body: SMALL_BODY,
            resend: Resend::Safe,
            secrets: Vec::new(),
        }
    }

    /// A form post to a token endpoint (RFC 6749, section 4).
    pub fn post_form(service: Service, url: String, form: &[(&str, &str)], resend: Resend) -> Self {
        Self {
            service,
            method: Method::Post,
            url,
            headers: vec![
                ("Accept", "application/json".to_owned()),
                (
                    "Content-Type",
                    "application/x-www-form-urlencoded".to_owned(),
                ),
            ],
            body: Some(query_of(form, encode_form)),
            max_body: SMALL_BODY,
            resend,
            secrets: form
                .iter()
                .filter(|(name, value)| SECRET_FIELDS.contains(name) && !value.is_empty())
                .map(|(_, value)| (*value).to_owned())
                .collect(),
        }
    }

    /// The same request with a further header.
    #[must_use]
    pub fn with_header(mut self, name: &'static str, value: String) -> Self {
        if name == "Authorization"
            && let Some((_, bare)) = cut(&value, b" ")
        {
            self.secrets.push(bare.to_owned());
        }
        self.headers.push((name, value));
        self
    }

    /// The same request with `Authorization: Bearer` (RFC 6750, section 2.1).
    #[must_use]
    pub fn with_bearer(self, token: &AccessToken) -> Self {
        self.with_header("Authorization", text!("Bearer ", token.expose()))
    }

    /// The same request, whose answer may be as long as a page of a list.
    #[must_use]
    pub fn for_list(mut self) -> Self {
        self.max_body = LIST_BODY;
        self
    }

    /// The address without its query, for messages.
    pub fn place(&self) -> &str {
        before(&self.url, b"?#")
    }
}

impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Request({:?} {} [redacted])", self.method, self.place())
    }
}

/// One answer. Its `Debug` hides the body.
#[derive(Clone)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// Those of [`READ_HEADERS`] that came, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    /// The answer's `Date`, in milliseconds since the epoch.
    pub date_ms: Option<f64>,
    /// `Retry-After`, where it is a date, in milliseconds since the epoch.
    pub retry_date_ms: Option<f64>,
    /// The whole body.
    pub body: Vec<u8>,
    /// The request id that we sent, if any.
    pub sent_id: Option<String>,
    /// Those of the request: struck out of what the service says.
    pub secrets: Vec<String>,
}

impl Reply {
    /// The first header of that name (lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(have, _)| *have == name)
            .map(|(_, value)| value.as_str())
    }

    /// Whether the status is 2xx.
    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// What to quote to support: the service's id, else the one that we sent.
    pub fn request_id(&self, service: Service) -> Option<String> {
        service
            .request_id_headers()
            .iter()
            .find_map(|name| self.header(name))
            .map(|value| {
                value
                    .chars()
                    .filter(|c| c.is_ascii_graphic())
                    .take(300)
                    .collect()
            })
            .or_else(|| self.sent_id.clone())
    }
}

impl std::fmt::Debug for Reply {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Reply({} [redacted])", self.status)
    }
}

/// What an attempt came to: the service answered, or it did not, or not in a way that can be read.
/// Boxed, since an answer is large, and is handed on several times.
pub type Outcome = Result<Box<Reply>, Failure>;

/// Why an attempt brought no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The signal of the call ended it.
    Aborted,
    /// No whole answer in time.
    TimedOut,
    /// `fetch` rejected, or the body broke off.
    Network {
        /// The platform's code (`ECONNREFUSED`, `CERT_HAS_EXPIRED`), if it gave one.
        code: String,
        /// The platform proves that nothing was sent.
        unsent: bool,
        /// From a page, to another origin: CORS may be the reason.
        cross_origin: bool,
    },
    /// A redirect, which is never followed.
    Redirect,
    /// The body is longer than the request allows.
    TooLarge,
    /// The injected `fetch` gave what is no response.
    NotAResponse,
}

impl Failure {
    /// The error that callers get.
    pub fn to_error(&self, request: &Request) -> Error {
        let (name, place) = (request.service.name(), request.place());
        match self {
            Self::Aborted => Error::new(Code::Aborted, "the caller's signal ended the call", ""),
            Self::TimedOut => Error::joined(
                Code::Timeout,
                &[name, " did not answer in time (", place, ")"],
                "Try again, or give a longer timeoutMs.",
            ),
            Self::Network {
                code, cross_origin, ..
            } => {
                let code = if code.is_empty() {
                    String::new()
                } else {
                    text!(", ", code)
                };
                let message = text!(name, " could not be reached (", place, code, ")");
                let hint = if *cross_origin {
                    "IBM's services answer no cross-origin calls (no CORS headers): let the page \
                     call through keyprotect-auth/relay on its own origin."
                } else if is_certificate_code(&code) {
                    "The server's certificate was not accepted; add its authority \
                     (NODE_EXTRA_CA_CERTS), and do not switch the check off."
                } else {
                    "Check the address, the network and the proxy settings."
                };
                Error::new(Code::Network, &message, hint)
            }
            Self::Redirect => Error::joined(
                Code::Protocol,
                &[name, " answered with a redirect (", place, ")"],
                "Redirects are not followed, since they would carry the credential elsewhere; \
                 give the address that the service really has.",
            ),
            Self::TooLarge => {
                let mib = u32::try_from(request.max_body >> 20).unwrap_or(u32::MAX);
                Error::joined(
                    Code::Protocol,
                    &[
                        "the answer of ",
                        name,
                        " is larger than ",
                        &digits(mib),
                        " MiB (",
                        place,
                        ")",
                    ],
                    "Does the address belong to that service?",
                )
            }
            Self::NotAResponse => Error::joined(
                Code::Protocol,
                &["the option fetch gave no Response for ", place],
                "A fetch function resolves to an object with status, headers and a body.",
            ),
        }
    }

    /// Whether the server's certificate was refused, which no further try mends.
    pub fn is_certificate(&self) -> bool {
        matches!(self, Self::Network { code, .. } if is_certificate_code(code))
    }
}

fn is_certificate_code(code: &str) -> bool {
    ["CERT", "SELF_SIGNED", "UNABLE_TO_", "ERR_TLS", "ERR_SSL"]
        .iter()
        .any(|part| has(code, part))
}

/// `Authorization: Basic` of an OAuth client. Both parts are form-encoded first
/// (RFC 6749, section 2.3.1): UAA splits at the first colon and decodes.
pub fn basic(client_id: &str, secret: &str) -> String {
    let pair = text!(encode_form(client_id), ":", encode_form(secret));
    text!("Basic ", base64::encode(pair.as_bytes()))
}

/// Encodes a text as one component of a query or a path (RFC 3986, section 2.1); a blank is `%20`.
pub fn encode_component(text: &str) -> String {
    percent_encoded(text, b"-._~", "%20")
}

/// Encodes a text as `application/x-www-form-urlencoded` (WHATWG URL, section 5.2); a blank is `+`.
fn encode_form(text: &str) -> String {
    percent_encoded(text, b"-._*", "+")
}

#[inline(never)]
fn percent_encoded(text: &str, kept: &[u8], blank: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let hex = |digit: u8| HEX.get(usize::from(digit)).copied().map_or('0', char::from);
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || is_one_of(byte, kept) {
            out.push(char::from(byte));
        } else if byte == b' ' {
            out.push_str(blank);
        } else {
            out.extend(['%', hex(byte >> 4), hex(byte & 15)]);
        }
    }
    out
}

fn query_of(pairs: &[(&str, &str)], encode: fn(&str) -> String) -> String {
    let mut out = String::new();
    for (name, value) in pairs {
        if !out.is_empty() {
            out.push('&');
        }
        out.push_str(name);
        out.push('=');
        out.push_str(&encode(value));
    }
    out
}

/// Joins an endpoint, a path and query parameters.
pub fn url(endpoint: &Endpoint, path: &str, query: &[(&str, &str)]) -> String {
    let mark = if query.is_empty() { "" } else { "?" };
    text!(
        endpoint.as_str(),
        path,
        mark,
        query_of(query, encode_component)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_encodes_both_parts_before_base64() {
        let header = basic("app|1", "p+ss:wörd%");
        let pair = base64::encode(b"app%7C1:p%2Bss%3Aw%C3%B6rd%25");
        assert_eq!(header, format!("Basic {pair}"));
        assert_eq!(basic("cf", ""), "Basic Y2Y6");
        assert_eq!(basic("bx", "bx"), "Basic Yng6Yng=");
    }

    #[test]
    fn debug_of_a_request_and_a_reply_hides_secrets() {
        let request = Request::post_form(
            Service::Iam,
            "https://iam.example.test/identity/token?x=SENTINEL".to_owned(),
            &[("apikey", "SENTINEL")],
            Resend::Safe,
        )
        .with_bearer(&AccessToken::from_answer("SENTINEL").unwrap());
        let reply = Reply {
            status: 200,
            headers: vec![],
            date_ms: None,
            retry_date_ms: None,
            body: b"SENTINEL".to_vec(),
            sent_id: None,
            secrets: vec![],
        };
        let shown = format!("{request:?} {:?}", Outcome::Ok(Box::new(reply)));
        assert!(!shown.contains("SENTINEL"), "{shown}");
    }

    #[test]
    fn what_a_request_bears_is_known_so_that_it_can_be_struck_out() {
        let form = [("grant_type", "password"), ("password", "p&=")];
        let request = Request::post_form(Service::Uaa, String::new(), &form, Resend::Safe);
        let request = request.with_header("Authorization", basic("c", "secret"));
        assert_eq!(
            request.secrets,
            ["p&=".to_owned(), base64::encode(b"c:secret")]
        );
        let token = AccessToken::from_answer("T").unwrap();
        let read = Request::get(Service::CloudController, String::new()).with_bearer(&token);
        assert_eq!(read.secrets, ["T"]);
    }

    #[test]
    fn a_form_is_encoded_as_urlencoded() {
        let request = Request::post_form(
            Service::Uaa,
            String::new(),
            &[("username", "a+b c"), ("password", "p&=ä%")],
            Resend::Safe,
        );
        assert_eq!(
            request.body.as_deref(),
            Some("username=a%2Bb+c&password=p%26%3D%C3%A4%25")
        );
    }
}
