use super::*;
use crate::json;

/// A text where an address belongs stands for `{ raw, href }` of the same text.
fn parse(text: &str) -> Result<Options, Error> {
    let given = json::parse_object(text.as_bytes()).unwrap();
    let mut object = Object::default();
    for name in given.names() {
        let value = match given.get(name) {
            Some(Value::Object(endpoints)) if name == "endpoints" => addresses(endpoints).into(),
            Some(value) => value.clone(),
            None => Value::Null,
        };
        object = object.with(name, value);
    }
    Options::parse(&object)
}

fn addresses(endpoints: &Object) -> Object {
    endpoints
        .names()
        .into_iter()
        .fold(Object::default(), |all, name| {
            let value = match endpoints.text(name) {
                Some(text) => {
                    let both = Object::default()
                        .with("raw", text.into())
                        .with("href", text.into());
                    Value::from(both)
                }
                None => endpoints.get(name).cloned().unwrap(),
            };
            all.with(name, value)
        })
}

fn shown(endpoint: &Option<Endpoint>) -> Option<&str> {
    endpoint.as_ref().map(Endpoint::as_str)
}

#[test]
fn the_default_is_ibm_cloud_without_cloud_foundry() {
    let options = parse("{}").unwrap();
    assert_eq!(
        shown(&options.endpoints.iam),
        Some("https://iam.cloud.ibm.com")
    );
    assert_eq!(
        shown(&options.endpoints.resource_controller),
        Some("https://resource-controller.cloud.ibm.com")
    );
    assert_eq!(shown(&options.endpoints.cf), None);
    assert!(options.endpoints.ibm_key_protect && !options.uaa);
    assert_eq!((options.timeout_ms, options.retries), (30_000.0, 3));
}

#[test]
fn private_takes_the_regions_own_iam_where_there_is_one() {
    let iam = |text| shown(&parse(text).unwrap().endpoints.iam).map(str::to_owned);
    assert_eq!(
        iam(r#"{"endpoints":"private"}"#).as_deref(),
        Some("https://private.us-south.iam.cloud.ibm.com")
    );
    assert_eq!(
        iam(r#"{"endpoints":"private","region":"eu-de"}"#).as_deref(),
        Some("https://private.iam.cloud.ibm.com")
    );
}

#[test]
fn one_base_lays_out_all_services() {
    let options = parse(r#"{"endpoints":{"base":"http://127.0.0.1:9/"}}"#).unwrap();
    assert_eq!(
        shown(&options.endpoints.iam),
        Some("http://127.0.0.1:9/iam")
    );
    assert_eq!(
        shown(&options.endpoints.key_protect),
        Some("http://127.0.0.1:9/kp")
    );
    assert!(options.uaa);
    let without = parse(r#"{"endpoints":{"base":"http://127.0.0.1:9/","iam":null}}"#).unwrap();
    assert_eq!(shown(&without.endpoints.iam), None);
    assert!(!without.uaa);
}

#[test]
fn a_secret_never_reaches_another_company() {
    let plain = parse(r#"{"endpoints":{"cf":"https://api.example.test"}}"#).unwrap();
    assert_eq!(shown(&plain.endpoints.iam), None);
    assert_eq!(shown(&plain.endpoints.resource_controller), None);
    assert!(!plain.endpoints.ibm_key_protect && !plain.uaa);
    let foreign = parse(r#"{"endpoints":{"iam":"https://iam.example.test"}}"#).unwrap();
    assert_eq!(shown(&foreign.endpoints.resource_controller), None);
    assert!(!foreign.endpoints.ibm_key_protect);
    let both =
        r#"{"endpoints":{"iam":"https://iam.test.cloud.ibm.com","cf":"https://cf.example.test"}}"#;
    let both = parse(both).unwrap();
    assert!(both.uaa && both.endpoints.ibm_key_protect);
}

#[test]
fn what_users_paste_at_the_end_of_an_address_is_taken_off() {
    for end in [
        "/identity/token",
        "/identity",
        "/",
        "",
        "/oidc/token",
        "/identity/token/",
    ] {
        let text = format!(r#"{{"endpoints":{{"iam":"https://iam.example.test{end}"}}}}"#);
        let options = parse(&text).unwrap();
        assert_eq!(
            shown(&options.endpoints.iam),
            Some("https://iam.example.test"),
            "{end}"
        );
    }
    let kp = parse(r#"{"endpoints":{"keyProtect":"https://h.cloud.ibm.com/api/v2/"}}"#).unwrap();
    assert_eq!(
        shown(&kp.endpoints.key_protect),
        Some("https://h.cloud.ibm.com")
    );
}

#[test]
fn values_of_the_wrong_kind_are_invalid_input() {
    for text in [
        r#"{"region":5}"#,
        r#"{"region":"us-south.evil.example"}"#,
        r#"{"region":""}"#,
        r#"{"endpoints":5}"#,
        r#"{"endpoints":"public"}"#,
        r#"{"endpoints":{"kp":"https://h"}}"#,
        r#"{"endpoints":{"iam":"nonsense"}}"#,
        r#"{"endpoints":{"iam":5}}"#,
        r#"{"uaa":"yes"}"#,
        r#"{"account":""}"#,
        r#"{"client":"cf"}"#,
        r#"{"client":{"clientId":""}}"#,
        r#"{"client":{"clientId":"a","secret":"b"}}"#,
        r#"{"timeoutMs":0}"#,
        r#"{"timeoutMs":null}"#,
        r#"{"retries":-1}"#,
    ] {
        assert_eq!(parse(text).unwrap_err().code, Code::InvalidInput, "{text}");
    }
}

#[test]
fn a_stranger_among_option_names_is_named() {
    let error = check_names(&["region", "regoin"], &["region", "uaa"]).unwrap_err();
    assert!(error.message.contains("regoin") && error.hint.contains("region, uaa"));
}

#[test]
fn a_client_may_be_public_or_have_an_empty_secret() {
    let secret = |text| {
        parse(text)
            .unwrap()
            .client
            .unwrap()
            .secret
            .map(|s| s.expose().to_owned())
    };
    assert_eq!(secret(r#"{"client":{"clientId":"cf"}}"#), None);
    assert_eq!(
        secret(r#"{"client":{"clientId":"cf","clientSecret":""}}"#).as_deref(),
        Some("")
    );
}
