//! The calls of the wrapper, read from JSON text into flows. One text per call, so that a credential
//! enters as a whole and leaves with the call.
//!
//! `{ options: { names: [...], ...values }, ...what the call is about }`; `names` are all option names
//! that the caller gave, also of those that never enter (`fetch`, `signal`), so that the core can
//! name a stranger.

pub mod verify;

use crate::cloud_foundry::find::{Find, Found};
use crate::credential::SignIn;
use crate::endpoint::Endpoint;
use crate::error::{Code, Error};
use crate::exchange::Exchange;
use crate::flow::{Sent, Yields};
use crate::guid::{OrgGuid, SpaceGuid};
use crate::json;
use crate::json::{Object, Value};
use crate::jwt::{self, Holder};
use crate::key_protect::{self, ListKeys};
use crate::lease::{Instants, Lease};
use crate::options::{Options, check_names, unavailable};
use crate::passcode_page::FindPasscodePage;
use crate::policy::{self, Memory, Verdict};
use crate::profile::Profile;
use crate::record::{self, Record};
use crate::resource_controller::FindInstance;
use crate::secret::{AccessToken, RefreshToken};
use crate::store_key;
use crate::target::{InstanceNamed, Named, Target, check_wanted};
use crate::text::own;
use crate::upkeep::{GetPasscode, Notes};

/// Options of `login`; without the last one those of `resume` (its key names the target), without the
/// last two those of `exchangeToken`.
const SIGN_IN: [&str; 13] = [
    "region",
    "endpoints",
    "uaa",
    "account",
    "client",
    "timeoutMs",
    "retries",
    "fetch",
    "clock",
    "signal",
    "onEvent",
    "store",
    "target",
];
/// Options of `findOrg`, `findSpace` and `findInstance`; without the first one those of `passcodeUrl`.
const FIND: [&str; 8] = [
    "token",
    "endpoints",
    "timeoutMs",
    "retries",
    "fetch",
    "clock",
    "signal",
    "onEvent",
];

/// Options of `verifyToken`.
const VERIFY: [&str; 6] = [
    "issuer",
    "audience",
    "fetch",
    "clock",
    "timeoutMs",
    "signal",
];

/// A call that was read: what is known already, or what has to be asked.
#[derive(Debug)]
pub enum Errand<F: ?Sized, Output> {
    /// Nothing is sent.
    Known(Output),
    /// The flow; boxed, since flows are large, and are handed on several times.
    Ask(Box<F>),
}

type ErrandOf<F> = Errand<F, <F as Yields>::Output>;

fn known(guid: &str) -> ErrandOf<Find> {
    Errand::Known(Found {
        guid: guid.to_owned(),
        name: String::new(),
    })
}

