//! The page where a person gets a one-time passcode: from IAM's discovery document, or from what a UAA
//! says of its sign-in (`GET {uaa}/login`), found by way of the API root where need be.

use crate::cloud_foundry::discovery;
use crate::endpoint::Endpoint;
use crate::error::Error;
use crate::flow::{Flow, RequestId, Sent, Yields};
use crate::http::{Reply, Request, Service, url};
use crate::json::{Object, Value};
use crate::options::{Options, unavailable};
use crate::refusal::{complete, document, unreadable};
use crate::text::{before, parts};

/// What is asked next, or was asked last.
#[derive(Debug)]
enum Step {
    Iam(Endpoint),
    Root(Endpoint),
    V2Info(Endpoint),
    Uaa(Endpoint),
}

/// The errand; see the module.
#[derive(Debug)]
pub struct FindPasscodePage {
    step: Step,
    asks: bool,
    page: Option<String>,
}

impl FindPasscodePage {
    /// Builds the errand.
    ///
    /// # Errors
    /// `unavailable` if there is no service to sign in at.
    pub fn new(options: &Options) -> Result<Self, Error> {
        let endpoints = &options.endpoints;
        let step = match (&endpoints.iam, &endpoints.uaa, &endpoints.cf) {
            (Some(iam), _, _) => Step::Iam(iam.clone()),
            (_, Some(uaa), _) => Step::Uaa(uaa.clone()),
            (_, _, Some(cf)) => Step::Root(cf.clone()),
            _ => return Err(unavailable("sign-in service", "iam")),
        };
        Ok(Self {
            step,
            asks: true,
            page: None,
        })
    }

    fn ask(&mut self, step: Step) {
        self.step = step;
        self.asks = true;
    }
}

impl Flow for FindPasscodePage {
    fn next(&mut self) -> Option<(RequestId, Request)> {
        if !std::mem::take(&mut self.asks) {
            return None;
        }
        let request = match &self.step {
            Step::Iam(iam) => Request::get(
                Service::Iam,
                url(iam, "/identity/.well-known/openid-configuration", &[]),
            ),
            Step::Root(cf) => discovery::root_request(cf),
            Step::V2Info(cf) => discovery::v2_info_request(cf),
            // It is a web page for whoever does not ask for JSON.
            Step::Uaa(uaa) => Request::get(Service::Uaa, url(uaa, "/login", &[])),
        };
        Some((0, request))
    }

    fn on_result(
        &mut self,
        _id: RequestId,
        result: Result<&Reply, Error>,
        _sent: Sent,
    ) -> Result<(), Error> {
        let reply = result?;
        match &self.step {
            Step::Iam(_) => {
                let body = document(Service::Iam, reply)?;
                let page = body.text("passcode_endpoint");
                let page = page.ok_or_else(|| unreadable(Service::Iam, reply))?;
                let page = Endpoint::discovered("the passcode page", page)
                    .map_err(|error| complete(error, Service::Iam, reply))?;
                self.page = Some(page.as_str().to_owned());
            }
            Step::Root(cf) => match discovery::read_root(reply)? {
                Some(uaa) => self.ask(Step::Uaa(uaa)),
                None => {
                    let cf = cf.clone();
                    self.ask(Step::V2Info(cf));
                }
            },
            Step::V2Info(_) => {
                let uaa = discovery::read_v2_info(reply)?;
                self.ask(Step::Uaa(uaa));
            }
            Step::Uaa(uaa) => {
                let body = document(Service::Uaa, reply)?;
                self.page = Some(page_of(&body, uaa));
            }
        }
        Ok(())
    }
}

impl Yields for FindPasscodePage {
    type Output = Value;

    fn output(self) -> Option<Value> {
        let page = Value::Text(self.page?);
        Some(Object::default().with("page", page).into())
    }
}

