//! The exchange of a credential for tokens, with what may come before and after its one request:
//! discovery of the UAA, a refresh token tried first, IAM asked again without a UAA token, a trusted
//! profile assumed.

use crate::json::Object;

use crate::cloud_foundry::discovery;
use crate::credential::{Credential, SignIn};
use crate::endpoint::Endpoint;
use crate::error::{Code, Error};
use crate::flow::{Flow, RequestId, Sent, Yields};
use crate::http::{Reply, Request, Service};
use crate::options::Options;
use crate::profile::Profile;
use crate::secret::{AccessToken, RefreshToken};
use crate::token::{self, TokenSet, Tokens};
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
    /// The answer's `Date`, in milliseconds since the epoch.
    pub server_ms: Option<f64>,
    /// When the request was sent, by the wall clock.
    pub sent_wall: f64,
    /// Whether the tokens are the caller's own: never revoked.
    pub is_given: bool,
}

/// What is asked next, or was asked last.
#[derive(Clone, Copy, Debug)]
enum Step {
    Root,
    V2Info,
    Grant,
    Assume,
}

/// The errand; see the module.
#[derive(Debug)]
pub struct Exchange {
    options: Options,
    /// What is exchanged; a refresh token where this renews.
    credential: Credential,
    /// Whether the refresh token is one that an earlier exchange brought.
    renews: bool,
    /// Whether a refused refresh token is not the end.
    can_sign_in_again: bool,
    uaa: Option<Endpoint>,
    with_uaa: bool,
    /// Whom the identity that signed in becomes.
    assume: Option<Profile>,
    /// What it brought itself.
    identity: Option<Box<Exchanged>>,
    step: Step,
    /// Whether the request of the step is still to be sent.
    asks: bool,
    done: Option<Ended>,
}

impl Exchange {
    /// Exchanges a credential. `known_uaa` is what an earlier exchange discovered.
    ///
    /// # Errors
    /// `unavailable` if there is no service to sign in at, `invalid_input` if the credential does not
    /// fit it.
    pub fn new(
        sign_in: SignIn,
        options: Options,
        known_uaa: Option<Endpoint>,
        now: Sent,
    ) -> Result<Self, Error> {
        let SignIn { credential, assume } = sign_in;
        if let Credential::Given { iam, uaa } = credential {
            return Self::given(iam, uaa, assume, options, now);
        }
        Self::start(credential, assume, options, known_uaa)
    }

    /// Takes tokens as they are: nothing is sent, but to assume a profile.
    fn given(
        iam: Option<AccessToken>,
        uaa: Option<AccessToken>,
        assume: Option<Profile>,
        options: Options,
        now: Sent,
    ) -> Result<Self, Error> {
        let assumes = assume.is_some();
        let set = |token: &Option<AccessToken>| Some(token::given(token.clone()?, now));
        let exchanged = Box::new(Exchanged {
            tokens: Tokens {
                iam: set(&iam),
                uaa: set(&uaa),
            },
            uaa: None,
            uaa_asked: options.uaa,
            by_refresh: false,
            server_ms: None,
            sent_wall: now.at.wall,
            is_given: true,
        });
        let ended = |set: &TokenSet| set.lease.end.left_at(now.at) <= 0.0;
        let credential = Credential::Given { iam, uaa };
        let mut flow = Self::at(Step::Assume, credential, assume, options, None);
        if !assumes {
            flow.asks = false;
            flow.done = Some(Ended::Tokens(exchanged));
            return Ok(flow);
        }
        match &exchanged.tokens.iam {
            None => Err(Error::invalid_input(
                "assume wants an IAM token, and none is given",
                "Give iamToken.",
            )),
            Some(identity) if ended(identity) => Err(Error::new(
                Code::Expired,
                "the given token has ended",
                "Give a new one, or a function that does.",
            )),
            Some(_) => {
                check_iam(flow.options.endpoints.iam.as_ref())?;
                flow.identity = Some(exchanged);
                Ok(flow)
            }
        }
    }

    /// Renews by a refresh token. Where it is refused, or the service fails on it to the last try, the
    /// errand ends with [`Ended::SignInAgain`], if the caller still has a credential to exchange.
    ///
    /// # Errors
    /// As [`Exchange::new`].
    pub fn renew(
        token: RefreshToken,
        assume: Option<Profile>,
        can_sign_in_again: bool,
        options: Options,
        known_uaa: Option<Endpoint>,
    ) -> Result<Self, Error> {
        let credential = Credential::RefreshToken(token);
        let mut renewal = Self::start(credential, assume, options, known_uaa)?;
        renewal.renews = true;
        renewal.can_sign_in_again = can_sign_in_again;
        Ok(renewal)
    }

    fn start(
        credential: Credential,
        assume: Option<Profile>,
        options: Options,
        known_uaa: Option<Endpoint>,
    ) -> Result<Self, Error> {
        let endpoints = &options.endpoints;
        credential.check_service(endpoints.iam.is_some())?;
        credential.check_options(&options)?;
        if assume.is_some() {
            check_iam(endpoints.iam.as_ref())?;
        }
        let uaa = endpoints.uaa.clone().or(known_uaa);
        let step = if endpoints.iam.is_some() || uaa.is_some() {
            Step::Grant
        } else if endpoints.cf.is_some() {
            Step::Root
        } else {
            return Err(Error::new(
                Code::Unavailable,
                "there is no service to sign in at",
                "Name one in the option endpoints: iam, or the cf or uaa of a Cloud Foundry.",
            ));
        };
        Ok(Self::at(step, credential, assume, options, uaa))
    }

