//! The options of a call, checked once and for all requests of it: which services there are, where
//! they are, and as which client to speak to them.

use crate::json::{Object, Value};

use crate::endpoint::Endpoint;
use crate::error::{Code, Error};
use crate::secret::ClientSecret;
use crate::text::{has, line, list, own, text as joined, trim};

/// Regions with a Key Protect host of their own, for hints (new ones are taken too).
const REGIONS: &str = "us-south, us-east, eu-gb, eu-de, eu-es, au-syd, jp-tok, jp-osa, ca-tor, \
                       ca-mon, br-sao, in-che, in-mum";
const DEFAULT_REGION: &str = "us-south";
const MAX_TIMEOUT_MS: f64 = 2_147_483_647.0;
const TIMEOUT_KIND: &str = "a number of milliseconds from 1 to 2147483647";

/// The services of a call.
#[derive(Clone, Debug, Default)]
pub struct Endpoints {
    /// IBM Cloud IAM; `None` signs in to UAA alone.
    pub iam: Option<Endpoint>,
    /// The Cloud Foundry API root.
    pub cf: Option<Endpoint>,
    /// UAA, where it is named rather than discovered.
    pub uaa: Option<Endpoint>,
    /// Key Protect, where it is named rather than derived from the region.
    pub key_protect: Option<Endpoint>,
    /// Resource Controller.
    pub resource_controller: Option<Endpoint>,
    /// Accounts.
    pub accounts: Option<Endpoint>,
    /// Whether Key Protect's host may be derived from a region: IBM's own IAM is in use.
    pub ibm_key_protect: bool,
    /// IBM's private network.
    pub private: bool,
}

/// An OAuth client of the caller's own.
#[derive(Clone, Debug)]
pub struct Client {
    /// `client_id` (RFC 6749, section 2.2).
    pub id: String,
    /// `None`: a public client; empty: an empty secret.
    pub secret: Option<ClientSecret>,
}

/// Options of a login or of one call.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the services are.
    pub endpoints: Endpoints,
    /// The region that the caller named.
    pub region: Option<String>,
    /// Whether to ask IAM for a UAA token too.
    pub uaa: bool,
    /// The account to choose.
    pub account: Option<String>,
    /// The caller's own client.
    pub client: Option<Client>,
    /// Milliseconds for each request, to the end of its body.
    pub timeout_ms: f64,
    /// Tries after the first.
    pub retries: u32,
}

impl Options {
    /// Reads what the wrapper passes: plain values; of each address its raw text and the platform's
    /// reading of it (`{ raw, href }`).
    ///
    /// # Errors
    /// `invalid_input` for a value of the wrong kind, and for an address that can't be used.
    pub fn parse(object: &Object) -> Result<Self, Error> {
        // What owns something comes last, so that the errors before it have nothing to take down.
        let region = text(object, "region")?;
        region.map_or(Ok(()), check_region)?;
        let account = match text(object, "account")? {
            Some(text) => Some(word("account", text)?),
            None => None,
        };
        let uaa = match object.get("uaa") {
            None => None,
            Some(Value::Bool(wanted)) => Some(*wanted),
            Some(_) => return Err(wrong_kind("uaa", "true or false")),
        };
        let timeout_ms = number(object, "timeoutMs", (1.0, MAX_TIMEOUT_MS), TIMEOUT_KIND)?;
        let retries = number(object, "retries", (0.0, 100.0), "a number from 0 to 100")?;
        let client = client(object.get("client"))?;
        let region_or_default = region.unwrap_or(DEFAULT_REGION);
        let endpoints = endpoints(object.get("endpoints"), region_or_default)?;
        Ok(Self {
            uaa: endpoints.iam.is_some() && uaa.unwrap_or(endpoints.cf.is_some()),
            endpoints,
            region: own(region),
            account: own(account),
            client,
            timeout_ms: timeout_ms.unwrap_or(30_000.0),
            retries: retries.map_or(3, whole),
        })
    }

    /// The region in use where nothing else names one.
    pub fn region_or_default(&self) -> &str {
        self.region.as_deref().unwrap_or(DEFAULT_REGION)
    }
}

/// Refuses option names that do not exist (typos in JS).
///
/// # Errors
/// `invalid_input` naming the first stranger.
pub fn check_names(given: &[&str], known: &[&str]) -> Result<(), Error> {
    match given.iter().find(|name| !known.contains(name)) {
        None => Ok(()),
        Some(stranger) => Err(stranger_among(
            "there is no option \"",
            stranger,
            "\" here",
            known,
        )),
    }
}

fn stranger_among(before: &str, stranger: &str, after: &str, known: &[&str]) -> Error {
    Error::joined(
        Code::InvalidInput,
        &[before, &line(stranger, 40), after],
        &joined!("Known are ", list(known, ", "), "."),
    )
}

/// Checks the form of a region's name; it becomes part of a host name.
///
/// # Errors
/// `invalid_input` with the known regions in the hint.
pub fn check_region(region: &str) -> Result<(), Error> {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if !has(region, "-") || region.len() > 32 || !region.bytes().all(plain) {
        return Err(Error::invalid_input(
            "region is not the name of a region",
            &joined!("Known regions are ", REGIONS, "."),
        ));
    }
    Ok(())
}

/// The error for a service that is not there.
pub fn unavailable(what: &str, option: &str) -> Error {
    Error::joined(
        Code::Unavailable,
        &["there is no ", what, " here"],
        &joined!("Name it in the option endpoints.", option, "."),
    )
}

/// A service in the option `endpoints`: its name there, its folder under `base`, and what users paste
/// at the end of its address (longest first).
type Place = (&'static str, &'static str, &'static [&'static str]);

