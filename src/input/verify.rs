//! The calls of `verifyToken`.

use super::{Call, Errand, ErrandOf, instants, number, token};
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::json::{Object, Value};
use crate::text::trim;
use crate::verify::{self, GetKeys, Kept, Pick, Signature};

/// `{ options, issuer }`.
///
/// # Errors
/// `invalid_input` for an issuer that can't be asked.
pub fn issuer_keys(call: &Call) -> Result<ErrandOf<GetKeys>, Error> {
    let (raw, href) = issuer(&call.object);
    let endpoint = Endpoint::parse("issuer", raw, href)?;
    Ok(Errand::Ask(Box::new(GetKeys::new(raw, endpoint))))
}

/// `{ audience?, token, kept?: { keys, read, again?, hasFailed?, isFresh? }, wall, mono }`.
///
/// # Errors
/// `invalid_input` for what is wrong in them; those of [`verify::pick`].
pub fn pick_keys(object: &Object) -> Result<Pick, Error> {
    audience(object)?;
    let kept = object.object("kept").map(|kept| Kept {
        keys: kept.objects("keys").unwrap_or_default(),
        read: instants(kept.object("read")),
        again: kept.object("again").map(|again| instants(Some(again))),
        has_failed: kept.is_true("hasFailed"),
        is_fresh: kept.is_true("isFresh"),
    });
    verify::pick(&token(object)?, kept.as_ref(), instants(Some(object)))
}

/// `{ issuer, audience?, token, signature?: true or false, wall }`; without `signature` no key could be
/// used. Gives the claims as JSON text.
///
/// # Errors
/// Those of [`verify::claims`].
pub fn verified_claims(object: &Object) -> Result<Value, Error> {
    let signature = match object.get("signature") {
        Some(Value::Bool(true)) => Signature::Good,
        Some(_) => Signature::Bad,
        None => Signature::NoKey,
    };
    let token = token(object)?;
    let (issuer, _) = issuer(object);
    let wall = number(Some(object), "wall");
    verify::claims(&token, signature, issuer, &audience(object)?, wall).map(Value::Text)
}

/// The issuer's address as it was written, and as the platform reads it.
fn issuer(object: &Object) -> (&str, Option<&str>) {
    let given = object.object("issuer");
    let field = |name: &str| given.and_then(|given| given.text(name));
    (trim(field("raw").unwrap_or_default()), field("href"))
}

fn audience(object: &Object) -> Result<Vec<&str>, Error> {
    let mut audience = Vec::new();
    for item in object.items("audience") {
        match item {
            Value::Text(text) if !text.is_empty() => audience.push(text.as_str()),
            _ => return Err(no_audience()),
        }
    }
    // An empty list would let every audience pass.
    if audience.is_empty() && object.has("audience") {
        return Err(no_audience());
    }
    Ok(audience)
}

#[cold]
fn no_audience() -> Error {
    Error::invalid_input(
        "audience is not a text or a list of texts",
        "Give one or several, or leave the option out.",
    )
}
