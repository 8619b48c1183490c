//! Boundary: every export, and nothing else. Each reads JSON text, calls, and gives plain data.
//!
//! No object of wasm outlives a call: the core keeps nothing, so the wrapper can hold a session as
//! plain data.

// `#[wasm_bindgen]` wants its exports public, in a module that is not.
#![allow(unreachable_pub)]

use serde::Serialize;
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::prelude::*;

use crate::error::Error;
use crate::fetch::{Io, run};
use crate::flow::Yields;
use crate::input::{self, Errand};
use crate::json::Value;
use crate::jwt;
use crate::output;
use crate::secret::AccessToken;

/// What is freed is zeroed first: tokens, forms and bodies do not linger in wasm memory.
#[global_allocator]
static ALLOCATOR: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

/// Checks the options of a call, and tells what follows from them and from the target.
#[wasm_bindgen]
pub fn plan(text: String) -> Result<JsValue, JsValue> {
    out(input::plan(&text).map(Value::from))
}

/// Does an errand: `exchange`, `findOrg`, `findSpace`, `findInstance` or `listKeys`. One export for
/// all, since each async export carries its own copy of the machinery that runs a future.
#[wasm_bindgen]
pub async fn call(name: String, text: String, io: Io) -> Result<JsValue, JsValue> {
    let ended = match name.as_str() {
        "exchange" => finish(input::exchange(&text), &io).await,
        "findOrg" => finish(input::find_org(&text), &io).await,
        "findSpace" => finish(input::find_space(&text), &io).await,
        "findInstance" => finish(input::find_instance(&text), &io).await,
        _ => finish(input::list_keys(&text), &io).await,
    };
    out(ended)
}

/// Whether a token may be handed out now.
#[wasm_bindgen(js_name = isGood)]
pub fn is_good(text: String) -> Result<JsValue, JsValue> {
    out(input::is_good(&text).map(Value::from))
}

/// The claims of a token, as JSON text.
#[wasm_bindgen]
pub fn claims(token: String) -> Result<JsValue, JsValue> {
    let claims = AccessToken::parse("token", &token).and_then(|token| jwt::claims_text(&token));
    out(claims.map(Value::Text))
}

async fn finish<F: Yields>(errand: Result<Errand<F>, Error>, io: &Io) -> Result<Value, Error>
where
    Value: From<F::Output>,
{
    match errand? {
        Errand::Known(output) => Ok(output.into()),
        Errand::Ask(mut flow, retries) => {
            run(&mut flow, io, retries).await?;
            let output = flow.output().map(Value::from);
            output.ok_or_else(|| Error::protocol("the errand has no end", "Report this."))
        }
    }
}

fn out(result: Result<Value, Error>) -> Result<JsValue, JsValue> {
    let js = |value: &Value| {
        // Plain data has no shape that could fail here.
        value
            .serialize(&Serializer::json_compatible())
            .unwrap_or(JsValue::UNDEFINED)
    };
    match result {
        Ok(value) => Ok(js(&value)),
        Err(error) => Err(js(&output::error(error))),
    }
}
