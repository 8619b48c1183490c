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
use crate::fetch::{Io, run, sending};
use crate::flow::{Flow, Sent, Yields};
use crate::input::{self, Call, Errand};
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

/// Does an errand: `exchange`, `findOrg`, `findSpace`, `findInstance`, `listKeys`, `passcode`,
/// `passcodeUrl`, `keepAlive`, `revoke` or `issuerKeys`. One export for all, since each async export
/// carries its own copy of the machinery that runs a future.
#[wasm_bindgen]
pub async fn call(name: String, text: String, io: Io) -> Result<JsValue, JsValue> {
    out(work(name, text, &io).await)
}

async fn work(name: String, text: String, io: &Io) -> Result<Value, Error> {
    let (errand, retries) = read(&name, &text, sending(io))?;
    let mut flow = match errand {
        Errand::Known(output) => return Ok(output),
        Errand::Ask(flow) => flow,
    };
    run(&mut *flow, io, retries).await?;
    flow.value()
        .ok_or_else(|| Error::protocol("the errand has no end", "Report this."))
}

/// The errand, and how many tries its requests have after the first.
fn read(name: &str, text: &str, now: Sent) -> Result<(AnyErrand, u32), Error> {
    let call = Call::parse(text)?;
    let retries = call.options.retries;
    let errand = match name {
        "exchange" => any(input::exchange(call, now)?),
        "findOrg" => any(input::find_org(&call)?),
        "findSpace" => any(input::find_space(&call)?),
        "findInstance" => any(input::find_instance(&call)?),
        "passcode" => any(input::passcode(&call)?),
        "passcodeUrl" => any(input::passcode_url(&call)?),
        "keepAlive" => any(input::keep_alive(&call)?),
        "revoke" => any(input::revoke(&call)?),
        "issuerKeys" => any(input::verify::issuer_keys(&call)?),
        _ => any(input::list_keys(&call)?),
    };
    Ok((errand, retries))
}

/// A flow of any kind, so that the future that awaits it is there once and not once per kind.
trait AnyFlow: Flow {
    fn value(self: Box<Self>) -> Option<Value>;
}

impl<F: Yields> AnyFlow for F
where
    Value: From<F::Output>,
{
    fn value(self: Box<Self>) -> Option<Value> {
        self.output().map(Value::from)
    }
}

type AnyErrand = Errand<dyn AnyFlow, Value>;

fn any<F: Yields + 'static>(errand: Errand<F, F::Output>) -> AnyErrand
where
    Value: From<F::Output>,
{
    match errand {
        Errand::Known(output) => Errand::Known(output.into()),
        Errand::Ask(flow) => Errand::Ask(flow),
    }
}

/// Decides something at once, from numbers and texts: `judge`, `settle`, `readRecord`, `writeRecord`,
/// `holder`, `pickKeys`, `verifiedClaims`.
#[wasm_bindgen]
pub fn decide(name: &str, text: String) -> Result<JsValue, JsValue> {
    out(decided(name, &text))
}

fn decided(name: &str, text: &str) -> Result<Value, Error> {
    let object = input::read(text)?;
    Ok(match name {
        "judge" => input::judge(&object)?.into(),
        "settle" => input::settle(&object).into(),
        "readRecord" => input::read_record(&object)?.into(),
        "holder" => input::holder(&object).into(),
        "pickKeys" => input::verify::pick_keys(&object)?.into(),
        "verifiedClaims" => input::verify::verified_claims(&object)?,
        _ => input::write_record(&object),
    })
}

/// The claims of a token, as JSON text.
#[wasm_bindgen]
pub fn claims(token: String) -> Result<JsValue, JsValue> {
    let claims = AccessToken::parse("token", &token).and_then(|token| jwt::claims_text(&token));
    out(claims.map(Value::Text))
}

fn out(result: Result<Value, Error>) -> Result<JsValue, JsValue> {
    match result {
        Ok(value) => Ok(js(&value)),
        Err(error) => Err(js(&output::error(error))),
    }
}

#[inline(never)]
fn js(value: &Value) -> JsValue {
    // Plain data has no shape that could fail here.
    value
        .serialize(&Serializer::json_compatible())
        .unwrap_or(JsValue::UNDEFINED)
}
