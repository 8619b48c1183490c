//! The one error of the core: a stable code, what happened, and what to do about it.
//!
//! Messages and hints are for people and may improve any day; codes are public API. No value that
//! a caller gave as a secret, and no body of a service, ever enters an error.

use crate::text::join;

/// The closed set of codes that the core can give; the wrapper adds `load_failed`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// The caller's mistake; nothing was sent.
    InvalidInput,
    /// No such token or endpoint here.
    Unavailable,
    /// The service did not answer as promised.
    Protocol,
    /// The credential was refused (RFC 6749, section 5.2).
    InvalidCredentials,
    /// The login has ended.
    Expired,
    /// A further factor, or a step in a browser, is asked for.
    MfaRequired,
    /// Known, but without the right.
    Forbidden,
    /// Does not exist, or is not visible to this user.
    NotFound,
    /// Several fit.
    Ambiguous,
    /// Too many requests (RFC 6585, section 4).
    RateLimited,
    /// No answer in time.
    Timeout,
    /// `fetch` rejected: DNS, TLS, CORS, a broken connection.
    Network,
    /// The service failed (5xx).
    ServerError,
    /// The caller's signal ended it.
    Aborted,
}

impl Code {
    /// The code as callers compare it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidInput => "invalid_input",
            Self::Unavailable => "unavailable",
            Self::Protocol => "protocol",
            Self::InvalidCredentials => "invalid_credentials",
            Self::Expired => "expired",
            Self::MfaRequired => "mfa_required",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Ambiguous => "ambiguous",
            Self::RateLimited => "rate_limited",
            Self::Timeout => "timeout",
            Self::Network => "network",
            Self::ServerError => "server_error",
            Self::Aborted => "aborted",
        }
    }

    /// Whether the same call may succeed later without a change.
    pub fn retryable(self) -> bool {
        matches!(
            self,
            Self::RateLimited | Self::Timeout | Self::Network | Self::ServerError
        )
    }
}

/// One of several that fit, or that are near.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The GUID, opaque.
    pub guid: String,
    /// The name as the service spells it.
    pub name: String,
    /// Instances: the region.
    pub region: Option<String>,
    /// Instances: the id of the resource group.
    pub resource_group: Option<String>,
}

/// What went wrong. Built with [`Error::new`] and the `with_` methods; boxed, since it is large and
/// rare.
#[derive(Clone, Debug)]
pub struct Error(Box<Details>);

/// What an error tells.
#[derive(Clone, Debug)]
pub struct Details {
    /// The stable code.
    pub code: Code,
    /// What happened.
    pub message: String,
    /// What to do.
    pub hint: String,
    /// The HTTP status, where a service answered.
    pub status: Option<u16>,
    /// The service's own code, such as `BXNIM0415E`.
    pub service_code: Option<String>,
    /// What to quote to the service's support.
    pub request_id: Option<String>,
    /// How long the service asks to wait, in milliseconds.
    pub retry_after_ms: Option<f64>,
    /// For `ambiguous` and `not_found`.
    pub candidates: Vec<Candidate>,
}

impl Error {
    /// An error with what happened and what to do. Out of line: errors are rare, and are made in
    /// some hundred places.
    #[cold]
    #[inline(never)]
    pub fn new(code: Code, message: &str, hint: &str) -> Self {
        Self(Box::new(Details {
            code,
            message: message.to_owned(),
            hint: hint.to_owned(),
            status: None,
            service_code: None,
            request_id: None,
            retry_after_ms: None,
            candidates: Vec::new(),
        }))
    }

    /// An error whose message is made of parts, which saves each place that makes one the joining.
    #[cold]
    #[inline(never)]
    pub fn joined(code: Code, message: &[&str], hint: &str) -> Self {
        Self::new(code, &join(message), hint)
    }

    /// `invalid_input`: the caller's mistake, nothing was sent.
    #[cold]
    #[inline(never)]
    pub fn invalid_input(message: &str, hint: &str) -> Self {
        Self::new(Code::InvalidInput, message, hint)
    }

    /// `protocol`: the service did not answer as promised.
    #[cold]
    #[inline(never)]
    pub fn protocol(message: &str, hint: &str) -> Self {
        Self::new(Code::Protocol, message, hint)
    }

    /// What it tells, as a value of its own.
    pub fn into_details(self) -> Details {
        *self.0
    }

    /// The same error, with the service's own code.
    #[must_use]
    pub fn with_service_code(mut self, code: Option<String>) -> Self {
        self.service_code = code;
        self
    }

    /// The same error, with those that fit or are near.
    #[must_use]
    pub fn with_candidates(mut self, candidates: Vec<Candidate>) -> Self {
        self.candidates = candidates;
        self
    }
}

impl std::ops::Deref for Error {
    type Target = Details;

    fn deref(&self) -> &Details {
        &self.0
    }
}

impl std::ops::DerefMut for Error {
    fn deref_mut(&mut self) -> &mut Details {
        &mut self.0
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.code.as_str(), self.message)
    }
}

impl std::error::Error for Error {}
