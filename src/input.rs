//! The calls of the wrapper, read from JSON text into flows. One text per call, so that a credential
//! enters as a whole and leaves with the call.
//!
//! `{ options: { names: [...], ...values }, ...what the call is about }`; `names` are all option names
//! that the caller gave, also of those that never enter (`fetch`, `signal`), so that the core can
//! name a stranger.

use crate::cloud_foundry::find::{Find, Found};
use crate::credential::Credential;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::exchange::Exchange;
use crate::flow::Yields;
use crate::guid::{OrgGuid, SpaceGuid};
use crate::json;
use crate::json::{Object, Value};
use crate::key_protect::{self, ListKeys};
use crate::lease::{Instants, Lease};
use crate::options::{Options, check_names, unavailable};
use crate::resource_controller::FindInstance;
use crate::secret::{AccessToken, RefreshToken};
use crate::target::{InstanceNamed, Named, Target};
use crate::text::text;

/// Options of `login`; the last is not one of `exchangeToken`.
const SIGN_IN: [&str; 11] = [
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
    "target",
];
/// Options of `findOrg`, `findSpace` and `findInstance`.
const FIND: [&str; 7] = [
    "token",
    "endpoints",
    "timeoutMs",
    "retries",
    "fetch",
    "clock",
    "signal",
];

/// A call that was read: what is known already, or what has to be asked.
#[derive(Debug)]
pub enum Errand<F, Output> {
    /// Nothing is sent.
    Known(Output),
    /// The flow, and how many tries it has after the first.
    Ask(F, u32),
}

/// Boxed, since flows are large, and are handed on several times.
type ErrandOf<F> = Errand<Box<F>, <F as Yields>::Output>;

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
    /// Where the target's Key Protect is, if there is one.
    pub key_protect: Option<String>,
    /// The Cloud Foundry API, if there is one.
    pub cf: Option<String>,
    /// The region in use.
    pub region: String,
}

/// Checks options, credential and target, as far as they are given.
///
/// # Errors
/// `invalid_input` for what is wrong in them; those of [`key_protect::base`] but `unavailable`.
pub fn plan(text: &str) -> Result<Plan, Error> {
    let call = Call::parse(text)?;
    let options = call.options(match call.object.text("call") {
        Some("find") => &FIND,
        Some("login") => &SIGN_IN,
        _ => SIGN_IN.split_last().map_or(&[], |(_, known)| known),
    })?;
    let credential = call
        .object
        .get("credential")
        .map(Credential::parse)
        .transpose()?;
    let target = Target::parse(call.object.get("target"))?;
    let key_protect = match key_protect::base(&options, &target) {
        Ok(endpoint) => Some(endpoint.as_str().to_owned()),
        Err(error) if error.code == crate::error::Code::Unavailable => None,
        Err(error) => return Err(error),
    };
    Ok(Plan {
        timeout_ms: options.timeout_ms,
        reusable: credential.as_ref().map(Credential::is_reusable),
        headers: key_protect::headers(&target),
        key_protect,
        cf: options
            .endpoints
            .cf
            .as_ref()
            .map(|endpoint| endpoint.as_str().to_owned()),
        region: target
            .region()
            .unwrap_or_else(|| options.region_or_default())
            .to_owned(),
    })
}

/// `{ options, credential | refreshToken, canSignInAgain?, uaaEndpoint? }`.
///
/// # Errors
/// `invalid_input`, `unavailable`.
pub fn exchange(text: &str) -> Result<ErrandOf<Exchange>, Error> {
    let call = Call::parse(text)?;
    let options = call.options_of_session()?;
    let retries = options.retries;
    let known_uaa = match call.object.text("uaaEndpoint") {
        Some(known) => Some(Endpoint::discovered("the sign-in address", known)?),
        None => None,
    };
    let flow = match (
        call.object.text("refreshToken"),
        call.object.get("credential"),
    ) {
        (Some(token), _) => {
            let token = RefreshToken::parse("refreshToken", token)?;
            let again = call.object.is_true("canSignInAgain");
            Exchange::renew(token, again, options, known_uaa)?
        }
        (None, Some(credential)) => {
            Exchange::new(Credential::parse(credential)?, options, known_uaa)?
        }
        (None, None) => {
            return Err(Error::invalid_input(
                "there is no credential",
                "Sign in again.",
            ));
        }
    };
    Ok(Errand::Ask(Box::new(flow), retries))
}

/// `{ options, token, name }`; with `{ guid }` as the name, nothing is sent and no token needed.
///
/// # Errors
/// `invalid_input`, `unavailable`.
pub fn find_org(text: &str) -> Result<ErrandOf<Find>, Error> {
    let call = Call::parse(text)?;
    let options = call.options_of_session()?;
    Ok(match Named::parse("org", call.object.get("name"))? {
        Named::Guid(guid) => known(OrgGuid::parse("org.guid", &guid)?.as_str()),
        Named::Name(name) => {
            let find = Find::org(cf(&options)?, call.token()?, name);
            Errand::Ask(Box::new(find), options.retries)
        }
    })
}

/// `{ options, token, name, org }`; as [`find_org`].
///
/// # Errors
/// `invalid_input`, `unavailable`.
pub fn find_space(text: &str) -> Result<ErrandOf<Find>, Error> {
    let call = Call::parse(text)?;
    let options = call.options_of_session()?;
    let name = match Named::parse("space", call.object.get("name"))? {
        Named::Guid(guid) => return Ok(known(SpaceGuid::parse("space.guid", &guid)?.as_str())),
        Named::Name(name) => name,
    };
    let org = match call.object.get("org") {
        None => {
            return Err(Error::invalid_input(
                "a space is looked up in an organization, and none is given",
                "Give the option org (a name or { guid }), or target one.",
            ));
        }
        org => Named::parse("org", org)?,
    };
    let find = Find::space(cf(&options)?, call.token()?, org, name)?;
    Ok(Errand::Ask(Box::new(find), options.retries))
}

