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
use crate::json::{self, Object, Value};
use crate::jwt::{self, Jwt};
use crate::lease::Instants;
use crate::refusal::{complete, unreadable, without_code};
use crate::secret::AccessToken;

const HOUR_MS: f64 = 3_600_000.0;
/// How long keys are kept, whatever caching headers say.
const KEPT_MS: f64 = 24.0 * HOUR_MS;
/// How far apart readings are that unknown key ids bring about.
const AGAIN_MS: f64 = 60_000.0;
/// For clocks that differ (RFC 7519, section 4.1.4).
const LEEWAY_MS: f64 = 60_000.0;
/// RFC 7518, section 3.3; the other bound is what platforms take.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=16_384;
/// More keys than any issuer has.
const MOST_KEYS: usize = 100;
/// How many keys a token that names none is tried against.
const MOST_TRIES: usize = 8;

/// Who must have issued a token.
#[derive(Clone, Debug)]
pub struct Issuer {
    /// As the caller wrote it: `iss` and the discovery document repeat it to the letter.
    pub name: String,
    /// Its address.
    pub endpoint: Endpoint,
}

/// A key of the issuer, as far as [`pick`] has to know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownKey {
    /// The one `alg` that it is used for.
    pub alg: String,
    /// Its id, if it has one.
    pub kid: Option<String>,
}

/// What is kept of an issuer.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Its keys.
    pub keys: Vec<KnownKey>,
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
        /// The signature.
        signature: Vec<u8>,
        /// The places of the keys to try, in [`Kept::keys`].
        keys: Vec<usize>,
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
fn refused(message: &[&str]) -> Error {
    Error::joined(
        Code::InvalidCredentials,
        message,
        "Do not trust what the token says. Are issuer and audience the right ones, and the clock?",
    )
}

fn read(token: &AccessToken) -> Result<Jwt<'_>, Error> {
    // A JWS has no padding (RFC 7515, section 2).
    let strict = !token.expose().bytes().any(|byte| byte == b'=');
    let jwt = if strict {
        jwt::read(token.expose())
    } else {
        None
    };
    jwt.ok_or_else(jwt::no_jwt)
}

/// Judges a token's form and header, and picks the keys to check its signature with.
///
/// # Errors
/// `invalid_input` if it is no JWT; `invalid_credentials` that names `alg`, `crit`, the signature or the
/// key.
pub fn pick(token: &AccessToken, kept: Option<&Kept>, now: Instants) -> Result<Pick, Error> {
    let jwt = read(token)?;
    let signature = base64::decode_url(jwt.signature).ok_or_else(jwt::no_jwt)?;
    let header = &jwt.header;
    // Two parsers may differ on which one counts (RFC 7515, section 4).
    for name in ["alg", "kid", "crit"] {
        if header.names().iter().filter(|have| **have == name).count() > 1 {
            return Err(refused(&["the token's header has ", name, " twice"]));
        }
    }
    let alg = match header.text("alg") {
        Some("RS256") => "RS256",
        Some("ES256") => "ES256",
        _ => return Err(refused(&["the token's alg is neither RS256 nor ES256"])),
    };
    if header.has("crit") {
        return Err(refused(&[
            "the token's crit asks for what is not known here",
        ]));
    }
    let kid = match header.get("kid") {
        None => None,
        Some(Value::Text(kid)) => Some(kid),
        Some(_) => return Err(refused(&["the token's key (kid) is not named by a text"])),
    };
    if alg == "ES256" && signature.len() != 64 {
        return Err(bad_signature());
    }
    let Some(kept) = kept.filter(|kept| kept.is_fresh || is_kept(kept.read, now)) else {
        return Ok(Pick::Read { again: false });
    };
    let fits = |key: &KnownKey| key.alg == alg && (kid.is_none() || key.kid.as_ref() == kid);
    let keys: Vec<usize> = kept
        .keys
        .iter()
        .enumerate()
        .filter(|(_, key)| fits(key))
        .map(|(place, _)| place)
        .take(MOST_TRIES)
        .collect();
    if !keys.is_empty() {
        return Ok(Pick::Check {
            alg,
            signed: jwt.signed.to_owned(),
            signature,
            keys,
        });
    }
    let passed = kept
        .again
        .map_or(AGAIN_MS, |again| (now.mono - again.mono).abs());
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
    refused(&["the token's key is none of those that the issuer publishes for its alg"])
}

fn bad_signature() -> Error {
    refused(&["the token's signature is not one of the issuer's key"])
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
        return Err(refused(&["the token's iss is not the issuer"]));
    }
    // Digits in a text are no NumericDate (RFC 7519, section 2).
    let Some(Value::Number(exp)) = claims.get("exp") else {
        return Err(refused(&["the token's exp is missing or not a number"]));
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
        Some(_) => return Err(refused(&["the token's nbf is ahead or not a number"])),
    }
    if !audience.is_empty() && !is_for(claims.get("aud"), audience) {
        return Err(refused(&["the token's aud is none of those asked for"]));
    }
    Ok(jwt.text)
}

