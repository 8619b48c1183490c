//! Whether a token is what its issuer gave out (RFC 7515, 7517, 7519; RFC 8725 for what not to trust).
//!
//! Two decisions, since the signature is checked between them by the platform's Web Crypto: which keys a
//! token may be checked with ([`pick`]), and whether its claims hold once that is done ([`claims`]).
//! [`GetKeys`] reads the issuer's keys. Of the token's own header `alg` and `kid` alone are looked at:
//! `jku`, `x5u`, `jwk` and `x5c` let an attacker name the key.

use crate::base64;
use crate::endpoint::Endpoint;
use crate::error::{Code, Error};
use crate::flow::{Flow, RequestId, Sent, Yields};
use crate::http::{Reply, Request, Service, url};
use crate::json::{Object, Value};
use crate::jwt::{self, Jwt};
use crate::lease::Instants;
use crate::refusal::{complete, document, unreadable};
use crate::secret::AccessToken;
use crate::text::has;

const HOUR_MS: f64 = 3_600_000.0;
/// How long keys are kept, whatever caching headers say.
const KEPT_MS: f64 = 24.0 * HOUR_MS;
/// How far apart readings are that unknown key ids bring about.
const AGAIN_MS: f64 = 60_000.0;
/// For clocks that differ (RFC 7519, section 4.1.4).
const LEEWAY_MS: f64 = 60_000.0;
/// 2048 bits (RFC 7518, section 3.3).
const MIN_RSA_BYTES: usize = 256;
/// The other bound is what platforms take.
const RSA_BYTES: std::ops::RangeInclusive<usize> = MIN_RSA_BYTES..=2048;
/// More keys than any issuer has.
const MOST_KEYS: usize = 100;
/// How many keys a token that names none is tried against.
const MOST_TRIES: usize = 8;

/// What is kept of an issuer.
#[derive(Clone, Debug)]
pub struct Kept<'a> {
    /// Its keys, of each `alg` and `kid`.
    pub keys: Vec<&'a Object>,
    /// When they were read.
    pub read: Instants,
    /// When they were last read again, or tried to be, for a key that is not among them.
    pub again: Option<Instants>,
    /// Whether that failed.
    pub has_failed: bool,
    /// Whether this call has just read them: then their age says nothing.
    pub is_fresh: bool,
}

/// What is to be done for a token's signature.
#[derive(Clone, Debug, PartialEq)]
pub enum Pick {
    /// Read the issuer's keys.
    Read {
        /// Because the token's key is not among those that are kept.
        again: bool,
    },
    /// That was tried within the minute, and failed: its error stands for so many milliseconds.
    Failed {
        /// Until the next try.
        wait_ms: f64,
    },
    /// Check the signature.
    Check {
        /// `RS256` or `ES256`.
        alg: &'static str,
        /// What is signed.
        signed: String,
        /// The signature, in padded base64.
        signature: String,
        /// The places of the keys to try, in [`Kept::keys`].
        keys: Vec<Value>,
    },
}

/// What the platform found of a signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signature {
    /// It is that of one of the keys.
    Good,
    /// It is not.
    Bad,
    /// None of the keys could be used.
    NoKey,
}

#[cold]
#[inline(never)]
fn refused(message: &str) -> Error {
    Error::new(
        Code::InvalidCredentials,
        message,
        "Do not trust what the token says. Are issuer, audience and clock the right ones?",
    )
}

fn read(token: &AccessToken) -> Result<Jwt<'_>, Error> {
    jwt::read(token.expose())
        // A JWS has no padding (RFC 7515, section 2).
        .filter(|_| !has(token.expose(), "="))
        .ok_or_else(jwt::no_jwt)
}

