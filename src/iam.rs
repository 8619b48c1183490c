//! IBM Cloud IAM's token endpoint: requests and refusals.
//!
//! Extension grants (RFC 6749, section 4.5) under IBM's own URNs. IAM says 400, not 401, for a bad
//! credential, and names the reason by a code.

pub mod grant;
pub mod refusal;
