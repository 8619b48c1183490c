use super::*;
use crate::error::Code;
use crate::flow::testing::{SENT, reply, run};
use crate::json::Value;

const BOTH: &str = r#""iam":{"raw":"https://iam.example.test","href":"https://iam.example.test"},
    "cf":{"raw":"https://api.example.test","href":"https://api.example.test"}"#;
const CF: &str = r#""cf":{"raw":"https://api.example.test/","href":"https://api.example.test/"}"#;
const IAM: &str = r#""iam":{"raw":"https://iam.example.test","href":"https://iam.example.test"}"#;
const GOOD: &str =
    r#"{"access_token":"A","refresh_token":"R","token_type":"Bearer","expires_in":3600}"#;
const ROOT: &str = r#"{"links":{"login":{"href":"https://login.example.test"},"uaa":{"href":"https://uaa.example.test"}}}"#;

fn options(endpoints: &str, more: &str) -> Options {
    let text = format!(r#"{{"endpoints":{{{endpoints}}}{more}}}"#);
    Options::parse(&json::parse_object(text.as_bytes()).unwrap()).unwrap()
}

fn credential(text: &str) -> SignIn {
    SignIn::parse(&json::parse(text.as_bytes()).unwrap()).unwrap()
}

fn signing_in(text: &str, endpoints: &str, more: &str) -> Exchange {
    Exchange::new(credential(text), options(endpoints, more), None, SENT).unwrap()
}

fn refreshing(endpoints: &str, can_sign_in_again: bool) -> Exchange {
    let token = RefreshToken::parse("refreshToken", "R0").unwrap();
    Exchange::renew(token, None, can_sign_in_again, options(endpoints, ""), None).unwrap()
}

/// Url, `Authorization`, form.
fn sent(request: &Request) -> (String, Option<String>, String) {
    let authorization = request
        .headers
        .iter()
        .find(|(name, _)| *name == "Authorization");
    (
        request.url.clone(),
        authorization.map(|(_, value)| value.clone()),
        request.body.clone().unwrap_or_default(),
    )
}

fn one(flow: Exchange, status: u16, body: &str) -> (Result<Ended, Error>, Vec<Request>) {
    run(flow, |_| Ok(reply(status, body)))
}

#[test]
fn an_api_key_at_iam_is_one_form_without_a_client() {
    let (ended, requests) = one(signing_in(r#"{"apiKey":"K+1"}"#, IAM, ""), 200, GOOD);
    assert!(matches!(ended, Ok(Ended::Tokens(_))));
    let form = "grant_type=urn%3Aibm%3Aparams%3Aoauth%3Agrant-type%3Aapikey&apikey=K%2B1\
                &response_type=cloud_iam";
    assert_eq!(
        sent(&requests[0]),
        (
            "https://iam.example.test/identity/token".into(),
            None,
            form.into()
        )
    );
    assert!(requests[0].headers.contains(&(
        "Content-Type",
        "application/x-www-form-urlencoded".to_owned()
    )));
}

#[test]
fn asking_for_a_uaa_token_brings_the_client_and_its_empty_secret_along() {
    let (_, requests) = one(signing_in(r#"{"apiKey":"K"}"#, BOTH, ""), 200, GOOD);
    let (_, authorization, form) = sent(&requests[0]);
    assert_eq!(authorization.as_deref(), Some("Basic Yng6Yng="));
    let end = "&response_type=cloud_iam%2Cuaa&uaa_client_id=cf&uaa_client_secret=";
    assert!(form.ends_with(end), "{form}");
    let (_, requests) = one(
        signing_in(r#"{"apiKey":"K"}"#, BOTH, r#","uaa":false"#),
        200,
        GOOD,
    );
    assert_eq!(
        requests[0].body.as_deref().map(|form| form.contains("uaa")),
        Some(false)
    );
}

#[test]
fn password_passcode_and_refresh_at_iam_use_its_client_and_the_account() {
    for (text, want) in [
        (
            r#"{"username":"u@x","password":" p "}"#,
            "grant_type=password&username=u%40x&password=+p+",
        ),
        (
            r#"{"passcode":"PC"}"#,
            "grant_type=urn%3Aibm%3Aparams%3Aoauth%3Agrant-type%3Apasscode&passcode=PC",
        ),
        (
            r#"{"refreshToken":"R0"}"#,
            "grant_type=refresh_token&refresh_token=R0",
        ),
    ] {
        let (_, requests) = one(signing_in(text, IAM, r#","account":"ACC""#), 200, GOOD);
        let (_, authorization, form) = sent(&requests[0]);
        assert_eq!(form, format!("{want}&response_type=cloud_iam&account=ACC"));
        assert_eq!(authorization.as_deref(), Some("Basic Yng6Yng="));
    }
}

#[test]
fn grants_at_uaa_use_the_cf_client_with_its_empty_secret() {
    let uaa =
        r#""uaa":{"raw":"https://uaa.example.test/uaa","href":"https://uaa.example.test/uaa"}"#;
    for (text, want) in [
        (
            r#"{"username":"u","password":"p&"}"#,
            "grant_type=password&username=u&password=p%26",
        ),
        (
            r#"{"apiKey":"K"}"#,
            "grant_type=password&username=apikey&password=K",
        ),
        (r#"{"passcode":"PC"}"#, "grant_type=password&passcode=PC"),
        (
            r#"{"refreshToken":"R0"}"#,
            "grant_type=refresh_token&refresh_token=R0",
        ),
        (
            r#"{"username":"u","password":"p","origin":"ldap"}"#,
            "grant_type=password&username=u&password=p&login_hint=%7B%22origin%22%3A%22ldap%22%7D",
        ),
    ] {
        let (_, requests) = one(signing_in(text, uaa, ""), 200, GOOD);
        let (url, authorization, form) = sent(&requests[0]);
        assert_eq!(url, "https://uaa.example.test/uaa/oauth/token");
        assert_eq!(authorization.as_deref(), Some("Basic Y2Y6"));
        assert_eq!(form, want);
    }
}

#[test]
fn a_client_of_ones_own_is_sent_as_it_was_given() {
    let uaa = r#""uaa":{"raw":"https://h","href":"https://h"}"#;
    let ask = |client: &str| {
        let more = format!(r#","client":{client}"#);
        let (_, requests) = one(signing_in(r#"{"passcode":"P"}"#, uaa, &more), 200, GOOD);
        sent(&requests[0])
    };
    let (_, authorization, form) = ask(r#"{"clientId":"cf","clientSecret":""}"#);
    assert_eq!(
        (authorization.as_deref(), form.contains("client")),
        (Some("Basic Y2Y6"), false)
    );
    let (_, authorization, form) = ask(r#"{"clientId":"cf"}"#);
    assert_eq!(authorization, None);
    assert!(form.ends_with("&client_id=cf"), "{form}");
}

#[test]
fn a_cloud_foundry_is_asked_for_its_uaa_once() {
    let answer = |request: &Request| {
        Ok(reply(
            200,
            if request.url == "https://api.example.test/" {
                ROOT
            } else {
                GOOD
            },
        ))
    };
    let (ended, requests) = run(signing_in(r#"{"passcode":"P"}"#, CF, ""), answer);
    let Ok(Ended::Tokens(exchanged)) = ended else {
        panic!("{ended:?}")
    };
    assert_eq!(requests[1].url, "https://login.example.test/oauth/token");
    assert!(exchanged.tokens.iam.is_none() && exchanged.tokens.uaa.is_some());
    let again = Exchange::new(
        credential(r#"{"passcode":"P"}"#),
        options(CF, ""),
        exchanged.uaa,
        SENT,
    )
    .unwrap();
    assert_eq!(run(again, answer).1.len(), 1);
}

#[test]
fn an_older_cloud_foundry_names_its_uaa_in_v2_info() {
    let (ended, requests) = run(signing_in(r#"{"passcode":"P"}"#, CF, ""), |request| {
        Ok(match request.url.as_str() {
            "https://api.example.test/" => reply(404, "404 Not Found"),
            "https://api.example.test/v2/info" => reply(
                200,
                r#"{"authorization_endpoint":"https://login.example.test/x"}"#,
            ),
            _ => reply(200, GOOD),
        })
    });
    assert!(ended.is_ok());
    assert_eq!(requests[2].url, "https://login.example.test/x/oauth/token");
}

#[test]
fn nothing_secret_is_sent_where_there_is_no_uaa() {
    let root =
        r#"{"links":{"login":{"href":"https://api.example.test"},"uaa":{}},"cf_on_k8s":true}"#;
    let (ended, requests) = one(
        signing_in(r#"{"username":"u","password":"p"}"#, CF, ""),
        200,
        root,
    );
    assert_eq!(ended.unwrap_err().code, Code::Unavailable);
    assert_eq!(requests.len(), 1);
    let nowhere = options(r#""iam":null"#, "");
    let error = Exchange::new(credential(r#"{"apiKey":"K"}"#), nowhere, None, SENT).unwrap_err();
    assert_eq!(error.code, Code::Unavailable);
}

#[test]
fn an_iam_that_refuses_to_be_asked_for_a_uaa_token_is_asked_without() {
    let refusal =
        r#"{"errorCode":"BXNIM0106E","errorMessage":"response_type: only cloud_iam is valid"}"#;
    let (ended, requests) = run(signing_in(r#"{"apiKey":"K"}"#, BOTH, ""), |request| {
        let with_uaa = request.body.as_ref().unwrap().contains("uaa");
        Ok(if with_uaa {
            reply(400, refusal)
        } else {
            reply(200, GOOD)
        })
    });
    let Ok(Ended::Tokens(exchanged)) = ended else {
        panic!("{ended:?}")
    };
    assert!(!exchanged.uaa_asked && exchanged.tokens.uaa.is_none());
    assert_eq!(requests.len(), 2);
    let (ended, requests) = one(signing_in(r#"{"apiKey":"K"}"#, IAM, ""), 400, refusal);
    assert_eq!(
        (ended.unwrap_err().code, requests.len()),
        (Code::Protocol, 1)
    );
}

#[test]
fn a_refused_refresh_token_leads_to_the_credential_if_there_is_one() {
    let ended = r#"{"errorCode":"BXNIM0408E","errorMessage":"m"}"#;
    assert!(matches!(
        one(refreshing(IAM, true), 400, ended).0,
        Ok(Ended::SignInAgain)
    ));
    assert_eq!(
        one(refreshing(IAM, false), 400, ended).0.unwrap_err().code,
        Code::Expired
    );
    let other_client = r#"{"errorCode":"BXNIM0137E","errorMessage":"m"}"#;
    assert_eq!(
        one(refreshing(IAM, false), 400, other_client)
            .0
            .unwrap_err()
            .code,
        Code::Expired
    );
    let down = r#"{"error":"server_error"}"#;
    assert!(matches!(
        one(refreshing(IAM, true), 500, down).0,
        Ok(Ended::SignInAgain)
    ));
    assert_eq!(
        one(refreshing(IAM, false), 500, down).0.unwrap_err().code,
        Code::ServerError
    );
    let page = one(refreshing(IAM, true), 401, "").0.unwrap_err();
    assert_eq!(page.code, Code::Protocol, "a bare status is no refusal");
}

#[test]
fn a_refresh_token_is_renewed_by_one_request() {
    let (ended, requests) = one(refreshing(BOTH, true), 200, GOOD);
    let Ok(Ended::Tokens(exchanged)) = ended else {
        panic!("{ended:?}")
    };
    assert!(exchanged.by_refresh);
    assert!(
        requests[0]
            .body
            .as_ref()
            .unwrap()
            .starts_with("grant_type=refresh_token&refresh_token=R0&")
    );
}

#[test]
fn an_origin_is_for_a_uaa_alone() {
    let text = r#"{"username":"u","password":"p","origin":"ldap"}"#;
    let error = Exchange::new(credential(text), options(IAM, ""), None, SENT).unwrap_err();
    assert_eq!(error.code, Code::InvalidInput);
}

#[test]
fn what_signs_in_at_one_service_alone_is_refused_for_the_other() {
    let client = r#"{"clientId":"c","clientSecret":"s"}"#;
    let own_client = r#","client":{"clientId":"other"}"#;
    let container = r#"{"crToken":"T","profile":{"id":"p"}}"#;
    for (text, endpoints, more, field) in [
        (client, IAM, "", "clientSecret"),
        (r#"{"assertion":"T"}"#, BOTH, "", "assertion"),
        (container, CF, "", "crToken"),
        (r#"{"apiKey":"K","assume":{"id":"p"}}"#, CF, "", "assume"),
        (client, CF, own_client, "client"),
        (container, IAM, r#","account":"a1""#, "account"),
    ] {
        let error =
            Exchange::new(credential(text), options(endpoints, more), None, SENT).unwrap_err();
        assert_eq!(error.code, Code::InvalidInput, "{text}");
        assert!(error.message.contains(field), "{}", error.message);
    }
}

#[test]
fn client_credentials_and_an_assertion_are_a_uaas() {
    let uaa = r#""uaa":{"raw":"https://uaa.example.test","href":"https://uaa.example.test"}"#;
    // RFC 6749, section 2.3.1: both are form-encoded before they are joined.
    let client = r#"{"clientId":"app|1","clientSecret":"p+ss:w\u00f6rd%"}"#;
    let (ended, requests) = one(signing_in(client, uaa, ""), 200, GOOD);
    assert!(ended.is_ok());
    let (url, authorization, form) = sent(&requests[0]);
    assert_eq!(url, "https://uaa.example.test/oauth/token");
    let encoded = crate::base64::encode(b"app%7C1:p%2Bss%3Aw%C3%B6rd%25");
    assert_eq!(authorization, Some(format!("Basic {encoded}")));
    assert_eq!(form, "grant_type=client_credentials");
    // A UAA that does not decode Basic refuses it, and takes the form.
    let (ended, requests) = run(signing_in(client, uaa, ""), |request| {
        let by_basic = sent(request).1.is_some();
        let refusal = r#"{"error":"unauthorized","error_description":"Bad credentials"}"#;
        Ok(if by_basic {
            reply(401, refusal)
        } else {
            reply(200, GOOD)
        })
    });
    assert!(ended.is_ok());
    let expected =
        "grant_type=client_credentials&client_id=app%7C1&client_secret=p%2Bss%3Aw%C3%B6rd%25";
    assert_eq!(sent(&requests[1]).2, expected);
    let plain = r#"{"clientId":"app-1","clientSecret":"secret"}"#;
    for (client, requests) in [(client, 2), (plain, 1)] {
        let refusal = r#"{"error":"invalid_client","error_description":"Bad credentials"}"#;
        let (ended, asked) = one(signing_in(client, uaa, ""), 401, refusal);
        assert_eq!(ended.unwrap_err().code, Code::InvalidCredentials);
        assert_eq!(asked.len(), requests);
    }
    let (_, requests) = one(signing_in(r#"{"assertion":"a.b.c"}"#, uaa, ""), 200, GOOD);
    let (_, authorization, form) = sent(&requests[0]);
    assert_eq!(authorization.as_deref(), Some("Basic Y2Y6"));
    assert_eq!(
        form,
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=a.b.c"
    );
}

#[test]
fn a_compute_resource_names_its_profile_and_no_client() {
    for (profile, field) in [
        (r#"{"id":"p-1"}"#, "profile_id=p-1"),
        (r#"{"name":"kp reader"}"#, "profile_name=kp+reader"),
        (r#"{"crn":"crn:v1:a"}"#, "profile_crn=crn%3Av1%3Aa"),
    ] {
        let text = format!(r#"{{"crToken":" a.b.c\n","profile":{profile}}}"#);
        // The asking for a UAA token is not this grant's.
        let (ended, requests) = one(signing_in(&text, BOTH, ""), 200, GOOD);
        assert!(ended.is_ok());
        let (_, authorization, form) = sent(&requests[0]);
        assert_eq!(authorization, None);
        let grant = "grant_type=urn%3Aibm%3Aparams%3Aoauth%3Agrant-type%3Acr-token&cr_token=a.b.c";
        assert_eq!(form, format!("{grant}&{field}"));
    }
}

const ASSUMED: &str = r#"{"access_token":"B","token_type":"Bearer","expires_in":900}"#;

fn assuming(request: &Request) -> bool {
    sent(request).2.contains("assume")
}

#[test]
fn an_assumed_profile_is_asked_for_with_the_token_of_who_signed_in() {
    let text = r#"{"passcode":"P","assume":{"name":"kp reader","account":"a1"}}"#;
    let answer = |request: &Request| Ok(reply(200, if assuming(request) { ASSUMED } else { GOOD }));
    let (ended, requests) = run(signing_in(text, BOTH, ""), answer);
    let Ok(Ended::Tokens(exchanged)) = ended else {
        panic!("{ended:?}")
    };
    let set = exchanged.tokens.iam.unwrap();
    assert_eq!(set.access_token.expose(), "B");
    // What renews the profile's token is what renews the identity's.
    assert_eq!(set.refresh_token.unwrap().expose(), "R");
    assert!(exchanged.tokens.uaa.is_none() && !exchanged.by_refresh);
    // A UAA token would speak for the identity, not for the profile.
    assert!(!sent(&requests[0]).2.contains("uaa"));
    let (_, authorization, form) = sent(&requests[1]);
    assert_eq!(authorization, None);
    let grant = "grant_type=urn%3Aibm%3Aparams%3Aoauth%3Agrant-type%3Aassume&access_token=A";
    assert_eq!(form, format!("{grant}&profile_name=kp+reader&account=a1"));
}

#[test]
fn a_renewal_assumes_the_profile_again() {
    let token = RefreshToken::parse("refreshToken", "R0").unwrap();
    let value = json::parse(br#"{"id":"p-1"}"#).unwrap();
    let assume = Some(Profile::parse_assumed(&value).unwrap());
    let renewal = Exchange::renew(token, assume, false, options(IAM, ""), None).unwrap();
    let (ended, requests) = run(renewal, |request| {
        Ok(reply(200, if assuming(request) { ASSUMED } else { GOOD }))
    });
    let Ok(Ended::Tokens(exchanged)) = ended else {
        panic!("{ended:?}")
    };
    assert_eq!(exchanged.tokens.iam.unwrap().access_token.expose(), "B");
    assert!(exchanged.by_refresh);
    assert_eq!(requests.len(), 2);
}

#[test]
fn given_tokens_are_used_as_they_are_and_nothing_is_sent() {
    let text = r#"{"iamToken":"Bearer A","uaaToken":"B"}"#;
    for endpoints in [IAM, CF, r#""iam":null"#] {
        let (ended, requests) = run(signing_in(text, endpoints, ""), |_| unreachable!());
        let Ok(Ended::Tokens(exchanged)) = ended else {
            panic!("{ended:?}")
        };
        assert_eq!(exchanged.tokens.iam.unwrap().access_token.expose(), "A");
        assert_eq!(exchanged.tokens.uaa.unwrap().access_token.expose(), "B");
        assert!(exchanged.is_given && requests.is_empty());
    }
}

#[test]
fn a_given_token_assumes_a_profile_until_it_ends() {
    let given = |claims: &str| {
        let token = crate::jwt::tests::jwt(claims);
        let text = format!(r#"{{"iamToken":"{token}","assume":{{"id":"p-1"}}}}"#);
        Exchange::new(credential(&text), options(IAM, ""), None, SENT)
    };
    let (ended, requests) = one(given(r#"{"exp":2000}"#).unwrap(), 200, ASSUMED);
    let Ok(Ended::Tokens(exchanged)) = ended else {
        panic!("{ended:?}")
    };
    assert_eq!(exchanged.tokens.iam.unwrap().access_token.expose(), "B");
    assert!(exchanged.is_given && requests.len() == 1);
    let error = given(r#"{"exp":900}"#).unwrap_err();
    assert_eq!(error.code, Code::Expired);
    let text = r#"{"uaaToken":"B","assume":{"id":"p-1"}}"#;
    let error = Exchange::new(credential(text), options(IAM, ""), None, SENT).unwrap_err();
    assert_eq!(error.code, Code::InvalidInput);
}

#[test]
fn a_profile_that_may_not_be_assumed_is_the_services_refusal() {
    let refusal = r#"{"errorCode":"BXNIM0398E","errorMessage":"not eligible"}"#;
    let text = r#"{"apiKey":"K","assume":{"id":"p-1"}}"#;
    let (ended, _) = run(signing_in(text, IAM, ""), |request| {
        Ok(if assuming(request) {
            reply(400, refusal)
        } else {
            reply(200, GOOD)
        })
    });
    assert_eq!(ended.unwrap_err().code, Code::Forbidden);
}

#[test]
fn a_good_status_with_a_body_of_the_wrong_kind_is_protocol() {
    for body in [
        "",
        "<html>",
        "[]",
        "{}",
        r#"{"access_token":5}"#,
        r#"{"access_token":"A""#,
    ] {
        let (ended, _) = one(signing_in(r#"{"apiKey":"K"}"#, IAM, ""), 200, body);
        let error = ended.unwrap_err();
        assert_eq!(
            (error.code, error.status),
            (Code::Protocol, Some(200)),
            "{body}"
        );
        assert_eq!(error.request_id.as_deref(), Some("ours"));
    }
}

#[test]
fn no_state_of_an_exchange_shows_its_secret() {
    let mut flow = signing_in(r#"{"apiKey":"SENTINEL"}"#, IAM, "");
    let before = format!("{flow:?}");
    let request = flow.next();
    assert!(!format!("{before} {request:?} {flow:?}").contains("SENTINEL"));
    let value = Value::from(Ended::SignInAgain);
    assert!(matches!(value, Value::Object(object) if object.has("signInAgain")));
}