/// Judges a token's form and header, and picks the keys to check its signature with.
///
/// # Errors
/// `invalid_input` if it is no JWT; `invalid_credentials` that names `alg`, `crit`, the signature or the
/// key.
pub fn pick(token: &AccessToken, kept: Option<&Kept<'_>>, now: Instants) -> Result<Pick, Error> {
    let jwt = read(token)?;
    let signature = base64::decode_url(jwt.signature).ok_or_else(jwt::no_jwt)?;
    let header = &jwt.header;
    // Two parsers may differ on which one counts (RFC 7515, section 4).
    if ["alg", "kid", "crit"]
        .iter()
        .any(|name| header.has_twice(name))
    {
        return Err(refused("the token's header has its alg, kid or crit twice"));
    }
    let alg = match header.text("alg") {
        Some("RS256") => "RS256",
        Some("ES256") => "ES256",
        _ => return Err(refused("the token's alg is neither RS256 nor ES256")),
    };
    if header.has("crit") {
        return Err(refused("the token's crit asks for what is not known here"));
    }
    let kid = match header.get("kid") {
        None => None,
        Some(Value::Text(kid)) => Some(kid),
        Some(_) => return Err(refused("the token names its key (kid) by what is no text")),
    };
    if alg == "ES256" && signature.len() != 64 {
        return Err(bad_signature());
    }
    let Some(kept) = kept.filter(|kept| kept.is_fresh || is_kept(kept.read, now)) else {
        return Ok(Pick::Read { again: false });
    };
    let mut keys = Vec::new();
    let mut place = 0.0;
    for key in &kept.keys {
        let is_named = match (kid, key.get("kid")) {
            (None, _) => true,
            (Some(kid), Some(Value::Text(have))) => have == kid,
            _ => false,
        };
        if is_named && key.text("alg") == Some(alg) && keys.len() < MOST_TRIES {
            keys.push(Value::Number(place));
        }
        place += 1.0;
    }
    if !keys.is_empty() {
        return Ok(Pick::Check {
            alg,
            signed: jwt.signed.to_owned(),
            signature: base64::encode(&signature),
            keys,
        });
    }
    let passed = match kept.again {
        Some(again) => (now.mono - again.mono).abs(),
        None => AGAIN_MS,
    };
    if passed >= AGAIN_MS {
        Ok(Pick::Read { again: true })
    } else if kept.has_failed {
        Ok(Pick::Failed {
            wait_ms: AGAIN_MS - passed,
        })
    } else {
        Err(no_key())
    }
}

/// Both clocks must say so: the one may be set, the other may stand still while a laptop sleeps. Clocks
/// of two callers need not agree either, hence the absolute difference.
fn is_kept(read: Instants, now: Instants) -> bool {
    (now.wall - read.wall).abs() < KEPT_MS && (now.mono - read.mono).abs() < KEPT_MS
}

fn no_key() -> Error {
    refused("the token's key is none of those that the issuer publishes for its alg")
}

fn bad_signature() -> Error {
    refused("the token's signature was not made by the issuer's key")
}

/// Judges the claims of a token whose signature was checked, and gives them as JSON text. The signature
/// comes first: of a token that anybody could have written nothing else is told.
///
/// # Errors
/// `expired`; `invalid_credentials` that names the signature, the key, `iss`, `exp`, `nbf` or `aud`.
pub fn claims(
    token: &AccessToken,
    signature: Signature,
    issuer: &str,
    audience: &[&str],
    now_ms: f64,
) -> Result<String, Error> {
    let jwt = read(token)?;
    match signature {
        Signature::Good => (),
        Signature::Bad => return Err(bad_signature()),
        Signature::NoKey => return Err(no_key()),
    }
    let claims = &jwt.claims;
    if claims.text("iss") != Some(issuer) {
        return Err(refused("the token's iss is not the issuer"));
    }
    // Digits in a text are no NumericDate (RFC 7519, section 2).
    let Some(Value::Number(exp)) = claims.get("exp") else {
        return Err(refused("the token's exp is missing or not a number"));
    };
    // Put so that a number that is none has ended too.
    let is_good = exp * 1000.0 > now_ms - LEEWAY_MS;
    if !is_good {
        return Err(Error::new(
            Code::Expired,
            "the token has expired (exp)",
            "Get a new one.",
        ));
    }
    match claims.get("nbf") {
        None => (),
        Some(Value::Number(nbf)) if nbf * 1000.0 <= now_ms + LEEWAY_MS => (),
        Some(_) => return Err(refused("the token's nbf is ahead or not a number")),
    }
    if !audience.is_empty() && !audience.iter().any(|wanted| claims.lists("aud", wanted)) {
        return Err(refused("the token's aud is none of those asked for"));
    }
    Ok(jwt.text)
}

/// Reads the issuer's keys: its discovery document (OpenID Connect Discovery 1.0, section 4), then the
/// key set that this names.
#[derive(Debug)]
pub struct GetKeys {
    /// As the caller wrote it: `iss` and the discovery document repeat it to the letter.
    name: String,
    issuer: Endpoint,
    request: Option<Request>,
    asks_keys: bool,
    keys: Option<Vec<Value>>,
}

impl GetKeys {
    /// Builds the errand.
    pub fn new(name: &str, issuer: Endpoint) -> Self {
        let url = url(&issuer, "/.well-known/openid-configuration", &[]);
        Self {
            name: name.to_owned(),
            issuer,
            request: Some(Request::get(Service::Issuer, url)),
            asks_keys: false,
            keys: None,
        }
    }

