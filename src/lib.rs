//! The core of `keyprotect-auth`: what to send to IBM Cloud IAM, Cloud Foundry's UAA and Cloud
//! Controller, the Resource Controller and Key Protect, and how to read what they answer.
//!
//! Three rings; imports only point inward.
//!
//! 1. **Core**, every module but the next two: pure. It takes typed input and gives a
//!    [`http::Request`]; it takes a [`http::Reply`] and gives a value or an [`error::Error`]. It has
//!    no I/O, no clock and no random source: instants and random numbers are arguments.
//! 2. **Transport**, `fetch.rs` (wasm only): knows HTTP and the platform, and no word of IAM or UAA.
//! 3. **Boundary**, `wasm.rs` (wasm only): the exports; each converts, calls, converts back.
//!
//! An errand of several requests is a [`flow::Flow`]: a value that says what to send next.

mod base64;
pub mod cloud_foundry;
pub mod credential;
pub mod endpoint;
pub mod error;
pub mod exchange;
pub mod flow;
pub mod guid;
pub mod http;
pub mod iam;
pub mod input;
pub mod json;
pub mod jwt;
pub mod key_protect;
pub mod lease;
pub mod options;
pub mod output;
pub mod passcode_page;
pub mod policy;
pub mod profile;
pub mod record;
pub mod refusal;
pub mod resource_controller;
pub mod retry;
pub mod secret;
pub mod store_key;
pub mod target;
mod text;
pub mod token;
pub mod uaa;
pub mod upkeep;
pub mod verify;

#[cfg(target_arch = "wasm32")]
mod fetch;
#[cfg(target_arch = "wasm32")]
mod wasm;
