use super::*;
use crate::flow::testing::{reply, run};
use crate::target::parse_crn;

fn options(text: &str) -> Options {
    Options::parse(&json::parse_object(text.as_bytes()).unwrap()).unwrap()
}

fn instance(host: Option<&str>) -> Target {
    let mut instance = parse_crn("crn:v1:bluemix:public:kms:eu-de:a/1:I1::").unwrap();
    instance.host = host.map(str::to_owned);
    Target::Instance(instance)
}

fn target(text: &str) -> Target {
    Target::parse(json::parse(text.as_bytes()).as_ref()).unwrap()
}

const SPACE: &str = r#"{"org":{"guid":"O1"},"space":{"guid":"S1"}}"#;

fn host(options_text: &str, target: &Target) -> Result<String, Code> {
    base(&options(options_text), target)
        .map(|endpoint| endpoint.as_str().to_owned())
        .map_err(|error| error.code)
}

#[test]
fn the_host_follows_the_instances_region() {
    assert_eq!(
        host("{}", &instance(None)),
        Ok("https://eu-de.kms.cloud.ibm.com".into())
    );
    let by_guid = target(r#"{"instance":{"guid":"I1"}}"#);
    assert_eq!(
        host("{}", &by_guid),
        Ok("https://us-south.kms.cloud.ibm.com".into())
    );
    assert_eq!(
        host(r#"{"region":"eu-xx"}"#, &by_guid),
        Ok("https://eu-xx.kms.cloud.ibm.com".into())
    );
    assert_eq!(
        host(r#"{"region":"us-south"}"#, &instance(None)),
        Err(Code::InvalidInput)
    );
    assert_eq!(
        host(r#"{"endpoints":"private"}"#, &instance(None)),
        Ok("https://private.eu-de.kms.cloud.ibm.com".into())
    );
}

#[test]
fn a_dedicated_instance_is_called_at_its_own_host_if_that_is_ibms() {
    let own = "fadedbee-0000-4000-8000-000000000001.api.us-south.kms.appdomain.cloud";
    assert_eq!(
        host("{}", &instance(Some(own))),
        Ok(format!("https://{own}"))
    );
    for foreign in [
        "evil.example.test",
        "kms.appdomain.cloud.evil.test",
        "http://x.cloud.ibm.com",
    ] {
        assert_eq!(
            host("{}", &instance(Some(foreign))),
            Err(Code::Protocol),
            "{foreign}"
        );
    }
}

#[test]
fn a_foreign_iam_has_no_key_protect_until_it_is_named() {
    let foreign = r#"{"endpoints":{"iam":{"raw":"https://iam.example.test","href":"https://iam.example.test"}}}"#;
    assert_eq!(host(foreign, &instance(None)), Err(Code::Unavailable));
}

#[test]
fn headers_are_those_of_the_target() {
    assert_eq!(
        headers(&instance(None)),
        [("Bluemix-Instance", "I1".to_owned())]
    );
    let space = [
        ("Bluemix-Org", "O1".to_owned()),
        ("Bluemix-Space", "S1".to_owned()),
    ];
    assert_eq!(headers(&target(SPACE)), space);
    assert_eq!(headers(&Target::None), []);
}

fn list(limit: Option<u32>, status: u16, body: &str) -> (Result<KeyPage, Error>, Vec<Request>) {
    let token = AccessToken::from_answer("SENTINEL").unwrap();
    let flow = ListKeys::new(&options("{}"), &instance(None), &token, limit, 40).unwrap();
    run(flow, |_| Ok(reply(status, body)))
}

#[test]
fn a_page_of_keys_is_asked_for_and_passed_on_as_it_is() {
    let body = r#"{"metadata":{"collectionTotal":1},"resources":[{"id":"k1","x":1.50}]}"#;
    let (page, requests) = list(Some(1), 200, body);
    assert_eq!(
        page.unwrap(),
        KeyPage {
            text: body.into(),
            count: 1,
            more: true
        }
    );
    assert_eq!(
        requests[0].url,
        "https://eu-de.kms.cloud.ibm.com/api/v2/keys?limit=1&offset=40"
    );
    assert!(
        requests[0]
            .headers
            .contains(&("Bluemix-Instance", "I1".to_owned()))
    );
    let empty = list(None, 200, r#"{"metadata":{"collectionTotal":0}}"#)
        .0
        .unwrap();
    assert_eq!((empty.count, empty.more), (0, false));
    assert!(
        list(None, 200, "{\"resources\":[{\"description\":\"a\tb\"}]}")
            .0
            .is_ok()
    );
}

#[test]
fn keys_need_an_instance_or_a_space() {
    let token = AccessToken::from_answer("T").unwrap();
    for target in [Target::None, target(r#"{"org":{"guid":"O1"}}"#)] {
        let error = ListKeys::new(&options("{}"), &target, &token, None, 0).unwrap_err();
        assert_eq!(error.code, Code::InvalidInput);
    }
    assert!(ListKeys::new(&options("{}"), &target(SPACE), &token, None, 0).is_ok());
}

#[test]
fn refusals_are_read_from_key_protects_envelope() {
    let said = |reason: &str| {
        format!(
            r#"{{"metadata":{{}},"resources":[{{"errorMsg":"Unauthorized: no","reasons":[{{"code":"{reason}"}}]}}]}}"#
        )
    };
    for (status, reason, want) in [
        (401, "UNAUTHORIZED_ERR", Code::Forbidden),
        (403, "RESOURCE_OWNER_ERR", Code::Forbidden),
        (400, "BEARER_SUB_EXTRACTION_ERR", Code::InvalidCredentials),
        (400, "INVALID_FIELD_ERR", Code::InvalidInput),
        (404, "X", Code::NotFound),
        (409, "X", Code::Protocol),
        (429, "X", Code::RateLimited),
        (500, "INCOMPLETE_METADATA_ERR", Code::ServerError),
    ] {
        let error = list(None, status, &said(reason)).0.unwrap_err();
        assert_eq!(
            (error.code, error.service_code.as_deref()),
            (want, Some(reason))
        );
    }
    let bare = r#"{"resources":[{"errorMsg":"Unauthorized: The user does not have access"}]}"#;
    let error = list(None, 401, bare).0.unwrap_err();
    assert!(error.code == Code::Forbidden && error.hint.contains("region"));
    assert_eq!(
        list(None, 431, "<html>").0.unwrap_err().code,
        Code::Protocol
    );
    assert_eq!(
        list(None, 200, r#"{"resources":{}}"#).0.unwrap_err().code,
        Code::Protocol
    );
}