    fn jwks_uri(&self, document: &Object) -> Result<Endpoint, Error> {
        let wrong = |message: &str| {
            Error::protocol(
                message,
                "No keys were asked for. Is the issuer's address the one in its tokens' iss?",
            )
        };
        if document.text("issuer") != Some(self.name.as_str()) {
            return Err(wrong("the discovery document is that of another issuer"));
        }
        let named = document.text("jwks_uri").unwrap_or_default();
        Endpoint::discovered("jwks_uri", named)
            .ok()
            .filter(|uri| may_have_keys(&self.issuer, uri, document.items("public_hosts")))
            .ok_or_else(|| wrong("the jwks_uri that the issuer names is not on a host of its own"))
    }
}

/// IBM's discovery document names regional hosts, hence the exceptions to the same origin. None of them
/// leads from https to http.
fn may_have_keys(issuer: &Endpoint, uri: &Endpoint, public_hosts: &[Value]) -> bool {
    let is_secure = |endpoint: &Endpoint| endpoint.as_str().starts_with("https:");
    let is_ibm = |endpoint: &Endpoint| endpoint.is_under("iam.cloud.ibm.com");
    let is_public = |host: &Value| match host {
        Value::Text(host) => {
            Endpoint::discovered("", host).is_ok_and(|host| host.origin() == uri.origin())
        }
        _ => false,
    };
    uri.origin() == issuer.origin()
        || (is_secure(uri) || !is_secure(issuer))
            && (is_ibm(issuer) && is_ibm(uri) || public_hosts.iter().any(is_public))
}

impl Flow for GetKeys {
    fn next(&mut self) -> Option<(RequestId, Request)> {
        self.request.take().map(|request| (0, request))
    }

    fn on_result(
        &mut self,
        _id: RequestId,
        result: Result<&Reply, Error>,
        _sent: Sent,
    ) -> Result<(), Error> {
        let reply = result?;
        let body = document(Service::Issuer, reply)?;
        if self.asks_keys {
            let mut keys = Vec::new();
            for key in body
                .objects("keys")
                .ok_or_else(|| unreadable(Service::Issuer, reply))?
            {
                if let Some(key) = usable(key)
                    && keys.len() < MOST_KEYS
                {
                    keys.push(key);
                }
            }
            self.keys = Some(keys);
        } else {
            let uri = self
                .jwks_uri(&body)
                .map_err(|error| complete(error, Service::Issuer, reply))?;
            self.request = Some(Request::get(Service::Issuer, uri.as_str().to_owned()));
            self.asks_keys = true;
        }
        Ok(())
    }
}

impl Yields for GetKeys {
    type Output = Value;

    fn output(self) -> Option<Value> {
        let keys = Value::List(self.keys?);
        Some(Object::default().with("keys", keys).into())
    }
}

/// A key that signatures can be checked with, as `{ alg, kid?, jwk }`; `jwk` has the members that make
/// the key up, and nothing else.
fn usable(key: &Object) -> Option<Value> {
    let is = |name: &str, wanted: &str| key.text(name) == Some(wanted);
    let (kty, crv, alg, members) = if is("kty", "RSA") {
        ("RSA", None, "RS256", ["n", "e"])
    } else if is("kty", "EC") && is("crv", "P-256") {
        ("EC", Some("P-256"), "ES256", ["x", "y"])
    } else {
        return None;
    };
    // IBM's keys have no `use`.
    let is_for_this = (is("use", "sig") || !key.has("use"))
        && (is("alg", alg) || !key.has("alg"))
        && (key.lists("key_ops", "verify") || !key.has("key_ops"));
    if !is_for_this {
        return None;
    }
    let mut jwk = Object::default()
        .with_text("kty", Some(kty))
        .with_text("crv", crv);
    for name in members {
        let mut bytes = base64::decode_url(key.text(name)?)?;
        if crv.is_none() {
            // Some issuers write zeros before a number, which Chromium refuses.
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            bytes = bytes.split_off(zeros);
        }
        let (length, first) = (bytes.len(), *bytes.first()?);
        let is_sound = match name {
            "n" => RSA_BYTES.contains(&length) && (length > MIN_RSA_BYTES || first >= 128),
            "e" => true,
            _ => length == 32,
        };
        if !is_sound {
            return None;
        }
        jwk = jwk.with_text(name, Some(&base64::encode_url(&bytes)));
    }
    let known = Object::default()
        .with("jwk", jwk.into())
        .with_text("alg", Some(alg));
    Some(match key.get("kid") {
        None => known.into(),
        Some(kid) => known.with("kid", kid.clone()).into(),
    })
}

#[cfg(test)]
mod tests;
