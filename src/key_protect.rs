//! IBM Key Protect: where it is, the headers that it wants, and the list of keys that proves that the
//! credentials work.

use crate::json::{Object, Value};

use crate::endpoint::Endpoint;
use crate::error::{Code, Error};
use crate::flow::{Flow, RequestId, Sent, Yields};
use crate::http::{Reply, Request, Service, url};
use crate::json;
use crate::options::{Options, unavailable};
use crate::refusal::{refused, shown, unreadable, without_code};
use crate::secret::AccessToken;
use crate::target::Target;
use crate::text::{digits, has, text};

const PATH: &str = "/api/v2/keys";
/// Key Protect's own default; 5,000 is its most.
const PAGE: u32 = 200;

/// The base of the Key Protect that the target lives in: the one that the caller named, the instance's
/// own host, or the region's.
///
/// # Errors
/// `unavailable` if there is none, `invalid_input` if the option `region` is another one than the
/// instance's, `protocol` if the instance's record names a foreign host.
pub fn base(options: &Options, target: &Target) -> Result<Endpoint, Error> {
    if let (Some(named), Some(own)) = (options.region.as_deref(), target.region())
        && named != own
    {
        return Err(Error::joined(
            Code::InvalidInput,
            &[
                "the instance is in ",
                own,
                ", and the option region says ",
                named,
            ],
            "Leave region out: the instance's own is taken.",
        ));
    }
    let endpoints = &options.endpoints;
    if let Some(named) = &endpoints.key_protect {
        return Ok(named.clone());
    }
    if !endpoints.ibm_key_protect {
        return Err(unavailable("Key Protect", "keyProtect"));
    }
    if let Target::Instance(instance) = target
        && let Some(host) = &instance.host
    {
        return own_host(host);
    }
    let region = target
        .region()
        .unwrap_or_else(|| options.region_or_default());
    let prefix = if endpoints.private { "private." } else { "" };
    Ok(Endpoint::constant(text!(
        "https://",
        prefix,
        region,
        ".kms.cloud.ibm.com"
    )))
}

fn own_host(host: &str) -> Result<Endpoint, Error> {
    let text = if has(host, "://") {
        host.to_owned()
    } else {
        text!("https://", host)
    };
    let endpoint = Endpoint::discovered("the instance's address", &text)?;
    if endpoint.is_under("kms.appdomain.cloud") || endpoint.is_under("cloud.ibm.com") {
        return Ok(endpoint.without_suffix(&[PATH, "/api/v2"]));
    }
    Err(Error::joined(
        Code::Protocol,
        &[
            "the instance's record names a host that is not IBM's: ",
            endpoint.host(),
        ],
        "No token was sent there. Name the right address in endpoints.keyProtect.",
    ))
}

/// What Key Protect wants beside `Authorization`.
pub fn headers(target: &Target) -> Vec<(&'static str, String)> {
    match target {
        Target::None => vec![],
        Target::Instance(instance) => {
            vec![("Bluemix-Instance", instance.guid.as_str().to_owned())]
        }
        Target::Org(org, space) => {
            let mut headers = vec![("Bluemix-Org", org.as_str().to_owned())];
            if let Some(space) = space {
                headers.push(("Bluemix-Space", space.as_str().to_owned()));
            }
            headers
        }
    }
}

/// One page of keys, as the service gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPage {
    /// The page as JSON text: an object whose `resources` is an array or left out.
    pub text: String,
    /// How many keys are on it.
    pub count: usize,
    /// Whether there may be another one.
    pub more: bool,
}

/// Reads one page of keys.
#[derive(Debug)]
pub struct ListKeys {
    request: Option<Request>,
    limit: u32,
    done: Option<KeyPage>,
}

impl ListKeys {
    /// Builds the errand: at most `limit` keys (and at most a page), from `offset` on.
    ///
    /// # Errors
    /// `invalid_input` if the target is neither an instance nor a space; those of [`base`].
    pub fn new(
        options: &Options,
        target: &Target,
        token: &AccessToken,
        limit: Option<u32>,
        offset: u32,
    ) -> Result<Self, Error> {
        if matches!(target, Target::None | Target::Org(_, None)) {
            return Err(Error::invalid_input(
                "keys are listed in an instance or a space, and the session has neither",
                "Sign in with target: { instance }, or use session.with({ instance }).",
            ));
        }
        let limit = limit.unwrap_or(PAGE).clamp(1, PAGE);
        let (limit_text, offset_text) = (digits(limit), digits(offset));
        let query = [
            ("limit", limit_text.as_str()),
            ("offset", offset_text.as_str()),
        ];
        let url = url(&base(options, target)?, PATH, &query);
        let mut request = Request::get(Service::KeyProtect, url)
            .with_bearer(token)
            .for_list();
        for (name, value) in headers(target) {
            request = request.with_header(name, value);
        }
        Ok(Self {
            request: Some(request),
            limit,
            done: None,
        })
    }
}

impl Flow for ListKeys {
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
            return Err(refusal(reply));
        }
        let unreadable = || unreadable(Service::KeyProtect, reply);
        let text = json::text_of(&reply.body).ok_or_else(unreadable)?;
        let body = json::parse_object(text.as_bytes()).ok_or_else(unreadable)?;
        let count = match body.get("resources") {
            None | Some(Value::Null) => 0,
            Some(Value::List(keys)) => keys.len(),
            Some(_) => return Err(unreadable()),
        };
        let more = count >= self.limit as usize;
        self.done = Some(KeyPage { text, count, more });
        Ok(())
    }
}

impl Yields for ListKeys {
    type Output = KeyPage;

    fn output(self) -> Option<KeyPage> {
        self.done
    }
}

/// Reads `{ resources: [{ errorMsg, reasons: [{ code, message }] }] }`.
///
/// Key Protect says 401 for a bad token and for "no access" alike.
pub fn refusal(reply: &Reply) -> Error {
    let service = Service::KeyProtect;
    let body = json::parse_object(&reply.body);
    let Some((said, reason)) = body.as_ref().and_then(said_and_reason) else {
        return without_code(service, reply);
    };
    let meaning = match (reply.status, reason) {
        (_, Some("BEARER_SUB_EXTRACTION_ERR")) => (
            Code::InvalidCredentials,
            "Key Protect can't read the token: sign in again.",
        ),
        (400, _) => (
            Code::InvalidInput,
            "Key Protect refuses the request's instance or query.",
        ),
        (401 | 403, _) => (
            Code::Forbidden,
            "Is the instance in this region, are its network rules (public or private endpoint) \
             open to this caller, and has this identity access to it?",
        ),
        (404, _) => (Code::NotFound, "Is the instance in this region?"),
        (429, _) => (
            Code::RateLimited,
            "Key Protect limits how often it is asked: wait.",
        ),
        (500.., _) => (
            Code::ServerError,
            "Key Protect is down or busy: try again later.",
        ),
        _ => (
            Code::Protocol,
            "Key Protect's own code (serviceCode) says more.",
        ),
    };
    let said = text!(": ", shown(said, reply));
    refused(service, reply, meaning, &said, reason)
}

fn said_and_reason(body: &Object) -> Option<(&str, Option<&str>)> {
    let resource = body.first("resources")?;
    let said = resource.text("errorMsg")?;
    let reason = resource
        .first("reasons")
        .and_then(|reason| reason.text("code"));
    Some((said, reason))
}

#[cfg(test)]
mod tests;