/// In the order of [`Endpoints::slots`].
const PLACES: [Place; 6] = [
    (
        "iam",
        "/iam",
        &["/identity/token", "/oidc/token", "/identity"],
    ),
    ("cf", "/cf", &[]),
    ("uaa", "/uaa", &["/oauth/token"]),
    ("keyProtect", "/kp", &["/api/v2"]),
    (
        "resourceController",
        "/rc",
        &["/v2/resource_instances", "/v2"],
    ),
    ("accounts", "/accounts", &[]),
];
const NAMES: [&str; 7] = [
    "iam",
    "cf",
    "uaa",
    "keyProtect",
    "resourceController",
    "accounts",
    "base",
];

impl Endpoints {
    fn slots(&mut self) -> [&mut Option<Endpoint>; 6] {
        [
            &mut self.iam,
            &mut self.cf,
            &mut self.uaa,
            &mut self.key_protect,
            &mut self.resource_controller,
            &mut self.accounts,
        ]
    }
}

fn endpoints(value: Option<&Value>, region: &str) -> Result<Endpoints, Error> {
    let named = match value {
        None => return Ok(ibm(region, false)),
        Some(Value::Text(text)) if text == "private" => return Ok(ibm(region, true)),
        Some(Value::Object(named)) => named,
        Some(_) => return Err(wrong_kind("endpoints", "an object or \"private\"")),
    };
    if let Some(stranger) = named.names().iter().find(|name| !NAMES.contains(name)) {
        return Err(stranger_among(
            "endpoints has no \"",
            stranger,
            "\"",
            &NAMES,
        ));
    }
    let base = address(named, "base")?;
    let mut given = Endpoints::default();
    for (slot, (name, folder, suffixes)) in given.slots().into_iter().zip(&PLACES) {
        if let Some(endpoint) = address(named, name)? {
            *slot = Some(endpoint.without_suffix(suffixes));
        } else if let Some(base) = &base
            && !named.has(name)
        {
            *slot = Some(base.join(folder));
        }
    }
    if base.is_some() {
        return Ok(given);
    }
    let plain_cloud_foundry = given.cf.is_some() || given.uaa.is_some();
    let ibm_by_default = !named.has("iam") && !plain_cloud_foundry;
    // A secret must never reach another company: defaults stand beside IBM's own IAM only.
    let ibm_by_name = given
        .iam
        .as_ref()
        .is_some_and(|iam| iam.is_under("cloud.ibm.com"));
    if ibm_by_default || ibm_by_name {
        let mut defaults = ibm(region, false);
        for (slot, default) in given.slots().into_iter().zip(defaults.slots()) {
            if slot.is_none() {
                *slot = default.take();
            }
        }
        given.ibm_key_protect = true;
    }
    Ok(given)
}

fn ibm(region: &str, private: bool) -> Endpoints {
    let prefix = if private { "private." } else { "" };
    let host = |name: &str| {
        let address = joined!("https://", prefix, name, ".cloud.ibm.com");
        Some(Endpoint::constant(address))
    };
    // Two regions have a private IAM of their own.
    let iam = match region {
        "us-south" | "us-east" if private => host(&joined!(region, ".iam")),
        _ => host("iam"),
    };
    Endpoints {
        iam,
        resource_controller: host("resource-controller"),
        accounts: host("accounts"),
        ibm_key_protect: true,
        private,
        ..Endpoints::default()
    }
}

/// An address of the object: absent and `null` are `None`.
fn address(named: &Object, name: &str) -> Result<Option<Endpoint>, Error> {
    let field = joined!("endpoints.", name);
    match named.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(parsed)) => {
            let raw = parsed.text("raw").unwrap_or_default();
            Endpoint::parse(&field, raw, parsed.text("href")).map(Some)
        }
        Some(_) => Err(wrong_kind(&field, "an address")),
    }
}

fn client(value: Option<&Value>) -> Result<Option<Client>, Error> {
    let object = match value {
        None => return Ok(None),
        Some(Value::Object(object)) => object,
        Some(_) => return Err(wrong_kind("client", "{ clientId, clientSecret? }")),
    };
    check_names(&object.names(), &["clientId", "clientSecret"])?;
    let Some(id) = object.text("clientId") else {
        return Err(wrong_kind("client.clientId", "a text that is not empty"));
    };
    let secret = match object.get("clientSecret") {
        None => None,
        Some(Value::Text(secret)) => Some(ClientSecret::new(secret)),
        Some(_) => return Err(wrong_kind("client.clientSecret", "a text")),
    };
    Ok(Some(Client {
        id: id.to_owned(),
        secret,
    }))
}

fn text<'a>(object: &'a Object, name: &str) -> Result<Option<&'a str>, Error> {
    match object.get(name) {
        None => Ok(None),
        Some(Value::Text(text)) => Ok(Some(text)),
        Some(_) => Err(wrong_kind(name, "a text")),
    }
}

fn word<'a>(name: &str, text: &'a str) -> Result<&'a str, Error> {
    let text = trim(text);
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(wrong_kind(name, "an id"));
    }
    Ok(text)
}

fn number(
    object: &Object,
    name: &str,
    (min, max): (f64, f64),
    wanted: &str,
) -> Result<Option<f64>, Error> {
    match object.get(name) {
        None => Ok(None),
        Some(Value::Number(number)) if (min..=max).contains(number) => Ok(Some(*number)),
        // The bounds stand as text, so that no code to print a float is linked.
        Some(_) => Err(wrong_kind(name, wanted)),
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // range-checked by `number`
fn whole(number: f64) -> u32 {
    number as u32
}

fn wrong_kind(name: &str, wanted: &str) -> Error {
    Error::joined(
        Code::InvalidInput,
        &[name, " is not ", wanted],
        "See the option's documentation.",
    )
}

#[cfg(test)]
mod tests;