/// What follows from options and target.
pub struct Plan {
    /// Milliseconds for each request.
    pub timeout_ms: f64,
    /// Whether the credential may be exchanged again; absent without a credential.
    pub reusable: Option<bool>,
    /// Headers that Key Protect wants beside `Authorization`.
    pub headers: Vec<(&'static str, String)>,
    /// Where the services are that there are; Key Protect is the target's.
    pub addresses: [(&'static str, Option<String>); 6],
    /// What a login's key in a store is made from; absent where that is random.
    pub key_parts: Option<Vec<String>>,
    /// The region in use.
    pub region: String,
}

/// Checks options, credential and target, as far as they are given.
///
/// # Errors
/// `invalid_input` for what is wrong in them; those of [`key_protect::base`] but `unavailable`.
pub fn plan(text: &str) -> Result<Plan, Error> {
    let object = read(text)?;
    if let Some(Value::List(names)) = object.get("names") {
        let names = names.iter().filter_map(|name| match name {
            Value::Text(name) => Some(name.as_str()),
            _ => None,
        });
        let known: &[&str] = match object.text("call") {
            Some("find") => &FIND,
            Some("passcodeUrl") => FIND.get(1..).unwrap_or_default(),
            Some("verify") => &VERIFY,
            Some("login") => &SIGN_IN,
            Some("resume") => SIGN_IN.split_last().map_or(&[], |(_, rest)| rest),
            _ => SIGN_IN.get(..11).unwrap_or_default(),
        };
        check_names(&names.collect::<Vec<_>>(), known)?;
    }
    let Call { object, options } = Call::of(object)?;
    let sign_in = object.get("credential").map(SignIn::parse).transpose()?;
    if let Some(wanted) = object.get("wanted") {
        check_wanted(wanted)?;
    }
    let target = Target::parse(object.get("target"))?;
    let key_protect = match key_protect::base(&options, &target) {
        Ok(endpoint) => Some(endpoint.as_str().to_owned()),
        Err(error) if error.code == Code::Unavailable => None,
        Err(error) => return Err(error),
    };
    let endpoints = &options.endpoints;
    let shown = |endpoint: &Option<Endpoint>| own(endpoint.as_ref().map(Endpoint::as_str));
    Ok(Plan {
        timeout_ms: options.timeout_ms,
        reusable: sign_in.as_ref().map(|it| it.credential.is_reusable()),
        key_parts: sign_in
            .as_ref()
            .and_then(|sign_in| store_key::parts(sign_in, &options)),
        headers: key_protect::headers(&target),
        addresses: [
            ("iam", shown(&endpoints.iam)),
            ("cf", shown(&endpoints.cf)),
            ("uaa", shown(&endpoints.uaa)),
            ("keyProtect", key_protect),
            ("resourceController", shown(&endpoints.resource_controller)),
            ("accounts", shown(&endpoints.accounts)),
        ],
        region: target
            .region()
            .unwrap_or_else(|| options.region_or_default())
            .to_owned(),
    })
}

/// `{ options, credential | refreshToken, assume?, canSignInAgain?, uaaEndpoint? }`.
///
/// # Errors
/// `invalid_input`, `unavailable`.
pub fn exchange(call: Call, now: Sent) -> Result<ErrandOf<Exchange>, Error> {
    let Call { object, options } = call;
    let known_uaa = match object.text("uaaEndpoint") {
        Some(known) => Some(Endpoint::discovered("the sign-in address", known)?),
        None => None,
    };
    let flow = if let Some(token) = object.text("refreshToken") {
        let token = RefreshToken::parse("refreshToken", token)?;
        let assume = object
            .get("assume")
            .map(Profile::parse_assumed)
            .transpose()?;
        let again = object.is_true("canSignInAgain");
        Exchange::renew(token, assume, again, options, known_uaa)?
    } else if let Some(credential) = object.get("credential") {
        Exchange::new(SignIn::parse(credential)?, options, known_uaa, now)?
    } else {
        return Err(Error::invalid_input(
            "there is no credential",
            "Sign in again.",
        ));
    };
    Ok(Errand::Ask(Box::new(flow)))
}

/// `{ options, token, name }`; with `{ guid }` as the name, nothing is sent and no token needed.
///
/// # Errors
/// `invalid_input`, `unavailable`.
pub fn find_org(call: &Call) -> Result<ErrandOf<Find>, Error> {
    Ok(match Named::parse("org", call.object.get("name"))? {
        Named::Guid(guid) => known(OrgGuid::parse("org.guid", &guid)?.as_str()),
        Named::Name(name) => Errand::Ask(Box::new(Find::org(call.cf()?, call.token()?, name))),
    })
}

/// `{ options, token, name, org }`; as [`find_org`].
///
/// # Errors
/// `invalid_input`, `unavailable`.
pub fn find_space(call: &Call) -> Result<ErrandOf<Find>, Error> {
    let name = match Named::parse("space", call.object.get("name"))? {
        Named::Guid(guid) => return Ok(known(SpaceGuid::parse("space.guid", &guid)?.as_str())),
        Named::Name(name) => name,
    };
    let Some(org) = call.object.get("org") else {
        return Err(Error::invalid_input(
            "a space is looked up in an organization, and none is given",
            "Give the option org (a name or { guid }), or target one.",
        ));
    };
    let org = Named::parse("org", Some(org))?;
    let find = Find::space(call.cf()?, call.token()?, org, name)?;
    Ok(Errand::Ask(Box::new(find)))
}

/// `{ options, token, name, resourceGroup? }`; a CRN or `{ guid }` as the name sends nothing.
///
/// # Errors
/// `invalid_input`, `unavailable`.
pub fn find_instance(call: &Call) -> Result<ErrandOf<FindInstance>, Error> {
    let name = match InstanceNamed::parse(call.object.get("name"))? {
        InstanceNamed::Known(instance) => return Ok(Errand::Known(instance.into())),
        InstanceNamed::Name(name) => name,
    };
    let group = call.object.text("resourceGroup");
    if group.is_none() && call.object.has("resourceGroup") {
        return Err(Error::invalid_input(
            "resourceGroup is not the id of a resource group",
            "Give its id, not its name.",
        ));
    }
    let Some(endpoint) = call.options.endpoints.resource_controller.clone() else {
        return Err(unavailable("Resource Controller", "resourceController"));
    };
    let find = FindInstance::new(endpoint, call.token()?, name, own(group));
    Ok(Errand::Ask(Box::new(find)))
}

/// `{ options, token, target, limit?, offset }`.
///
/// # Errors
/// `invalid_input`, `unavailable`.
pub fn list_keys(call: &Call) -> Result<ErrandOf<ListKeys>, Error> {
    let target = Target::parse(call.object.get("target"))?;
    let token = call.token()?;
    let limit = call.whole("limit")?;
    let offset = call.whole("offset")?.unwrap_or(0);
    let flow = ListKeys::new(&call.options, &target, &token, limit, offset)?;
    Ok(Errand::Ask(Box::new(flow)))
}

/// `{ options, refreshToken }`.
///
/// # Errors
/// `invalid_input`, `unavailable`.
pub fn passcode(call: &Call) -> Result<ErrandOf<GetPasscode>, Error> {
    let token = RefreshToken::parse(
        "refreshToken",
        call.object.text("refreshToken").unwrap_or_default(),
    )?;
    let flow = GetPasscode::new(&call.options, &token)?;
    Ok(Errand::Ask(Box::new(flow)))
}

/// `{ options }`.
///
/// # Errors
/// `unavailable`.
pub fn passcode_url(call: &Call) -> Result<ErrandOf<FindPasscodePage>, Error> {
    let flow = FindPasscodePage::new(&call.options)?;
    Ok(Errand::Ask(Box::new(flow)))
}

/// `{ options, token }`.
///
/// # Errors
/// `invalid_input`.
pub fn keep_alive(call: &Call) -> Result<ErrandOf<Notes>, Error> {
    let notes = Notes::keep_alive(&call.options, &call.token()?);
    Ok(Errand::Ask(Box::new(notes)))
}

/// `{ options, uaaEndpoint?, tokens }`.
///
/// # Errors
/// `protocol` if the address of the UAA can't be used.
pub fn revoke(call: &Call) -> Result<ErrandOf<Notes>, Error> {
    let known = match call.object.text("uaaEndpoint") {
        Some(known) => Some(Endpoint::discovered("the sign-in address", known)?),
        None => None,
    };
    let uaa = call.options.endpoints.uaa.as_ref().or(known.as_ref());
    let tokens = call.object.object("tokens").cloned().unwrap_or_default();
    let notes = Notes::revoke(&call.options, uaa, &tokens);
    Ok(Errand::Ask(Box::new(notes)))
}

/// `{ lease?, memory, wall, mono, minValidMs? }`.
///
/// # Errors
/// `invalid_input` if `minValidMs` is not a number of milliseconds.
pub fn judge(object: &Object) -> Result<Verdict, Error> {
    let min_valid_ms = object.number("minValidMs");
    if object.has("minValidMs") && !min_valid_ms.is_some_and(|ms| ms >= 0.0) {
        return Err(Error::invalid_input(
            "minValidMs is not a number of milliseconds",
            "Give a number from 0 on.",
        ));
    }
    // A number that is missing is NaN, of which nothing is true: the token is not good.
    let lease = object.object("lease").map(|lease| Lease {
        look: instants(lease.object("look")),
        end: instants(lease.object("end")),
        min_valid_ms: number(Some(lease), "minValidMs"),
        life_ms: number(Some(lease), "lifeMs"),
    });
    let memory = memory(object);
    let now = instants(Some(object));
    Ok(policy::judge(lease.as_ref(), &memory, now, min_valid_ms))
}

/// `{ memory, code?, serviceCode?, random, wall, mono }`; no code is a success.
pub fn settle(object: &Object) -> Memory {
    let failure = object
        .text("code")
        .map(|code| (code, object.has("serviceCode")));
    let random = object.number("random").unwrap_or(0.5);
    policy::settle(&memory(object), failure, instants(Some(object)), random)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // counts, and `as` saturates
fn memory(object: &Object) -> Memory {
    let memory = object.object("memory");
    let read = |name: &str| memory.and_then(|memory| memory.number(name)).unwrap_or(0.0);
    Memory {
        failures: read("failures") as u32,
        quiet_until: read("quietUntil"),
        refusals: read("refusals") as u32,
        held_until: read("heldUntil"),
    }
}

/// `{ token }`: whom it belongs to. Asked for only when somebody wants to know, for it is the larger part
/// of reading an answer.
pub fn holder(object: &Object) -> Holder {
    let token = object.text("token").and_then(AccessToken::from_answer);
    token.as_ref().map(jwt::holder).unwrap_or_default()
}

/// `{ text, ttlMs, random, wall, mono }`.
///
/// # Errors
/// `protocol` for what can't be read.
pub fn read_record(object: &Object) -> Result<Record, Error> {
    let text = object.text("text").unwrap_or_default();
    let random = object.number("random").unwrap_or(0.5);
    record::read(
        text,
        number(Some(object), "ttlMs"),
        instants(Some(object)),
        random,
    )
}

/// `{ held, wall, mono }`; gives `{ record, ttlMs }`.
pub fn write_record(object: &Object) -> Value {
    let held = object.object("held").cloned().unwrap_or_default();
    let (record, ttl_ms) = record::write(&held, instants(Some(object)));
    Object::default()
        .with("record", record.into())
        .with("ttlMs", ttl_ms.into())
        .into()
}

fn instants(object: Option<&Object>) -> Instants {
    Instants {
        wall: number(object, "wall"),
        mono: number(object, "mono"),
    }
}

#[inline(never)]
fn number(object: Option<&Object>, name: &str) -> f64 {
    object
        .and_then(|object| object.number(name))
        .unwrap_or(f64::NAN)
}

fn token(object: &Object) -> Result<AccessToken, Error> {
    match object.get("token") {
        Some(Value::Text(token)) => AccessToken::parse("token", token),
        _ => Err(Error::invalid_input(
            "token is not a text",
            "Give an access token, with or without Bearer before it.",
        )),
    }
}

/// What a call is about, and its options.
pub struct Call {
    object: Object,
    /// The checked options.
    pub options: Options,
}

/// Reads the text of a call.
///
/// # Errors
/// `invalid_input` for a lone surrogate.
pub fn read(text: &str) -> Result<Object, Error> {
    match json::parse_exact(text) {
        Some(Value::Object(object)) => Ok(object),
        // The wrapper writes the text, so only a lone surrogate can break it.
        _ => Err(Error::invalid_input(
            "a text of the call is not well-formed Unicode",
            "A lone surrogate can't be sent: where does the text come from?",
        )),
    }
}

impl Call {
    /// Reads the text of a call.
    ///
    /// # Errors
    /// `invalid_input`.
    pub fn parse(text: &str) -> Result<Self, Error> {
        Self::of(read(text)?)
    }

    fn of(object: Object) -> Result<Self, Error> {
        let options = match object.object("options") {
            Some(options) => Options::parse(options),
            None => Options::parse(&Object::default()),
        };
        Ok(Self {
            object,
            options: options?,
        })
    }

    fn cf(&self) -> Result<Endpoint, Error> {
        let cf = self.options.endpoints.cf.clone();
        cf.ok_or_else(|| unavailable("Cloud Foundry API", "cf"))
    }

    fn token(&self) -> Result<AccessToken, Error> {
        token(&self.object)
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // range-checked
    fn whole(&self, field: &str) -> Result<Option<u32>, Error> {
        match self.object.get(field) {
            None => Ok(None),
            Some(Value::Number(number))
                if number.fract() == 0.0 && (0.0..=4e9).contains(number) =>
            {
                Ok(Some(*number as u32))
            }
            Some(_) => Err(Error::joined(
                Code::InvalidInput,
                &[field, " is not a whole number"],
                "Give a number from 0 on.",
            )),
        }
    }
}