/// The address stands in the free text of the prompt alone, and the prompt is left out where no identity
/// provider has a link; the page is there all the same.
fn page_of(body: &Object, uaa: &Endpoint) -> String {
    let prompts = body.object("prompts");
    let prompt = match prompts.and_then(|prompts| prompts.get("passcode")) {
        Some(Value::List(prompt)) => prompt.get(1),
        _ => None,
    };
    let said = match prompt {
        Some(Value::Text(text)) => parts(text, b' ')
            .into_iter()
            .map(|word| before(word, b")\"'<>,"))
            .find_map(|word| Endpoint::discovered("the passcode page", word).ok()),
        _ => None,
    };
    let page = said.unwrap_or_else(|| {
        let links = body.object("links");
        let login = links.and_then(|links| links.text("login"));
        let login = login.and_then(|login| Endpoint::discovered("the sign-in page", login).ok());
        login.as_ref().unwrap_or(uaa).join("/passcode")
    });
    page.as_str().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;
    use crate::flow::testing::{reply, run};
    use crate::json;

    fn found(endpoints: &str, status: u16, body: &str) -> (Result<String, Code>, Vec<String>) {
        let text = format!(r#"{{"endpoints":{{{endpoints}}}}}"#);
        let options = Options::parse(&json::parse_object(text.as_bytes()).unwrap()).unwrap();
        let (page, requests) = run(FindPasscodePage::new(&options).unwrap(), |request| {
            Ok(match request.url.as_str() {
                "https://api.example.test/" => reply(
                    200,
                    r#"{"links":{"uaa":{"href":"https://uaa.example.test"}}}"#,
                ),
                "https://old.example.test/" => reply(404, ""),
                "https://old.example.test/v2/info" => reply(
                    200,
                    r#"{"authorization_endpoint":"https://uaa.example.test"}"#,
                ),
                _ => reply(status, body),
            })
        });
        let page = page.map(|value| match value {
            Value::Object(object) => object.text("page").unwrap().to_owned(),
            other => panic!("{other:?}"),
        });
        let urls = requests.into_iter().map(|request| request.url).collect();
        (page.map_err(|error| error.code), urls)
    }

    fn at(name: &str, address: &str) -> String {
        format!(r#""{name}":{{"raw":"{address}","href":"{address}"}}"#)
    }

    #[test]
    fn iam_names_its_page_on_another_host_of_its_own() {
        let iam = at("iam", "https://iam.example.test");
        let body =
            r#"{"passcode_endpoint":"https://identity-3.iam.example.test/identity/passcode"}"#;
        let (page, urls) = found(&iam, 200, body);
        assert_eq!(
            page,
            Ok("https://identity-3.iam.example.test/identity/passcode".into())
        );
        let asked = "https://iam.example.test/identity/.well-known/openid-configuration";
        assert_eq!(urls, [asked]);
        for (status, body, code) in [
            (200, "<html>", Code::Protocol),
            (200, "{}", Code::Protocol),
            (
                200,
                r#"{"passcode_endpoint":"http://x.test/p"}"#,
                Code::Protocol,
            ),
            (404, "", Code::Protocol),
            (503, "", Code::ServerError),
        ] {
            assert_eq!(found(&iam, status, body).0, Err(code), "{body}");
        }
    }

    #[test]
    fn a_uaa_names_its_page_in_the_text_of_a_prompt_or_has_it_beside_its_sign_in_page() {
        let uaa = at("uaa", "https://uaa.example.test");
        for (body, page) in [
            (
                r#"{"prompts":{"passcode":["password","Temporary Authentication Code ( Get one at https://login.example.test/passcode )"]}}"#,
                "https://login.example.test/passcode",
            ),
            (
                r#"{"prompts":{"passcode":["password","One Time Code (Get one at https://login.example.test/UAALoginServerWAR/passcode)"]}}"#,
                "https://login.example.test/UAALoginServerWAR/passcode",
            ),
            (
                r#"{"prompts":{"passcode":["password","Ask http://x.test/p"]},"links":{"login":"https://login.example.test"}}"#,
                "https://login.example.test/passcode",
            ),
            (
                r#"{"prompts":{"passcode":"x"},"links":{"login":"javascript:alert(1)"}}"#,
                "https://uaa.example.test/passcode",
            ),
            ("{}", "https://uaa.example.test/passcode"),
        ] {
            let (found, urls) = found(&uaa, 200, body);
            assert_eq!(found, Ok(page.into()));
            assert_eq!(urls, ["https://uaa.example.test/login"]);
        }
    }

    #[test]
    fn a_uaa_is_found_by_way_of_the_api_root() {
        for (cf, requests) in [
            ("https://api.example.test", 2),
            ("https://old.example.test", 3),
        ] {
            let (page, urls) = found(&at("cf", cf), 200, "{}");
            assert_eq!(page, Ok("https://uaa.example.test/passcode".into()));
            assert_eq!(urls.len(), requests);
        }
    }

    #[test]
    fn without_a_service_there_is_no_page() {
        let options = json::parse_object(br#"{"endpoints":{"iam":null}}"#).unwrap();
        let options = Options::parse(&options).unwrap();
        let error = FindPasscodePage::new(&options).unwrap_err();
        assert_eq!(error.code, Code::Unavailable);
    }
}
