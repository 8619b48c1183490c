//! The exchange of a credential for tokens, with what may come before and after its one request:
//! discovery of the UAA, a refresh token tried first, IAM asked again without a UAA token.

use crate::json::Object;

use crate::cloud_foundry::discovery;
use crate::credential::Credential;
use crate::endpoint::Endpoint;
use crate::error::{Code, Error};
use crate::flow::{Flow, RequestId, Sent, Yields};
use crate::http::{Reply, Request, Service};
use crate::options::Options;
use crate::secret::RefreshToken;
use crate::token::{self, Tokens};
use crate::{iam, json, refusal, uaa};

/// How an exchange ended.
#[derive(Clone, Debug)]
pub enum Ended {
    /// With tokens.
    Tokens(Box<Exchanged>),
    /// The refresh token is of no use, and the login can repeat itself: exchange the credential.
    SignInAgain,
}

/// What an exchange brought.
#[derive(Clone, Debug)]
pub struct Exchanged {
    /// One or two tokens.
    pub tokens: Tokens,
    /// Where the UAA is, if it was asked: spares the next exchange the discovery.
    pub uaa: Option<Endpoint>,
    /// Whether IAM took the asking for a UAA token; if not, the next exchange does not ask.
    pub uaa_asked: bool,
    /// Whether a refresh token got them; it stays good if the answer holds no other.
    pub by_refresh: bool,
}

/// What is used to get tokens.
#[derive(Clone, Debug)]
enum Leg {
    Refresh(RefreshToken),
    Credential(Credential),
}

#[derive(Debug)]
enum State {
    Root,
    V2Info,
    Grant,
    Waiting,
    Done(Ended),
}

/// The errand; see the module.
#[derive(Debug)]
pub struct Exchange {
    options: Options,
    /// What is tried now.
    leg: Leg,
    /// Whether a refused refresh token is not the end.
    can_sign_in_again: bool,
    uaa: Option<Endpoint>,
    with_uaa: bool,
    state: State,
    sent: State,
}

impl Exchange {
    /// Exchanges a credential. `known_uaa` is what an earlier exchange discovered.
    ///
    /// # Errors
    /// `unavailable` if there is no service to sign in at, `invalid_input` if the credential does not
    /// fit it.
    pub fn new(
        credential: Credential,
        options: Options,
        known_uaa: Option<Endpoint>,
    ) -> Result<Self, Error> {
        let with_origin = matches!(
            &credential,
            Credential::Password {
                origin: Some(_),
                ..
            }
        );
        if with_origin && options.endpoints.iam.is_some() {
            return Err(Error::invalid_input(
                "origin names an identity provider of a UAA, and this login goes to IAM",
                "Leave it out, or set endpoints.iam to null.",
            ));
        }
        Self::start(Leg::Credential(credential), false, options, known_uaa)
    }

    /// Renews by a refresh token. Where it is refused, or the service fails on it to the last try, the
    /// errand ends with [`Ended::SignInAgain`], if the caller still has a credential to exchange.
    ///
    /// # Errors
    /// As [`Exchange::new`].
    pub fn renew(
        token: RefreshToken,
        can_sign_in_again: bool,
        options: Options,
        known_uaa: Option<Endpoint>,
    ) -> Result<Self, Error> {
        Self::start(Leg::Refresh(token), can_sign_in_again, options, known_uaa)
    }

    fn start(
        leg: Leg,
        can_sign_in_again: bool,
        options: Options,
        known_uaa: Option<Endpoint>,
    ) -> Result<Self, Error> {
        let endpoints = &options.endpoints;
        let uaa = endpoints.uaa.clone().or(known_uaa);
        let state = if endpoints.iam.is_some() || uaa.is_some() {
            State::Grant
        } else if endpoints.cf.is_some() {
            State::Root
        } else {
            return Err(Error::new(
                Code::Unavailable,
                "there is no service to sign in at",
                "Name one in the option endpoints: iam, or the cf or uaa of a Cloud Foundry.",
            ));
        };
        let with_uaa = options.uaa;
        Ok(Self {
            options,
            leg,
            can_sign_in_again,
            uaa,
            with_uaa,
            state,
            sent: State::Waiting,
        })
    }

    fn grant_request(&self) -> Result<Request, Error> {
        let options = &self.options;
        match (&options.endpoints.iam, &self.uaa) {
            (Some(iam), _) => Ok(match &self.leg {
                Leg::Refresh(token) => {
                    iam::grant::refresh_request(iam, token, options, self.with_uaa)
                }
                Leg::Credential(credential) => {
                    iam::grant::credential_request(iam, credential, options, self.with_uaa)
                }
            }),
            (None, Some(uaa)) => Ok(match &self.leg {
                Leg::Refresh(token) => uaa::grant::refresh_request(uaa, token, options),
                Leg::Credential(credential) => {
                    uaa::grant::credential_request(uaa, credential, options)
                }
            }),
            (None, None) => Err(crate::options::unavailable("UAA", "uaa")),
        }
    }

