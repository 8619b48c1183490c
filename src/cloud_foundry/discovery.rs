//! What the API root says: `GET {cf}/`, and `GET {cf}/v2/info` on controllers from before it.
//!
//! A password must be posted to a UAA only: a root that names none (Korifi names its own address as
//! `login`) is `unavailable`, before anything secret leaves.

use crate::json::Object;

use crate::endpoint::Endpoint;
use crate::error::{Code, Error};
use crate::http::{Reply, Request, Service, url};
use crate::refusal::{self, complete};

/// Builds the request for the root document; it needs no token.
pub fn root_request(cf: &Endpoint) -> Request {
    Request::get(Service::CloudController, url(cf, "/", &[]))
}

/// Builds the request for the document that older controllers have in its place.
pub fn v2_info_request(cf: &Endpoint) -> Request {
    Request::get(Service::CloudController, url(cf, "/v2/info", &[]))
}

/// Reads the root document and gives the address where this Cloud Foundry signs people in;
/// `None` where there is no such document (404), so that `/v2/info` may have it.
///
/// # Errors
/// `unavailable` where the API names no UAA, `protocol` where it is no Cloud Foundry API or names
/// an address that is not https.
pub fn read_root(reply: &Reply) -> Result<Option<Endpoint>, Error> {
    if reply.status == 404 {
        return Ok(None);
    }
    let body = document(reply)?;
    let Some(links) = body.object("links") else {
        return Err(not_an_api(reply));
    };
    let on_kubernetes = body.is_true("cf_on_k8s");
    let href = |name: &str| links.object(name).and_then(|link| link.text("href"));
    match (on_kubernetes, href("login"), href("uaa")) {
        (false, login, Some(uaa)) => sign_in_address(login.unwrap_or(uaa)).map(Some),
        _ => Err(no_uaa(reply)),
    }
}

/// Reads `/v2/info`; there the sign-in address is `authorization_endpoint`.
///
/// # Errors
/// As [`read_root`].
pub fn read_v2_info(reply: &Reply) -> Result<Endpoint, Error> {
    let body = document(reply)?;
    match body
        .text("authorization_endpoint")
        .or(body.text("token_endpoint"))
    {
        Some(address) => sign_in_address(address),
        None => Err(not_an_api(reply)),
    }
}

fn sign_in_address(text: &str) -> Result<Endpoint, Error> {
    Endpoint::discovered("the sign-in address", text)
}

fn document(reply: &Reply) -> Result<Object, Error> {
    if reply.status == 404 {
        return Err(not_an_api(reply));
    }
    refusal::document(Service::CloudController, reply)
}

fn not_an_api(reply: &Reply) -> Error {
    let error = Error::protocol(
        "the address in endpoints.cf is not that of a Cloud Foundry API",
        "Give the API's address, such as https://api.example.org (cf api prints it).",
    );
    complete(error, Service::CloudController, reply)
}

fn no_uaa(reply: &Reply) -> Error {
    let error = Error::new(
        Code::Unavailable,
        "this Cloud Foundry names no UAA to sign in at",
        "On Kubernetes people sign in to it by Kubernetes' own means; where there is a UAA after \
         all, name it in endpoints.uaa.",
    );
    complete(error, Service::CloudController, reply)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::testing::reply;

    fn root(text: &str) -> Result<Option<String>, Code> {
        read_root(&reply(200, text))
            .map(|found| found.map(|endpoint| endpoint.as_str().to_owned()))
            .map_err(|error| error.code)
    }

    #[test]
    fn the_sign_in_address_is_login_else_uaa() {
        let both = r#"{"links":{"login":{"href":"https://login.example.test/"},"uaa":{"href":"https://uaa.example.test"},"credhub":null}}"#;
        assert_eq!(root(both), Ok(Some("https://login.example.test".into())));
        let uaa = r#"{"links":{"uaa":{"href":"https://uaa.example.test"}}}"#;
        assert_eq!(root(uaa), Ok(Some("https://uaa.example.test".into())));
    }

    #[test]
    fn a_root_without_a_uaa_gets_no_password() {
        let korifi = r#"{"links":{"login":{"href":"https://api.example.test","meta":{"version":""}},"uaa":{"meta":{"version":""}},"app_ssh":null},"cf_on_k8s":true}"#;
        assert_eq!(root(korifi), Err(Code::Unavailable));
        let login = r#"{"links":{"login":{"href":"https://login.example.test"},"uaa":null}}"#;
        assert_eq!(root(login), Err(Code::Unavailable));
        let both = r#"{"links":{"uaa":{"href":"https://uaa.example.test"}},"cf_on_k8s":true}"#;
        assert_eq!(root(both), Err(Code::Unavailable));
    }

    #[test]
    fn a_sign_in_address_that_is_not_https_is_protocol_but_on_loopback() {
        let at = |href: &str| root(&format!(r#"{{"links":{{"uaa":{{"href":"{href}"}}}}}}"#));
        assert_eq!(at("http://login.example.test"), Err(Code::Protocol));
        assert_eq!(
            at("http://127.0.0.1:8080/uaa"),
            Ok(Some("http://127.0.0.1:8080/uaa".into()))
        );
        assert_eq!(at("https://user@login.example.test"), Err(Code::Protocol));
    }

    #[test]
    fn what_is_no_api_is_protocol_and_a_404_falls_back_to_v2_info() {
        assert_eq!(root("<html>"), Err(Code::Protocol));
        assert_eq!(root(r#"{"hello":1}"#), Err(Code::Protocol));
        assert!(
            read_root(&reply(404, "404 Not Found: Requested route"))
                .unwrap()
                .is_none()
        );
        assert_eq!(
            read_v2_info(&reply(404, "404")).unwrap_err().code,
            Code::Protocol
        );
        let info = r#"{"authorization_endpoint":"https://iam.example.test/cloudfoundry/login/us-south","token_endpoint":"https://uaa.example.test","api_version":"2.148.0"}"#;
        assert_eq!(
            read_v2_info(&reply(200, info)).unwrap().as_str(),
            "https://iam.example.test/cloudfoundry/login/us-south"
        );
    }
}
