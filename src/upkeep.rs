//! What a login may ask of its services beside tokens: a passcode for elsewhere, a word that it is
//! still in use, and to be forgotten.

use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::flow::{Flow, RequestId, Sent, Yields};
use crate::http::{Method, Reply, Request, Resend, Service, basic, encode_component, url};
use crate::json::{self, Object, Value};
use crate::options::{Options, unavailable};
use crate::refusal::unreadable;
use crate::secret::{AccessToken, RefreshToken};
use crate::text::text;
use crate::{iam, jwt};

/// Gets a one-time passcode of the user: `POST {iam}/identity/passcode`.
#[derive(Debug)]
pub struct GetPasscode {
    request: Option<Request>,
    passcode: Option<String>,
}

impl GetPasscode {
    /// Builds the errand.
    ///
    /// # Errors
    /// `unavailable` without an IAM.
    pub fn new(options: &Options, token: &RefreshToken) -> Result<Self, Error> {
        let Some(iam) = &options.endpoints.iam else {
            return Err(unavailable("IAM", "iam"));
        };
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", token.expose()),
            ("response_type", "cloud_iam"),
        ];
        let url = url(iam, "/identity/passcode", &[]);
        let request = Request::post_form(Service::Iam, url, &form, Resend::Safe);
        let request = request.with_header("Authorization", client(options));
        Ok(Self {
            request: Some(request),
            passcode: None,
        })
    }
}

impl Flow for GetPasscode {
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
        let body = json::parse_object(&reply.body);
        if !reply.is_success() {
            return Err(iam::refusal::read(reply, body.as_ref(), true));
        }
        let passcode = body.as_ref().and_then(|body| body.text("passcode"));
        match passcode {
            Some(passcode) => self.passcode = Some(passcode.to_owned()),
            None => return Err(unreadable(Service::Iam, reply)),
        }
        Ok(())
    }
}

impl Yields for GetPasscode {
    type Output = Value;

    fn output(self) -> Option<Value> {
        let passcode = Value::Text(self.passcode?);
        Some(Object::default().with("passcode", passcode).into())
    }
}

/// Requests whose failure is nobody's trouble; counts those that the service took.
#[derive(Debug)]
pub struct Notes {
    /// The last one is sent first, and the next one when its result is in: an access token must not be
    /// revoked before what it speaks for.
    requests: Vec<Request>,
    is_waiting: bool,
    taken: u32,
}

impl Notes {
    /// Tells IAM that a login is in use: `PATCH {iam}/v1/sessions/{session_id}/state`. Nothing is sent for
    /// a token that names no session.
    pub fn keep_alive(options: &Options, token: &AccessToken) -> Self {
        let claims = jwt::claims(token.expose());
        let session = claims.as_ref().and_then(|claims| claims.text("session_id"));
        let request = session
            .zip(options.endpoints.iam.as_ref())
            .map(|(session, iam)| {
                let path = text!("/v1/sessions/", encode_component(session), "/state");
                let mut request = Request::get(Service::Iam, url(iam, &path, &[]));
                request.method = Method::Patch;
                request.with_header("Authorization", client(options))
            });
        Self {
            requests: request.into_iter().collect(),
            is_waiting: false,
            taken: 0,
        }
    }

    /// Revokes what can be: IAM's refresh token (RFC 7009), and at a UAA each token that it stores, by
    /// its id (a JWT that it does not store stays good until it ends).
    ///
    /// `tokens` is `{ iam?, uaa? }` as the wrapper holds them.
    pub fn revoke(options: &Options, uaa: Option<&Endpoint>, tokens: &Object) -> Self {
        let mut requests = Vec::new();
        let of = |kind: &str, name: &str| tokens.object(kind).and_then(|set| set.text(name));
        if let Some((iam, token)) = options
            .endpoints
            .iam
            .as_ref()
            .zip(of("iam", "refreshToken"))
        {
            let form = [("token", token), ("token_type_hint", "refresh_token")];
            let url = url(iam, "/identity/revoke", &[]);
            let request = Request::post_form(Service::Iam, url, &form, Resend::Safe);
            requests.push(request.with_header("Authorization", client(options)));
        }
        let bearer = of("uaa", "accessToken").and_then(AccessToken::from_answer);
        if let Some((uaa, bearer)) = uaa.zip(bearer) {
            // The refresh token first: the access token speaks for it.
            for token in [of("uaa", "refreshToken"), of("uaa", "accessToken")]
                .into_iter()
                .flatten()
            {
                if let Some(id) = stored_id(token) {
                    let path = text!("/oauth/token/revoke/", encode_component(&id));
                    let mut request = Request::get(Service::Uaa, url(uaa, &path, &[]));
                    request.method = Method::Delete;
                    requests.push(request.with_bearer(&bearer));
                }
            }
        }
        requests.reverse();
        Self {
            requests,
            is_waiting: false,
            taken: 0,
        }
    }
}

/// The id by which UAA stores a token: an opaque one itself, a JWT's `jti` where it says `revocable`.
fn stored_id(token: &str) -> Option<String> {
    match jwt::claims(token) {
        Some(claims) if claims.is_true("revocable") => claims.text("jti").map(str::to_owned),
        Some(_) => None,
        None => Some(token.to_owned()),
    }
}