fn is_for(aud: Option<&Value>, audience: &[&str]) -> bool {
    match aud {
        Some(Value::Text(aud)) => audience.contains(&aud.as_str()),
        Some(Value::List(list)) => list
            .iter()
            .any(|aud| !matches!(aud, Value::List(_)) && is_for(Some(aud), audience)),
        _ => false,
    }
}

/// Reads the issuer's keys: its discovery document (OpenID Connect Discovery 1.0, section 4), then the
/// key set that this names.
#[derive(Debug)]
pub struct GetKeys {
    issuer: Issuer,
    request: Option<Request>,
    asks_keys: bool,
    keys: Option<Vec<Value>>,
}

impl GetKeys {
    /// Builds the errand.
    pub fn new(issuer: Issuer) -> Self {
        let url = url(&issuer.endpoint, "/.well-known/openid-configuration", &[]);
        Self {
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
        if document.text("issuer") != Some(self.issuer.name.as_str()) {
            return Err(wrong("the discovery document is that of another issuer"));
        }
        let named = document.text("jwks_uri").unwrap_or_default();
        Endpoint::discovered("jwks_uri", named)
            .ok()
            .filter(|uri| may_have_keys(&self.issuer.endpoint, uri, document.get("public_hosts")))
            .ok_or_else(|| wrong("the jwks_uri that the issuer names is not on a host of its own"))
    }
}

/// IBM's discovery document names regional hosts, hence the exceptions to the same origin. None of them
/// leads from https to http.
fn may_have_keys(issuer: &Endpoint, uri: &Endpoint, public_hosts: Option<&Value>) -> bool {
    let is_same = |origin: &str| uri.origin() == origin;
    let is_ibm = |endpoint: &Endpoint| endpoint.is_under("iam.cloud.ibm.com");
    let is_public = || match public_hosts {
        Some(Value::List(hosts)) => hosts.iter().any(|host| match host {
            Value::Text(host) => {
                Endpoint::discovered("", host).is_ok_and(|host| is_same(host.origin()))
            }
            _ => false,
        }),
        _ => false,
    };
    let is_secure = |endpoint: &Endpoint| endpoint.as_str().starts_with("https:");
    is_same(issuer.origin())
        || (is_secure(uri) || !is_secure(issuer)) && (is_ibm(issuer) && is_ibm(uri) || is_public())
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
        if !reply.is_success() {
            return Err(without_code(Service::Issuer, reply));
        }
        let unread = || unreadable(Service::Issuer, reply);
        let body = json::parse_object(&reply.body).ok_or_else(unread)?;
        if self.asks_keys {
            let keys = body.objects("keys").ok_or_else(unread)?;
            let keys = keys.into_iter().filter_map(usable).take(MOST_KEYS);
            self.keys = Some(keys.collect());
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
    // IBM's keys have no `use`.
    let is_for_signatures = match key.get("use") {
        None => true,
        Some(usage) => *usage == Value::from("sig"),
    };
    let may_verify = match key.get("key_ops") {
        None => true,
        Some(Value::List(ops)) => ops.contains(&Value::from("verify")),
        Some(_) => false,
    };
    let kty = key.text("kty")?;
    let jwk = Object::default().with("kty", kty.into());
    let (alg, jwk) = match kty {
        "RSA" => {
            let n = number(key.text("n")?)?;
            let bits = n.len() * 8 - n.first()?.leading_zeros() as usize;
            if !RSA_BITS.contains(&bits) {
                return None;
            }
            let e = number(key.text("e")?)?;
            let jwk = jwk.with("n", encoded(&n)).with("e", encoded(&e));
            ("RS256", jwk)
        }
        "EC" if key.text("crv") == Some("P-256") => {
            let mut jwk = jwk.with("crv", "P-256".into());
            for name in ["x", "y"] {
                let coordinate = base64::decode_url(key.text(name)?)?;
                if coordinate.len() != 32 {
                    return None;
                }
                jwk = jwk.with(name, encoded(&coordinate));
            }
            ("ES256", jwk)
        }
        _ => return None,
    };
    if !is_for_signatures || !may_verify || key.has("alg") && key.text("alg") != Some(alg) {
        return None;
    }
    let known = Object::default()
        .with("alg", alg.into())
        .with("jwk", jwk.into());
    let known = match key.get("kid") {
        None => known,
        Some(kid) => known.with("kid", kid.clone()),
    };
    Some(known.into())
}

/// A number without leading zero bytes, which some issuers write and Chromium refuses.
fn number(text: &str) -> Option<Vec<u8>> {
    let mut bytes = base64::decode_url(text)?;
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    Some(bytes.split_off(zeros))
}

fn encoded(bytes: &[u8]) -> Value {
    Value::Text(base64::encode_url(bytes))
}

#[cfg(test)]
mod tests;
