//! One Key Protect instance by name: `GET /v2/resource_instances`.
//!
//! Names are not unique, and a page's link has had several forms: its whole query is followed, on the
//! same origin and path only.

use crate::json::{self, Object};
use crate::jwt;

use crate::endpoint::Endpoint;
use crate::error::{Candidate, Code, Error};
use crate::flow::{Flow, RequestId, Sent, Yields};
use crate::guid::looks_like_guid;
use crate::http::{Reply, Request, Service, url};
use crate::refusal::{general_form, unreadable, without_code};
use crate::secret::AccessToken;
use crate::target::{Instance, parse_crn};
use crate::text::{cut, digits, line, own, text};

/// Key Protect in IBM Cloud's catalog.
const KEY_PROTECT: &str = "ee41347f-b18e-4ca6-bf80-b5467c63f9a6";
const PATH: &str = "/v2/resource_instances";

/// An instance as a lookup yields it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundInstance {
    /// What `Bluemix-Instance` wants.
    pub guid: String,
    /// As the service spells it; empty where it was not looked up.
    pub name: String,
    /// The cloud resource name.
    pub crn: Option<String>,
    /// Such as `us-south`.
    pub region: Option<String>,
    /// The id of its resource group.
    pub resource_group: Option<String>,
    /// A public host of its own (Key Protect Dedicated).
    pub host: Option<String>,
}

impl From<Instance> for FoundInstance {
    fn from(instance: Instance) -> Self {
        Self {
            guid: instance.guid.as_str().to_owned(),
            name: String::new(),
            crn: None,
            region: instance.region,
            resource_group: None,
            host: instance.host,
        }
    }
}

/// Finds an instance by name, in a resource group where one is named.
#[derive(Debug)]
pub struct FindInstance {
    endpoint: Endpoint,
    token: AccessToken,
    name: String,
    resource_group: Option<String>,
    next_url: Option<String>,
    seen: Vec<String>,
    found: Vec<FoundInstance>,
    done: Option<FoundInstance>,
}

impl FindInstance {
    /// Builds the errand; `resource_group` is an id.
    pub fn new(
        endpoint: Endpoint,
        token: AccessToken,
        name: String,
        resource_group: Option<String>,
    ) -> Self {
        let mut query = vec![
            ("name", name.as_str()),
            ("resource_id", KEY_PROTECT),
            ("limit", "100"),
        ];
        if let Some(group) = &resource_group {
            query.push(("resource_group_id", group));
        }
        let first = url(&endpoint, PATH, &query);
        Self {
            endpoint,
            token,
            name,
            resource_group,
            seen: vec![first.clone()],
            next_url: Some(first),
            found: Vec::new(),
            done: None,
        }
    }

    fn take(&mut self, resource: &Object) {
        let Some(guid) = resource.text("guid") else {
            return;
        };
        let Some(name) = resource.text("name") else {
            return;
        };
        let crn = resource.text("crn").or_else(|| resource.text("id"));
        let of_crn = crn.and_then(|crn| parse_crn(crn).ok());
        let group = resource.text("resource_group_id");
        let live = resource
            .text("state")
            .is_none_or(|state| matches!(state, "active" | "provisioning"));
        let ours = match resource.text("resource_id") {
            Some(id) => id == KEY_PROTECT,
            None => of_crn.is_some(),
        };
        let in_group = self
            .resource_group
            .as_deref()
            .is_none_or(|wanted| group == Some(wanted));
        let known = self.found.iter().any(|have| have.guid == guid);
        if name != self.name || !live || !ours || !in_group || known {
            return;
        }
        let region = own(resource.text("region_id"));
        let host = resource
            .object("extensions")
            .and_then(|extensions| extensions.object("endpoints"))
            .and_then(|endpoints| endpoints.text("public"));
        self.found.push(FoundInstance {
            guid: guid.to_owned(),
            name: name.to_owned(),
            crn: own(crn),
            region: of_crn.and_then(|instance| instance.region).or(region),
            resource_group: own(group),
            host: own(host),
        });
    }

