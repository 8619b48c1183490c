//! One organization or one space by name: `GET /v3/organizations`, `GET /v3/spaces`.
//!
//! The server decodes names twice and splits them at commas, and compares them without case; an
//! empty list is all it says of what does not exist or may not be seen.

use super::refusal;
use crate::endpoint::Endpoint;
use crate::error::{Code, Error};
use crate::flow::{Flow, RequestId, Sent, Yields};
use crate::guid::{OrgGuid, looks_like_guid};
use crate::http::{Reply, Request, Service, encode_component, url};
use crate::json;
use crate::refusal::unreadable;
use crate::secret::AccessToken;
use crate::target::Named;
use crate::text::{line, text, trim, trim_end, trim_start};

/// What a lookup yields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Opaque.
    pub guid: String,
    /// As the service spells it; empty where it was not looked up.
    pub name: String,
}

/// Finds an organization, or a space in an organization.
#[derive(Debug)]
pub struct Find {
    cf: Endpoint,
    token: AccessToken,
    org: Named,
    /// Given or looked up; then the space is asked for.
    org_guid: Option<OrgGuid>,
    space: Option<String>,
    /// Whether there is a request to be sent.
    asks: bool,
    done: Option<Found>,
}

impl Find {
    /// Finds an organization by name.
    pub fn org(cf: Endpoint, token: AccessToken, name: String) -> Self {
        Self {
            cf,
            token,
            org: Named::Name(name),
            org_guid: None,
            space: None,
            asks: true,
            done: None,
        }
    }

    /// Finds a space by name in an organization, which is given by name or GUID.
    ///
    /// # Errors
    /// `invalid_input` if the GUID can't be one.
    pub fn space(
        cf: Endpoint,
        token: AccessToken,
        org: Named,
        name: String,
    ) -> Result<Self, Error> {
        let org_guid = match &org {
            Named::Name(_) => None,
            Named::Guid(guid) => Some(OrgGuid::parse("org.guid", guid)?),
        };
        Ok(Self {
            cf,
            token,
            org,
            org_guid,
            space: Some(name),
            asks: true,
            done: None,
        })
    }

    fn space_not_found(&self, name: &str) -> Error {
        let org = match &self.org {
            Named::Name(org) => text!("the organization \"", shown(org), "\""),
            Named::Guid(_) => "that organization".to_owned(),
        };
        not_found(
            &text!("there is no space \"", shown(name), "\" in ", org),
            name,
        )
    }
}

impl Flow for Find {
    fn next(&mut self) -> Option<(RequestId, Request)> {
        if !std::mem::take(&mut self.asks) {
            return None;
        }
        let url = match (&self.org, &self.org_guid, &self.space) {
            (_, Some(org), Some(space)) => url(
                &self.cf,
                "/v3/spaces",
                &[
                    ("names", &encode_name(space)),
                    ("organization_guids", &encode_name(org.as_str())),
                ],
            ),
            (Named::Name(org), ..) => url(
                &self.cf,
                "/v3/organizations",
                &[("names", &encode_name(org))],
            ),
            _ => return None,
        };
        let request = Request::get(Service::CloudController, url)
            .with_bearer(&self.token)
            .for_list();
        Some((0, request))
    }

    fn on_result(
        &mut self,
        _id: RequestId,
        result: Result<&Reply, Error>,
        _sent: Sent,
    ) -> Result<(), Error> {
        let found = read_page(result?)?;
        match (&self.org, &self.org_guid, &self.space) {
            (_, Some(_), Some(name)) => {
                let space = pick(&found, name).ok_or_else(|| self.space_not_found(name))?;
                self.done = Some(space);
            }
            (Named::Name(name), _, space) => {
                let Some(org) = pick(&found, name) else {
                    let message = text!("there is no organization \"", shown(name), "\"");
                    return Err(not_found(&message, name));
                };
                if space.is_some() {
                    self.org_guid = Some(answered_guid(&org.guid)?);
                    self.asks = true;
                } else {
                    self.done = Some(org);
                }
            }
            _ => {}
        }
        Ok(())
    }
}

impl Yields for Find {
    type Output = Found;

    fn output(self) -> Option<Found> {
        self.done
    }
}

/// A GUID that a service answered goes into the next request: it must be fit for it.
fn answered_guid(guid: &str) -> Result<OrgGuid, Error> {
    OrgGuid::parse("the GUID", guid).map_err(|_| {
        Error::protocol(
            "the Cloud Controller answered a GUID that can't be one",
            "Is the address in endpoints.cf a Cloud Foundry API?",
        )
    })
}

fn read_page(reply: &Reply) -> Result<Vec<Found>, Error> {
    if !reply.is_success() {
        return Err(refusal::read(reply));
    }
    resources(&reply.body).ok_or_else(|| unreadable(Service::CloudController, reply))
}

fn resources(body: &[u8]) -> Option<Vec<Found>> {
    let mut found = Vec::new();
    for resource in json::parse_object(body)?.objects("resources")? {
        found.push(Found {
            guid: resource.text("guid")?.to_owned(),
            name: resource.text("name")?.to_owned(),
        });
    }
    Some(found)
}

/// The one that bears the name: exactly, else without regard to case, as the service compares.
fn pick(found: &[Found], name: &str) -> Option<Found> {
    let exact = found.iter().find(|item| item.name == name);
    let same = || found.iter().find(|item| is_same_name(&item.name, name));
    exact.or_else(same).cloned()
}

/// Whether the service may have meant this name: letters of ASCII without regard to case, and where
/// both have another letter, its own comparison stands (it folds more than we could know).
fn is_same_name(answered: &str, asked: &str) -> bool {
    let mut answered = trim_end(answered, char::is_whitespace).chars();
    let mut asked = trim_end(asked, char::is_whitespace).chars();
    loop {
        match (answered.next(), asked.next()) {
            (None, None) => return true,
            (Some(one), Some(other)) => {
                let both_other = !one.is_ascii() && !other.is_ascii();
                if !one.eq_ignore_ascii_case(&other) && !both_other {
                    return false;
                }
            }
            _ => return false,
        }
    }
}

fn not_found(message: &str, name: &str) -> Error {
    let hint = if looks_like_guid(name) {
        "A string is a name; pass a GUID as { guid }."
    } else {
        "It does not exist or is not visible to this user: check the name, the API's address, and \
         that the user has a role there."
    };
    Error::new(Code::NotFound, message, hint)
}

fn shown(name: &str) -> String {
    line(name, 255)
}

/// The inner one of two encodings: only what needs it (`,`, `%`, white space at the ends), so that
/// servers that decode once (Korifi) find all other names too.
pub fn encode_name(name: &str) -> String {
    let inner = trim(name);
    let lead = name.len() - trim_start(name, char::is_whitespace).len();
    let end = lead + inner.len();
    let encoded_at = |part: Option<&str>| encode_component(part.unwrap_or_default());
    let mut out = encoded_at(name.get(..lead));
    for c in inner.chars() {
        match c {
            ',' => out.push_str("%2C"),
            '%' => out.push_str("%25"),
            _ => out.push(c),
        }
    }
    out.push_str(&encoded_at(name.get(end..)));
    out
}

#[cfg(test)]
mod tests;