    fn request(&self, cf_step: impl Fn(&Endpoint) -> Request) -> Result<Request, Error> {
        match &self.options.endpoints.cf {
            Some(cf) => Ok(cf_step(cf)),
            None => Err(crate::options::unavailable("Cloud Foundry API", "cf")),
        }
    }

    fn on_grant(&mut self, result: Result<&Reply, Error>, sent: Sent) -> Result<(), Error> {
        let refused = match result {
            Ok(reply) => {
                let body = json::parse_object(&reply.body);
                if token::is_success(reply, body.as_ref()) {
                    let exchanged = self.read(reply, body.as_ref(), sent)?;
                    self.state = State::Done(Ended::Tokens(Box::new(exchanged)));
                    return Ok(());
                }
                let about = iam::refusal::is_about_response_type(reply, body.as_ref());
                if self.with_uaa && about {
                    // The user asked for Cloud Foundry, not for this parameter: once more without.
                    self.with_uaa = false;
                    self.state = State::Grant;
                    return Ok(());
                }
                self.refusal(reply, body.as_ref())
            }
            Err(error) => error,
        };
        self.after(refused)
    }

    fn read(&self, reply: &Reply, body: Option<&Object>, sent: Sent) -> Result<Exchanged, Error> {
        let service = self.service();
        let body = body.ok_or_else(|| refusal::unreadable(service, reply))?;
        let tokens = match service {
            Service::Iam => token::read_iam(body, sent),
            _ => token::read_uaa(body, sent),
        };
        Ok(Exchanged {
            tokens: tokens.map_err(|error| refusal::complete(error, service, reply))?,
            uaa: self.uaa.clone(),
            uaa_asked: self.with_uaa,
            by_refresh: self.is_refresh(),
        })
    }

    fn refusal(&self, reply: &Reply, body: Option<&Object>) -> Error {
        let refreshing = matches!(
            &self.leg,
            Leg::Refresh(_) | Leg::Credential(Credential::RefreshToken(_))
        );
        let secrets = match &self.leg {
            Leg::Refresh(token) => vec![token.expose()],
            Leg::Credential(credential) => credential.secrets(),
        };
        match self.service() {
            Service::Iam => iam::refusal::read(reply, body, refreshing, &secrets),
            _ => uaa::refusal::read(reply, body, refreshing, &secrets),
        }
    }

    fn is_refresh(&self) -> bool {
        matches!(
            &self.leg,
            Leg::Refresh(_) | Leg::Credential(Credential::RefreshToken(_))
        )
    }

    fn service(&self) -> Service {
        if self.options.endpoints.iam.is_some() {
            Service::Iam
        } else {
            Service::Uaa
        }
    }

    /// What follows on a refusal: a refresh token that is refused, or on which the service fails to
    /// the last try, is not the end where the credential can be used again.
    fn after(&mut self, mut error: Error) -> Result<(), Error> {
        if !matches!(self.leg, Leg::Refresh(_)) {
            return Err(error);
        }
        let refused = matches!(error.code, Code::Expired | Code::InvalidCredentials);
        if self.can_sign_in_again && (refused || error.code == Code::ServerError) {
            self.state = State::Done(Ended::SignInAgain);
            return Ok(());
        }
        if refused {
            error.code = Code::Expired;
        }
        Err(error)
    }
}

impl Flow for Exchange {
    fn next(&mut self) -> Option<(RequestId, Request)> {
        let request = match self.state {
            State::Root => self.request(discovery::root_request),
            State::V2Info => self.request(discovery::v2_info_request),
            State::Grant => self.grant_request(),
            State::Waiting | State::Done(_) => return None,
        };
        self.sent = std::mem::replace(&mut self.state, State::Waiting);
        // `start` saw the endpoint, so there is a request.
        Some((0, request.ok()?))
    }

    fn on_result(
        &mut self,
        _id: RequestId,
        result: Result<&Reply, Error>,
        sent: Sent,
    ) -> Result<(), Error> {
        match std::mem::replace(&mut self.sent, State::Waiting) {
            State::Root => match discovery::read_root(result?)? {
                Some(uaa) => {
                    self.uaa = Some(uaa);
                    self.state = State::Grant;
                }
                None => self.state = State::V2Info,
            },
            State::V2Info => {
                self.uaa = Some(discovery::read_v2_info(result?)?);
                self.state = State::Grant;
            }
            State::Grant => self.on_grant(result, sent)?,
            State::Waiting | State::Done(_) => {}
        }
        Ok(())
    }
}

impl Yields for Exchange {
    type Output = Ended;

    fn output(self) -> Option<Ended> {
        match self.state {
            State::Done(ended) => Some(ended),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests;