/// The client that got the tokens; IAM's public one where the caller named none.
fn client(options: &Options) -> String {
    match &options.client {
        Some(client) => basic(
            &client.id,
            client.secret.as_ref().map_or("", |secret| secret.expose()),
        ),
        None => basic("bx", "bx"),
    }
}

impl Flow for Notes {
    fn next(&mut self) -> Option<(RequestId, Request)> {
        if self.is_waiting {
            return None;
        }
        let request = self.requests.pop()?;
        self.is_waiting = true;
        Some((0, request))
    }

    fn on_result(
        &mut self,
        _id: RequestId,
        result: Result<&Reply, Error>,
        _sent: Sent,
    ) -> Result<(), Error> {
        self.is_waiting = false;
        self.taken += u32::from(result.is_ok_and(Reply::is_success));
        Ok(())
    }
}

impl Yields for Notes {
    type Output = Value;

    fn output(self) -> Option<Value> {
        Some(
            Object::default()
                .with("taken", f64::from(self.taken).into())
                .into(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::testing::{reply, run};
    use crate::jwt::tests::jwt;

    const BOTH: &str = r#"{"endpoints":{"iam":{"raw":"https://iam.example.test","href":"https://iam.example.test"},
        "uaa":{"raw":"https://uaa.example.test","href":"https://uaa.example.test"}}}"#;

    fn options() -> Options {
        Options::parse(&json::parse_object(BOTH.as_bytes()).unwrap()).unwrap()
    }

    fn tokens(text: &str) -> Object {
        json::parse_object(text.as_bytes()).unwrap()
    }

    #[test]
    fn a_passcode_is_got_by_the_refresh_token() {
        let token = RefreshToken::from_answer("R").unwrap();
        let flow = GetPasscode::new(&options(), &token).unwrap();
        let (value, requests) = run(flow, |_| Ok(reply(200, r#"{"passcode":"P"}"#)));
        assert!(
            matches!(value.unwrap(), Value::Object(body) if body.text("passcode") == Some("P"))
        );
        assert_eq!(
            requests[0].url,
            "https://iam.example.test/identity/passcode"
        );
        let body = requests[0].body.as_deref();
        assert_eq!(
            body,
            Some("grant_type=refresh_token&refresh_token=R&response_type=cloud_iam")
        );
        let flow = GetPasscode::new(&options(), &token).unwrap();
        let refused = r#"{"errorCode":"BXNIM0408E","errorMessage":"m"}"#;
        assert_eq!(
            run(flow, |_| Ok(reply(400, refused)))
                .0
                .unwrap_err()
                .code
                .as_str(),
            "expired"
        );
    }

    #[test]
    fn what_can_be_revoked_is_revoked_one_after_the_other_whatever_fails() {
        let stored = jwt(r#"{"jti":"J/1","revocable":true}"#);
        let plain = jwt(r#"{"jti":"J2"}"#);
        let text = format!(
            r#"{{"iam":{{"accessToken":"A","refreshToken":"R"}},
                "uaa":{{"accessToken":"{stored}","refreshToken":"0a-r"}}}}"#
        );
        let uaa = options().endpoints.uaa;
        let flow = Notes::revoke(&options(), uaa.as_ref(), &tokens(&text));
        let (value, requests) = run(flow, |request| {
            Ok(reply(
                if request.url.ends_with("0a-r") {
                    403
                } else {
                    200
                },
                "",
            ))
        });
        let urls: Vec<&str> = requests
            .iter()
            .map(|request| request.url.as_str())
            .collect();
        assert_eq!(
            urls,
            [
                "https://iam.example.test/identity/revoke",
                "https://uaa.example.test/oauth/token/revoke/0a-r",
                "https://uaa.example.test/oauth/token/revoke/J%2F1",
            ]
        );
        assert!(matches!(value.unwrap(), Value::Object(body) if body.number("taken") == Some(2.0)));
        let text = format!(r#"{{"uaa":{{"accessToken":"{plain}"}}}}"#);
        let flow = Notes::revoke(&options(), uaa.as_ref(), &tokens(&text));
        assert!(
            run(flow, |_| Ok(reply(200, ""))).1.is_empty(),
            "a JWT that is not stored"
        );
    }

    #[test]
    fn a_login_is_kept_alive_by_its_session() {
        let token = AccessToken::from_answer(&jwt(r#"{"session_id":"C-1"}"#)).unwrap();
        let (_, requests) = run(Notes::keep_alive(&options(), &token), |_| {
            Ok(reply(204, ""))
        });
        assert_eq!(
            requests[0].url,
            "https://iam.example.test/v1/sessions/C-1/state"
        );
        assert_eq!(requests[0].method, Method::Patch);
        let none = AccessToken::from_answer("opaque").unwrap();
        assert!(
            run(Notes::keep_alive(&options(), &none), |_| Ok(reply(204, "")))
                .1
                .is_empty()
        );
    }
}
