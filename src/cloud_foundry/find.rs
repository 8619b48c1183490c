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
use crate::text::{line, text};

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
    space: Option<String>,
    state: State,
}

#[derive(Debug)]
enum State {
    Org(String),
    Space(OrgGuid, String),
    Waiting,
    Done(Found),
}

impl Find {
    /// Finds an organization by name.
    pub fn org(cf: Endpoint, token: AccessToken, name: String) -> Self {
        let state = State::Org(name.clone());
        Self {
            cf,
            token,
            org: Named::Name(name),
            space: None,
            state,
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
        let state = match &org {
            Named::Name(org) => State::Org(org.clone()),
            Named::Guid(guid) => State::Space(OrgGuid::parse("org.guid", guid)?, name.clone()),
        };
        Ok(Self {
            cf,
            token,
            org,
            space: Some(name),
            state,
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
        let url = match &self.state {
            State::Org(name) => url(
                &self.cf,
                "/v3/organizations",
                &[("names", &encode_name(name))],
            ),
            State::Space(org, name) => url(
                &self.cf,
                "/v3/spaces",
                &[
                    ("names", &encode_name(name)),
                    ("organization_guids", &encode_name(org.as_str())),
                ],
            ),
            State::Waiting | State::Done(_) => return None,
        };
        let request = Request::get(Service::CloudController, url)
            .with_bearer(&self.token)
            .for_list();
        // The id tells which of both was asked.
        let id = RequestId::from(matches!(self.state, State::Space(..)));
        self.state = State::Waiting;
        Some((id, request))
    }

    fn on_result(
        &mut self,
        id: RequestId,
        result: Result<&Reply, Error>,
        _sent: Sent,
    ) -> Result<(), Error> {
        let found = read_page(result?)?;
        match (id, &self.org, &self.space) {
            (0, Named::Name(name), space) => {
                let org = pick(&found, name).ok_or_else(|| {
                    not_found(
                        &text!("there is no organization \"", shown(name), "\""),
                        name,
                    )
                })?;
                self.state = match space {
                    Some(space) => State::Space(answered_guid(&org.guid)?, space.clone()),
                    None => State::Done(org),
                };
            }
            (_, _, Some(name)) => {
                let space = pick(&found, name).ok_or_else(|| self.space_not_found(name))?;
                self.state = State::Done(space);
            }
            _ => {}
        }
        Ok(())
    }
}

impl Yields for Find {
    type Output = Found;

    fn output(self) -> Option<Found> {
        match self.state {
            State::Done(found) => Some(found),
            _ => None,
        }
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
    let mut answered = answered.trim_end().chars();
    let mut asked = asked.trim_end().chars();
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
    let inner = name.trim();
    let lead = name.len() - name.trim_start().len();
    let mut out = String::with_capacity(name.len());
    for (at, c) in name.char_indices() {
        let at_end = at < lead || at >= lead + inner.len();
        if matches!(c, ',' | '%') || at_end {
            out.push_str(&encode_component(c.encode_utf8(&mut [0; 4])));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests;