    fn at(
        step: Step,
        credential: Credential,
        assume: Option<Profile>,
        options: Options,
        uaa: Option<Endpoint>,
    ) -> Self {
        Self {
            // A profile has no UAA token, and that of the identity speaks for somebody else.
            with_uaa: options.uaa && assume.is_none(),
            assume,
            identity: None,
            options,
            credential,
            renews: false,
            can_sign_in_again: false,
            uaa,
            step,
            asks: true,
            done: None,
        }
    }

    fn ask(&mut self, step: Step) {
        self.step = step;
        self.asks = true;
    }

    fn request(&self) -> Option<Request> {
        let options = &self.options;
        let endpoints = &options.endpoints;
        match self.step {
            Step::Root => endpoints.cf.as_ref().map(discovery::root_request),
            Step::V2Info => endpoints.cf.as_ref().map(discovery::v2_info_request),
            Step::Grant => match &endpoints.iam {
                Some(iam) => {
                    let (credential, with_uaa) = (&self.credential, self.with_uaa);
                    Some(iam::grant::request(iam, credential, options, with_uaa))
                }
                None => {
                    let uaa = self.uaa.as_ref()?;
                    Some(uaa::grant::request(uaa, &self.credential, options))
                }
            },
            Step::Assume => {
                let iam = endpoints.iam.as_ref()?;
                let identity = &self.identity.as_ref()?.tokens.iam.as_ref()?.access_token;
                Some(iam::grant::assume_request(
                    iam,
                    identity,
                    self.assume.as_ref()?,
                ))
            }
        }
    }

    fn on_grant(&mut self, result: Result<&Reply, Error>, sent: Sent) -> Result<(), Error> {
        let refused = match result {
            Ok(reply) => {
                let body = json::parse_object(&reply.body);
                if token::is_success(reply, body.as_ref()) {
                    let exchanged = Box::new(self.read(reply, body.as_ref(), sent)?);
                    if self.assume.is_some() {
                        self.identity = Some(exchanged);
                        self.ask(Step::Assume);
                    } else {
                        self.done = Some(Ended::Tokens(exchanged));
                    }
                    return Ok(());
                }
                if self.with_uaa && iam::refusal::is_about_response_type(reply, body.as_ref()) {
                    // The user asked for Cloud Foundry, not for this parameter: once more without.
                    self.with_uaa = false;
                    self.ask(Step::Grant);
                    return Ok(());
                }
                // Nobody is locked out by it: a client has no count of failures.
                if reply.status == 401 && self.credential.moves_to_form() {
                    self.ask(Step::Grant);
                    return Ok(());
                }
                let refusal = match self.service() {
                    Service::Iam => iam::refusal::read,
                    _ => uaa::refusal::read,
                };
                refusal(reply, body.as_ref(), self.is_refresh())
            }
            Err(error) => error,
        };
        self.after(refused)
    }

    /// The profile's token; what renews it is what renews the identity's.
    fn on_assume(&mut self, reply: &Reply, sent: Sent) -> Result<(), Error> {
        let body = json::parse_object(&reply.body);
        if !token::is_success(reply, body.as_ref()) {
            return Err(iam::refusal::read(reply, body.as_ref(), false));
        }
        let mut assumed = self.read(reply, body.as_ref(), sent)?;
        let identity = self.identity.take();
        if let Some(set) = &mut assumed.tokens.iam {
            set.refresh_token = identity
                .and_then(|identity| identity.tokens.iam)
                .and_then(|set| set.refresh_token);
        }
        assumed.tokens.uaa = None;
        assumed.is_given = matches!(self.credential, Credential::Given { .. });
        self.done = Some(Ended::Tokens(Box::new(assumed)));
        Ok(())
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
            server_ms: reply.date_ms,
            sent_wall: sent.at.wall,
            is_given: false,
        })
    }

    fn is_refresh(&self) -> bool {
        matches!(self.credential, Credential::RefreshToken(_))
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
        if !self.renews {
            return Err(error);
        }
        let refused = matches!(error.code, Code::Expired | Code::InvalidCredentials);
        if self.can_sign_in_again && (refused || error.code == Code::ServerError) {
            self.done = Some(Ended::SignInAgain);
            return Ok(());
        }
        if refused {
            error.code = Code::Expired;
        }
        Err(error)
    }
}

fn check_iam(iam: Option<&Endpoint>) -> Result<(), Error> {
    match iam {
        Some(_) => Ok(()),
        None => Err(Error::invalid_input(
            "assume belongs to IAM, and this login goes to a UAA",
            "Name an IAM in endpoints.iam.",
        )),
    }
}

impl Flow for Exchange {
    fn next(&mut self) -> Option<(RequestId, Request)> {
        if !std::mem::take(&mut self.asks) {
            return None;
        }
        // `start` saw the endpoint, so there is a request.
        Some((0, self.request()?))
    }

    fn on_result(
        &mut self,
        _id: RequestId,
        result: Result<&Reply, Error>,
        sent: Sent,
    ) -> Result<(), Error> {
        let discovered = match self.step {
            Step::Root => discovery::read_root(result?)?,
            Step::V2Info => Some(discovery::read_v2_info(result?)?),
            Step::Grant => return self.on_grant(result, sent),
            Step::Assume => return self.on_assume(result?, sent),
        };
        if discovered.is_some() {
            self.uaa = discovered;
            self.ask(Step::Grant);
        } else {
            self.ask(Step::V2Info);
        }
        Ok(())
    }
}

impl Yields for Exchange {
    type Output = Ended;

    fn output(self) -> Option<Ended> {
        self.done
    }
}

#[cfg(test)]
mod tests;
