//! Transport: sends the requests of a [`Flow`] through `fetch`, drives it to its end, and knows no
//! word of IAM or UAA.
//!
//! Nothing that a caller made enters here: the caller's `fetch` and its answer are touched by our own
//! JavaScript (`platform.js`) alone, which hands over a genuine `Response` and the bytes of its body. Its methods never
//! throw synchronously, and what it rejects with is a plain object of ours. A panic inside an async
//! export would never settle its promise, so there is no panic path.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

use gloo_net::http::{Headers, Response};
use js_sys::{Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::error::Error;
use crate::flow::{Flow, RequestId, Sent};
use crate::http::{Failure, Method, Outcome, READ_HEADERS, Reply, Request};
use crate::lease::Instants;
use crate::retry::{is_http_date, next_try};

#[wasm_bindgen]
extern "C" {
    /// What the platform gives to one call; `platform.js` implements it.
    pub(crate) type Io;
    /// One attempt: its signal and its time limit.
    type Attempt;

    #[wasm_bindgen(method)]
    fn wall(this: &Io) -> f64;
    #[wasm_bindgen(method)]
    fn mono(this: &Io) -> f64;
    #[wasm_bindgen(method)]
    fn random(this: &Io) -> f64;
    #[wasm_bindgen(method)]
    fn sleep(this: &Io, ms: f64) -> Promise;
    /// For a service, by its name in events; `resend` is how often the request was sent before.
    #[wasm_bindgen(method)]
    fn attempt(this: &Io, service: &str, resend: u32) -> Attempt;

    /// A request id for this address, empty where none may be sent.
    #[wasm_bindgen(method, js_name = requestId)]
    fn request_id(this: &Attempt, url: &str) -> String;
    /// Resolves to a genuine `Response`, for its status and headers; rejects with a failure.
    #[wasm_bindgen(method)]
    fn fetch(this: &Attempt, url: &str, init: &Object) -> Promise;
    /// Resolves to the bytes of the answer's body; rejects with a failure.
    #[wasm_bindgen(method)]
    fn body(this: &Attempt, max_body: f64) -> Promise;
    /// Stops the clock of the attempt.
    #[wasm_bindgen(method)]
    fn close(this: &Attempt);

    /// Copies bytes into memory of the same length; throws where the source is longer. js-sys asserts
    /// this itself, which would bring a panic, and the formatting of numbers for its message.
    #[wasm_bindgen(catch, js_namespace = ["Uint8Array", "prototype", "set"], js_name = call)]
    fn copy(target: &mut [u8], source: &Uint8Array) -> Result<(), JsValue>;
}

type Ended = (RequestId, Result<Box<Reply>, Error>, Sent);
type UnderWay<'a> = Pin<Box<dyn Future<Output = Ended> + 'a>>;

/// Drives a flow to its end.
pub(crate) async fn run(flow: &mut dyn Flow, io: &Io, retries: u32) -> Result<(), Error> {
    let mut under_way: Vec<UnderWay<'_>> = Vec::new();
    loop {
        while let Some((id, request)) = flow.next() {
            under_way.push(Box::pin(send(io, id, request, retries)));
        }
        if under_way.is_empty() {
            return Ok(());
        }
        let (id, result, sent) = first_of(&mut under_way).await;
        match result {
            Ok(reply) => flow.on_result(id, Ok(&reply), sent)?,
            Err(error) => flow.on_result(id, Err(error), sent)?,
        }
    }
}

/// The first result that is there. At most some handful are under way, so all are asked.
async fn first_of(under_way: &mut Vec<UnderWay<'_>>) -> Ended {
    poll_fn(|context| {
        let mut first = Poll::Pending;
        // `remove` would bring a panic, and the formatting of its message.
        under_way.retain_mut(|future| {
            if first.is_pending() {
                first = future.as_mut().poll(context);
                return first.is_pending();
            }
            true
        });
        first
    })
    .await
}

/// What is known of a request that is sent now.
pub(crate) fn sending(io: &Io) -> Sent {
    Sent {
        at: Instants {
            wall: io.wall(),
            mono: io.mono(),
        },
        random: io.random(),
    }
}

/// Sends one request until an outcome stands; the decision is the core's.
async fn send(io: &Io, id: RequestId, request: Request, retries: u32) -> Ended {
    let mut tries = 0;
    loop {
        let sent = sending(io);
        let attempt = io.attempt(request.service.key(), tries);
        let mut outcome = try_once(&attempt, &request).await;
        attempt.close();
        tries += 1;
        if let Some(ms) = next_try(request.resend, &outcome, tries, retries, io.random()) {
            if JsFuture::from(io.sleep(ms)).await.is_ok() {
                continue;
            }
            outcome = Err(Failure::Aborted);
        }
        let result = outcome.map_err(|failure| failure.to_error(&request));
        return (id, result, sent);
    }
}

async fn try_once(attempt: &Attempt, request: &Request) -> Outcome {
    let sent_id = request.service.correlation_header().and_then(|name| {
        let id = attempt.request_id(&request.url);
        (!id.is_empty()).then_some((name, id))
    });
    let init = init(request, sent_id.as_ref());
    let response = settled(attempt.fetch(&request.url, &init)).await?;
    // Checked in `platform.js`; a value that is none all the same is told, not trusted.
    let response: web_sys::Response = response.dyn_into().map_err(|_| Failure::NotAResponse)?;
    #[allow(clippy::cast_precision_loss)] // bounds lie far below 2^53
    let body = settled(attempt.body(request.max_body as f64)).await?;
    let body = bytes(&body, request.max_body)?;
    let response = Response::from(response);
    let headers = response.headers();
    Ok(Box::new(Reply {
        status: response.status(),
        headers: read_headers(&headers),
        date_ms: date_ms(headers.get("date")),
        retry_date_ms: date_ms(headers.get("retry-after")),
        body,
        sent_id: sent_id.map(|(_, id)| id),
        secrets: request.secrets.clone(),
    }))
}

fn init(request: &Request, sent_id: Option<&(&'static str, String)>) -> Object {
    let headers = Object::new();
    for (name, value) in request.headers.iter().chain(sent_id) {
        set(&headers, name, &value.into());
    }
    let method = match request.method {
        Method::Get => gloo_net::http::Method::GET,
        Method::Post => gloo_net::http::Method::POST,
        Method::Patch => gloo_net::http::Method::PATCH,
        Method::Delete => gloo_net::http::Method::DELETE,
    };
    let init = Object::new();
    set(&init, "method", &method.as_str().into());
    set(&init, "headers", &headers);
    if let Some(body) = &request.body {
        set(&init, "body", &body.into());
    }
    init
}

#[inline(never)]
fn set(object: &Object, name: &str, value: &JsValue) {
    // Setting a property of a plain object of ours does not fail.
    let _ = Reflect::set(object, &name.into(), value);
}

/// A property; `undefined` where there is none.
#[inline(never)]
fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

fn read_headers(headers: &Headers) -> Vec<(&'static str, String)> {
    let mut read = Vec::new();
    for name in READ_HEADERS {
        if let Some(value) = headers.get(name) {
            read.push((name, value));
        }
    }
    read
}

fn date_ms(header: Option<String>) -> Option<f64> {
    let text = header.filter(|text| is_http_date(text))?;
    Some(js_sys::Date::parse(&text)).filter(|ms| ms.is_finite())
}

async fn settled(promise: Promise) -> Result<JsValue, Failure> {
    JsFuture::from(promise)
        .await
        .map_err(|thrown| read_failure(&thrown))
}

fn bytes(body: &JsValue, max_body: usize) -> Result<Vec<u8>, Failure> {
    let source: &Uint8Array = body.dyn_ref().ok_or(Failure::NotAResponse)?;
    let length = source.length() as usize;
    if length > max_body {
        return Err(Failure::TooLarge);
    }
    let mut bytes = vec![0; length];
    copy(&mut bytes, source).map_err(|_| Failure::NotAResponse)?;
    Ok(bytes)
}

/// Reads `{ kind, code, unsent, crossOrigin }`; anything else is a broken connection.
fn read_failure(thrown: &JsValue) -> Failure {
    match get(thrown, "kind").as_string().as_deref() {
        Some("aborted") => Failure::Aborted,
        Some("timeout") => Failure::TimedOut,
        Some("redirect") => Failure::Redirect,
        Some("too_large") => Failure::TooLarge,
        Some("not_a_response") => Failure::NotAResponse,
        _ => Failure::Network {
            code: get(thrown, "code").as_string().unwrap_or_default(),
            unsent: get(thrown, "unsent").is_truthy(),
            cross_origin: get(thrown, "crossOrigin").is_truthy(),
        },
    }
}