/// `{ options, token, name, resourceGroup? }`; a CRN or `{ guid }` as the name sends nothing.
///
/// # Errors
/// `invalid_input`, `unavailable`.
pub fn find_instance(text: &str) -> Result<ErrandOf<FindInstance>, Error> {
    let call = Call::parse(text)?;
    let options = call.options_of_session()?;
    let name = match InstanceNamed::parse(call.object.get("name"))? {
        InstanceNamed::Known(instance) => return Ok(Errand::Known(instance.into())),
        InstanceNamed::Name(name) => name,
    };
    let group = match call.object.get("resourceGroup") {
        None => None,
        Some(Value::Text(group)) if !group.is_empty() => Some(group.clone()),
        Some(_) => {
            return Err(Error::invalid_input(
                "resourceGroup is not the id of a resource group",
                "Give its id, not its name.",
            ));
        }
    };
    let endpoint = options.endpoints.resource_controller.clone();
    let endpoint =
        endpoint.ok_or_else(|| unavailable("Resource Controller", "resourceController"))?;
    let find = FindInstance::new(endpoint, call.token()?, name, group);
    Ok(Errand::Ask(Box::new(find), options.retries))
}

/// `{ options, token, target, limit?, offset }`.
///
/// # Errors
/// `invalid_input`, `unavailable`.
pub fn list_keys(text: &str) -> Result<ErrandOf<ListKeys>, Error> {
    let call = Call::parse(text)?;
    let options = call.options_of_session()?;
    let target = Target::parse(call.object.get("target"))?;
    let token = call.token()?;
    let limit = call.whole("limit")?;
    let offset = call.whole("offset")?.unwrap_or(0);
    let flow = ListKeys::new(&options, &target, &token, limit, offset)?;
    Ok(Errand::Ask(Box::new(flow), options.retries))
}

/// `{ lease, wall, mono, minValidMs? }`.
///
/// # Errors
/// `invalid_input` if `minValidMs` is not a number of milliseconds.
pub fn is_good(text: &str) -> Result<bool, Error> {
    let call = Call::parse(text)?;
    let object = &call.object;
    let min_valid_ms = match object.get("minValidMs") {
        None => None,
        Some(_) => match object.number("minValidMs") {
            Some(ms) if ms >= 0.0 => Some(ms),
            _ => {
                return Err(Error::invalid_input(
                    "minValidMs is not a number of milliseconds",
                    "Give a number from 0 on.",
                ));
            }
        },
    };
    let number = |name: &str| object.number(name).unwrap_or(f64::NAN);
    let lease = object.object("lease");
    let of_lease = |name: &str| {
        lease
            .and_then(|lease| lease.number(name))
            .unwrap_or(f64::NAN)
    };
    let end = lease.and_then(|lease| lease.object("end"));
    let of_end = |name: &str| end.and_then(|end| end.number(name)).unwrap_or(f64::NAN);
    let end = Instants {
        wall: of_end("wall"),
        mono: of_end("mono"),
    };
    // A number that is missing is NaN, of which nothing is true: the token is not good.
    let lease = Lease {
        look: end,
        end,
        min_valid_ms: of_lease("minValidMs"),
        life_ms: of_lease("lifeMs"),
    };
    let now = Instants {
        wall: number("wall"),
        mono: number("mono"),
    };
    Ok(lease.is_good(now, min_valid_ms))
}

fn cf(options: &Options) -> Result<Endpoint, Error> {
    options
        .endpoints
        .cf
        .clone()
        .ok_or_else(|| unavailable("Cloud Foundry API", "cf"))
}

struct Call {
    object: Object,
}

impl Call {
    fn parse(text: &str) -> Result<Self, Error> {
        match json::parse_exact(text) {
            Some(Value::Object(object)) => Ok(Self { object }),
            // The wrapper writes the text, so only a lone surrogate can break it.
            _ => Err(Error::invalid_input(
                "a text of the call is not well-formed Unicode",
                "A lone surrogate can't be sent: where does the text come from?",
            )),
        }
    }

    fn options(&self, known: &[&str]) -> Result<Options, Error> {
        if let Some(Value::List(names)) = self.object.get("names") {
            let names = names.iter().filter_map(|name| match name {
                Value::Text(name) => Some(name.as_str()),
                _ => None,
            });
            check_names(&names.collect::<Vec<_>>(), known)?;
        }
        self.options_of_session()
    }

    fn options_of_session(&self) -> Result<Options, Error> {
        match self.object.get("options") {
            Some(Value::Object(options)) => Options::parse(options),
            _ => Options::parse(&Object::default()),
        }
    }

    fn token(&self) -> Result<AccessToken, Error> {
        match self.object.get("token") {
            Some(Value::Text(token)) => AccessToken::parse("token", token),
            _ => Err(Error::invalid_input(
                "token is not a text",
                "Give an access token, with or without Bearer before it.",
            )),
        }
    }

    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // range-checked
    fn whole(&self, field: &str) -> Result<Option<u32>, Error> {
        match self.object.get(field) {
            None => Ok(None),
            Some(Value::Number(number)) => {
                let number = *number;
                if number.fract() == 0.0 && (0.0..=4e9).contains(&number) {
                    return Ok(Some(number as u32));
                }
                Err(not_whole(field))
            }
            Some(_) => Err(not_whole(field)),
        }
    }
}

fn not_whole(field: &str) -> Error {
    Error::invalid_input(
        &text!(field, " is not a whole number"),
        "Give a number from 0 on.",
    )
}