    /// The next page's address, if its link stays where we are; a link seen before is a circle.
    fn follow(&mut self, link: &str) -> Result<(), Error> {
        let (place, query) = cut(link, b"?").unwrap_or((link, ""));
        let own = text!(self.endpoint.as_str(), PATH);
        let own_path = own.strip_prefix(self.endpoint.origin()).unwrap_or(PATH);
        let plain = query
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'#');
        if !(place == own || place == own_path || place == PATH) || query.is_empty() || !plain {
            return Err(Error::protocol(
                "a page of instances links to another place",
                "Nothing was sent there. Is endpoints.resourceController the right address?",
            ));
        }
        let next = text!(own, "?", query);
        if self.seen.contains(&next) {
            return Err(Error::protocol(
                "the pages of instances link in a circle",
                "Try again; if it stays so, tell IBM's support.",
            ));
        }
        self.seen.push(next.clone());
        self.next_url = Some(next);
        Ok(())
    }

    fn result(&mut self) -> Result<FoundInstance, Error> {
        let name = line(&self.name, 255);
        if self.found.len() > 1 {
            let count = digits(u32::try_from(self.found.len()).unwrap_or(u32::MAX));
            let mut error = Error::joined(
                Code::Ambiguous,
                &[&count, " Key Protect instances are called \"", &name, "\""],
                "Choose one of candidates by { guid }, or name its resourceGroup.",
            );
            for instance in &self.found {
                error.candidates.push(Candidate {
                    guid: instance.guid.clone(),
                    name: instance.name.clone(),
                    region: instance.region.clone(),
                    resource_group: instance.resource_group.clone(),
                });
            }
            return Err(error);
        }
        self.found.pop().ok_or_else(|| {
            let holder = jwt::holder(&self.token);
            let hint = if looks_like_guid(&name) {
                "A string is a name; pass a GUID as { guid }."
            } else if holder.user.is_some() && holder.account.is_none() {
                "The token names no account: choose one by the option account at login."
            } else {
                "It does not exist, or this identity may not see it: check the name, the \
                 account, and the access to the instance."
            };
            let message = text!("there is no Key Protect instance \"", name, "\"");
            Error::new(Code::NotFound, &message, hint)
        })
    }
}

impl Flow for FindInstance {
    fn next(&mut self) -> Option<(RequestId, Request)> {
        let url = self.next_url.take()?;
        let request = Request::get(Service::ResourceController, url).with_bearer(&self.token);
        Some((0, request.for_list()))
    }

    fn on_result(
        &mut self,
        _id: RequestId,
        result: Result<&Reply, Error>,
        _sent: Sent,
    ) -> Result<(), Error> {
        let reply = result?;
        let body = json::parse_object(&reply.body);
        if !reply.is_success() {
            return Err(refused(reply, body.as_ref()));
        }
        let Some((body, resources)) = body
            .as_ref()
            .and_then(|body| Some((body, body.objects("resources")?)))
        else {
            return Err(unreadable(Service::ResourceController, reply));
        };
        for resource in resources {
            self.take(resource);
        }
        match body.text("next_url") {
            Some(link) => self.follow(link),
            None => {
                self.done = Some(self.result()?);
                Ok(())
            }
        }
    }
}

impl Yields for FindInstance {
    type Output = FoundInstance;

    fn output(self) -> Option<FoundInstance> {
        self.done
    }
}

fn refused(reply: &Reply, body: Option<&Object>) -> Error {
    let service = Service::ResourceController;
    let Some(body) = body else {
        return without_code(service, reply);
    };
    let mut error = general_form(service, reply, body);
    match error.code {
        Code::InvalidCredentials => {
            error.code = Code::Expired;
            error.hint =
                "The Resource Controller does not accept this token: sign in again.".into();
        }
        Code::Forbidden => {
            error.hint = "This identity may not list instances: ask for access.".into()
        }
        _ => {}
    }
    error
}

#[cfg(test)]
mod tests;
