//! Cloud Foundry's API: where its services are, and its organizations and spaces by name (v3).

pub mod discovery;
pub mod find;
pub mod refusal;
