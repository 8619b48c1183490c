//! Cloud Foundry's UAA: requests and refusals of its token endpoint.
//!
//! UAA says 401 for a refused password, and tells the reason by `error`, then by text.

pub mod grant;
pub mod refusal;
