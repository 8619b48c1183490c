use super::*;
use crate::flow::testing::{reply, run};
use crate::json;
use crate::jwt::tests::jwt;

const ISSUER: &str = "https://iam.cloud.ibm.com/identity";
const NOW_MS: f64 = 1_000_000_000.0;

fn now(mono: f64) -> Instants {
    Instants {
        wall: NOW_MS + mono,
        mono,
    }
}

fn token(text: &str) -> AccessToken {
    AccessToken::from_answer(text).unwrap()
}

fn made(header: &str, signature: &[u8]) -> AccessToken {
    let part = |text: &str| base64::encode_url(text.as_bytes());
    let signature = base64::encode_url(signature);
    token(&format!("{}.{}.{signature}", part(header), part("{}")))
}

fn object(text: &str) -> Object {
    json::parse_object(text.as_bytes()).unwrap()
}

/// Keys as they are kept: `alg` and `kid`.
fn keys() -> Vec<Object> {
    [
        r#"{"alg":"RS256","kid":"a"}"#,
        r#"{"alg":"ES256","kid":"a"}"#,
        r#"{"alg":"RS256","kid":"b"}"#,
        r#"{"alg":"RS256"}"#,
    ]
    .map(object)
    .to_vec()
}

fn kept(keys: &[Object]) -> Kept<'_> {
    Kept {
        keys: keys.iter().collect(),
        read: now(0.0),
        again: None,
        has_failed: false,
        is_fresh: false,
    }
}

fn picked(header: &str, signature: &[u8]) -> Result<Vec<f64>, Error> {
    let keys = keys();
    match pick(&made(header, signature), Some(&kept(&keys)), now(1.0))? {
        Pick::Check { keys, .. } => Ok(keys
            .iter()
            .map(|place| match place {
                Value::Number(place) => *place,
                _ => f64::NAN,
            })
            .collect()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_key_is_picked_by_alg_and_kid_and_all_of_the_alg_are_tried_without_one() {
    let es256 = [7; 64];
    assert_eq!(picked(r#"{"alg":"RS256","kid":"a"}"#, b"s").unwrap(), [0.0]);
    assert_eq!(
        picked(r#"{"alg":"ES256","kid":"a"}"#, &es256).unwrap(),
        [1.0]
    );
    assert_eq!(picked(r#"{"alg":"RS256"}"#, b"s").unwrap(), [0.0, 2.0, 3.0]);
    assert_eq!(picked(r#"{"alg":"ES256"}"#, &es256).unwrap(), [1.0]);
}

#[test]
fn a_token_without_kid_is_tried_against_a_bounded_number_of_keys() {
    let keys = vec![object(r#"{"alg":"RS256"}"#); 50];
    let pick = pick(
        &made(r#"{"alg":"RS256"}"#, b"s"),
        Some(&kept(&keys)),
        now(1.0),
    );
    assert!(matches!(pick.unwrap(), Pick::Check { keys, .. } if keys.len() == MOST_TRIES));
}

#[test]
fn what_is_signed_is_what_was_written() {
    let keys = keys();
    let token = made(r#"{ "kid":"b", "alg":"RS256" }"#, &[1, 2, 255]);
    let Pick::Check {
        alg,
        signed,
        signature,
        ..
    } = pick(&token, Some(&kept(&keys)), now(1.0)).unwrap()
    else {
        panic!("no key");
    };
    assert_eq!(format!("{signed}.AQL_"), token.expose());
    assert_eq!((alg, signature.as_str()), ("RS256", "AQL/"));
}

#[test]
fn a_header_that_asks_for_what_is_not_done_here_is_refused_by_name() {
    for (header, named) in [
        (r#"{"alg":"none"}"#, "alg"),
        (r#"{"alg":"HS256","kid":"a"}"#, "alg"),
        (r#"{"alg":"rs256","kid":"a"}"#, "alg"),
        (r#"{"alg":"PS256","kid":"a"}"#, "alg"),
        (r#"{"alg":["RS256"],"kid":"a"}"#, "alg"),
        (r#"{"kid":"a"}"#, "alg"),
        (r#"{"alg":"none","alg":"RS256","kid":"a"}"#, "alg"),
        (r#"{"alg":"RS256","kid":"a","kid":"b"}"#, "kid"),
        (r#"{"alg":"RS256","kid":5}"#, "kid"),
        (r#"{"alg":"RS256","kid":null}"#, "kid"),
        (r#"{"alg":"RS256","kid":"a","crit":["x"]}"#, "crit"),
        (
            r#"{"alg":"RS256","kid":"a","crit":["b64"],"b64":false}"#,
            "crit",
        ),
        (r#"{"alg":"RS256","kid":"a","crit":null}"#, "crit"),
        (r#"{"alg":"ES256","kid":"a"}"#, "signature"),
    ] {
        let error = picked(header, &[7; 63]).unwrap_err();
        assert_eq!(error.code, Code::InvalidCredentials, "{header}");
        assert!(error.message.contains(named), "{header}: {}", error.message);
    }
}

#[test]
fn what_is_no_jws_in_compact_form_is_invalid_input() {
    for text in [
        "opaque",
        "e30.e30",
        "e30.e30.x.y.z",
        "e30.e30.!",
        "W10.e30.c2ln",
        "e30.e30.c2ln=",
    ] {
        let error = pick(&token(text), None, now(0.0)).unwrap_err();
        assert_eq!(error.code, Code::InvalidInput, "{text}");
    }
}

#[test]
fn keys_are_kept_for_a_day_by_both_clocks() {
    let keys = keys();
    let token = made(r#"{"alg":"RS256","kid":"a"}"#, b"s");
    let at = |wall: f64, mono: f64| {
        let now = Instants {
            wall: NOW_MS + wall,
            mono,
        };
        pick(&token, Some(&kept(&keys)), now).unwrap()
    };
    let day = 24.0 * HOUR_MS;
    let read = Pick::Read { again: false };
    assert!(matches!(at(day - 1.0, day - 1.0), Pick::Check { .. }));
    assert_eq!(at(day, 1.0), read);
    assert_eq!(at(1.0, day), read);
    assert_eq!(at(-day, 1.0), read);
    assert_eq!(at(f64::NAN, 1.0), read);
    assert_eq!(pick(&token, None, now(0.0)).unwrap(), read);
    let fresh = Kept {
        is_fresh: true,
        ..kept(&keys)
    };
    let pick = pick(&token, Some(&fresh), now(2.0 * day)).unwrap();
    assert!(matches!(pick, Pick::Check { .. }));
}

#[test]
fn an_unknown_key_has_the_keys_read_again_once_a_minute() {
    let keys = keys();
    let at = |again: Option<f64>, has_failed, mono| {
        let kept = Kept {
            again: again.map(now),
            has_failed,
            ..kept(&keys)
        };
        let token = made(r#"{"alg":"RS256","kid":"?"}"#, b"s");
        pick(&token, Some(&kept), now(mono))
    };
    let read = Pick::Read { again: true };
    assert_eq!(at(None, false, 1.0).unwrap(), read);
    assert_eq!(at(Some(1000.0), false, 61_000.0).unwrap(), read);
    let error = at(Some(1000.0), false, 60_999.0).unwrap_err();
    assert_eq!(error.code, Code::InvalidCredentials);
    assert!(error.message.contains("key"), "{}", error.message);
    assert_eq!(
        at(Some(1000.0), true, 31_000.0).unwrap(),
        Pick::Failed { wait_ms: 30_000.0 }
    );
    assert_eq!(at(Some(1000.0), true, 61_000.0).unwrap(), read);
}

fn judged(text: &str, audience: &[&str]) -> Result<String, Error> {
    let token = token(&jwt(text));
    claims(&token, Signature::Good, ISSUER, audience, NOW_MS)
}

/// Claims that hold, with others after them (the last of two counts).
fn with(more: &str) -> String {
    format!(r#"{{"iss":"{ISSUER}","exp":1000001{more}}}"#)
}

#[test]
fn claims_that_hold_are_given_as_they_stand() {
    let text = with(r#","name":"Zoë""#);
    assert_eq!(judged(&text, &[]).unwrap(), text);
}

#[test]
fn the_signature_is_judged_before_anything_that_the_token_says() {
    let token = token(&jwt(r#"{"iss":"other"}"#));
    for (signature, named) in [
        (Signature::Bad, "signature"),
        (Signature::NoKey, "key"),
        (Signature::Good, "iss"),
    ] {
        let error = claims(&token, signature, ISSUER, &[], NOW_MS).unwrap_err();
        assert_eq!(error.code, Code::InvalidCredentials);
        assert!(error.message.contains(named), "{}", error.message);
    }
}

#[test]
fn times_have_a_minute_of_leeway() {
    for more in [
        r#","exp":999941"#,
        r#","exp":999940.001"#,
        r#","nbf":1000060"#,
        r#","nbf":-1"#,
        r#","iat":2000000"#,
    ] {
        assert!(judged(&with(more), &[]).is_ok(), "{more}");
    }
    for more in [r#","exp":999940"#, r#","exp":0"#, r#","exp":-1e300"#] {
        let error = judged(&with(more), &[]).unwrap_err();
        assert_eq!(error.code, Code::Expired, "{more}");
    }
    let never = claims(
        &token(&jwt(&with(""))),
        Signature::Good,
        ISSUER,
        &[],
        f64::NAN,
    );
    assert_eq!(never.unwrap_err().code, Code::Expired);
}

#[test]
fn a_claim_that_does_not_hold_is_refused_by_name() {
    for (more, named) in [
        (r#","iss":"https://iam.cloud.ibm.com/identity/""#, "iss"),
        (r#","iss":["https://iam.cloud.ibm.com/identity"]"#, "iss"),
        (r#","iss":null"#, "iss"),
        (r#","exp":"1000001""#, "exp"),
        (r#","exp":null"#, "exp"),
        (r#","nbf":1000061"#, "nbf"),
        (r#","nbf":"1""#, "nbf"),
        (r#","nbf":null"#, "nbf"),
    ] {
        let error = judged(&with(more), &[]).unwrap_err();
        assert_eq!(error.code, Code::InvalidCredentials, "{more}");
        assert!(error.message.contains(named), "{more}: {}", error.message);
    }
    let error = judged(&format!(r#"{{"iss":"{ISSUER}"}}"#), &[]).unwrap_err();
    assert!(error.message.contains("exp"));
}

#[test]
fn one_of_the_audiences_asked_for_must_be_the_tokens() {
    for aud in [r#""a""#, r#"["x","a"]"#] {
        let text = with(&format!(r#","aud":{aud}"#));
        assert!(judged(&text, &[]).is_ok());
        assert!(judged(&text, &["b", "a"]).is_ok());
        let error = judged(&text, &["b", "A"]).unwrap_err();
        assert_eq!(error.code, Code::InvalidCredentials);
        assert!(error.message.contains("aud"));
    }
    for more in ["", r#","aud":null"#, r#","aud":[["a"]]"#, r#","aud":[]"#] {
        assert!(judged(&with(more), &["a"]).is_err(), "{more}");
    }
}

fn discovery(issuer: &str, jwks_uri: &str, more: &str) -> String {
    format!(r#"{{"issuer":"{issuer}","jwks_uri":"{jwks_uri}"{more}}}"#)
}

fn read_keys(issuer: &str, documents: &[&str]) -> (Result<Value, Error>, Vec<String>) {
    let flow = GetKeys::new(
        issuer,
        Endpoint::parse("issuer", issuer, Some(issuer)).unwrap(),
    );
    let mut documents = documents.iter();
    let (result, requests) = run(flow, |_| Ok(reply(200, documents.next().unwrap())));
    (
        result,
        requests.into_iter().map(|request| request.url).collect(),
    )
}

#[test]
fn keys_are_asked_for_where_discovery_says() {
    let document = discovery(ISSUER, "https://iam.cloud.ibm.com/identity/keys", "");
    let (keys, urls) = read_keys(ISSUER, &[&document, r#"{"keys":[]}"#]);
    assert!(keys.is_ok());
    assert_eq!(
        urls,
        [
            "https://iam.cloud.ibm.com/identity/.well-known/openid-configuration",
            "https://iam.cloud.ibm.com/identity/keys",
        ]
    );
}

#[test]
fn a_jwks_uri_is_asked_only_on_a_host_of_the_issuer() {
    let uaa = "https://uaa.example.test/oauth/token";
    let local = "http://127.0.0.1:1";
    let public = r#","public_hosts":["https://k.example.test","http://127.0.0.1:2",7]"#;
    for (issuer, uri, more, is_asked) in [
        (
            ISSUER,
            "https://identity-3.us-east.iam.cloud.ibm.com/identity/keys",
            "",
            true,
        ),
        (ISSUER, "https://IAM.cloud.ibm.com:443/k", "", true),
        (ISSUER, "https://k.example.test/keys", public, true),
        (ISSUER, "https://k.example.test/keys", "", false),
        (ISSUER, "https://k.example.test:8443/keys", public, false),
        (ISSUER, "https://eviliam.cloud.ibm.com/keys", "", false),
        (ISSUER, "http://iam.cloud.ibm.com/identity/keys", "", false),
        (ISSUER, "http://127.0.0.1:2/keys", public, false),
        (ISSUER, "https://u@iam.cloud.ibm.com/keys", "", false),
        (
            ISSUER,
            "https://iam.cloud.ibm.com\\\\@evil.test/keys",
            "",
            false,
        ),
        (ISSUER, "/identity/keys", "", false),
        (ISSUER, "", "", false),
        (uaa, "https://uaa.example.test/token_keys", "", true),
        (uaa, "https://iam.cloud.ibm.com/identity/keys", "", false),
        (uaa, "https://other.example.test/token_keys", "", false),
        (local, "http://127.0.0.1:1/keys", "", true),
        (local, "http://127.0.0.1:2/keys", "", false),
        (local, "http://127.0.0.1:2/keys", public, true),
    ] {
        let document = discovery(issuer, uri, more);
        let (result, urls) = read_keys(issuer, &[&document, r#"{"keys":[]}"#]);
        assert_eq!(urls.len(), if is_asked { 2 } else { 1 }, "{issuer} {uri}");
        assert_eq!(result.is_ok(), is_asked, "{issuer} {uri}");
        if let Err(error) = result {
            assert_eq!((error.code, error.status), (Code::Protocol, Some(200)));
        }
    }
}

#[test]
fn a_document_of_another_issuer_is_protocol() {
    for issuer in [
        "https://iam.cloud.ibm.com",
        "",
        "https://iam.cloud.ibm.com/identity/",
    ] {
        let document = discovery(issuer, "https://iam.cloud.ibm.com/identity/keys", "");
        let (result, urls) = read_keys(ISSUER, &[&document]);
        assert_eq!(result.unwrap_err().code, Code::Protocol);
        assert_eq!(urls.len(), 1);
    }
}

#[test]
fn what_is_no_document_and_no_key_set_is_protocol() {
    let good = discovery(ISSUER, "https://iam.cloud.ibm.com/identity/keys", "");
    for documents in [
        &["<html>"][..],
        &["[]"],
        &[&good, "<html>"],
        &[&good, "{}"],
        &[&good, r#"{"keys":{}}"#],
    ] {
        let (result, _) = read_keys(ISSUER, documents);
        assert_eq!(result.unwrap_err().code, Code::Protocol, "{documents:?}");
    }
}

#[test]
fn a_failed_answer_keeps_its_own_code() {
    for (status, code) in [
        (500, Code::ServerError),
        (429, Code::RateLimited),
        (403, Code::Forbidden),
        (404, Code::Protocol),
    ] {
        let endpoint = Endpoint::parse("issuer", ISSUER, Some(ISSUER)).unwrap();
        let (result, _) = run(GetKeys::new(ISSUER, endpoint), |_| Ok(reply(status, "")));
        assert_eq!(result.unwrap_err().code, code);
    }
}

fn rsa(bits: usize, more: &str) -> String {
    let mut n = vec![255; bits.div_ceil(8)];
    if !bits.is_multiple_of(8) {
        n[0] = 1;
    }
    let n = base64::encode_url(&n);
    format!(r#"{{"kty":"RSA","n":"{n}","e":"AQAB"{more}}}"#)
}

fn ec(crv: &str, length: usize, more: &str) -> String {
    let part = base64::encode_url(&vec![5; length]);
    format!(r#"{{"kty":"EC","crv":"{crv}","x":"{part}","y":"{part}"{more}}}"#)
}

#[test]
fn keys_that_can_check_a_signature_of_this_kind_are_taken() {
    for (key, alg) in [
        (rsa(2048, ""), "RS256"),
        (
            rsa(4096, r#","use":"sig","alg":"RS256","kid":"k""#),
            "RS256",
        ),
        (rsa(2048, r#","key_ops":["verify"]"#), "RS256"),
        (ec("P-256", 32, ""), "ES256"),
        (ec("P-256", 32, r#","alg":"ES256","use":"sig""#), "ES256"),
    ] {
        let Some(Value::Object(key)) = usable(&object(&key)) else {
            panic!("{key}");
        };
        assert_eq!(key.text("alg"), Some(alg));
    }
    for key in [
        rsa(2047, ""),
        rsa(1024, ""),
        rsa(16_392, ""),
        rsa(2048, r#","use":"enc""#),
        rsa(2048, r#","use":5"#),
        rsa(2048, r#","alg":"RS512""#),
        rsa(2048, r#","alg":"ES256""#),
        rsa(2048, r#","alg":5"#),
        rsa(2048, r#","key_ops":["encrypt"]"#),
        rsa(2048, r#","n":"!""#),
        rsa(2048, r#","e":"""#),
        rsa(2048, r#","e":"AAAA""#),
        rsa(2048, r#","kty":"MAC""#),
        ec("P-384", 32, ""),
        ec("P-256", 31, ""),
        ec("P-256", 33, ""),
        ec("P-256", 32, r#","alg":"RS256""#),
        r#"{"kty":"oct","k":"AQAB","kid":"a"}"#.to_owned(),
        "{}".to_owned(),
    ] {
        assert_eq!(usable(&object(&key)), None, "{key}");
    }
}

#[test]
fn zeros_before_a_number_are_dropped_and_do_not_count_as_size() {
    let mut n = vec![0, 255];
    n.extend([1; 255]);
    let key = |n: &[u8]| {
        let n = base64::encode_url(n);
        object(&format!(
            r#"{{"kty":"RSA","n":"{n}","e":"AAEAAQ","d":"AQ"}}"#
        ))
    };
    let Some(Value::Object(taken)) = usable(&key(&n)) else {
        panic!("not taken");
    };
    let jwk = taken.object("jwk").unwrap();
    assert_eq!(jwk.names(), ["kty", "n", "e"]);
    assert_eq!(jwk.text("e"), Some("AQAB"));
    assert_eq!(base64::decode_url(jwk.text("n").unwrap()).unwrap(), n[1..]);
    let mut short = vec![0; 200];
    short.extend([255; 200]);
    assert_eq!(usable(&key(&short)), None);
}

#[test]
fn a_key_set_is_read_up_to_a_bound() {
    let document = discovery(ISSUER, "https://iam.cloud.ibm.com/identity/keys", "");
    let keys = vec![ec("P-256", 32, ""); MOST_KEYS + 1].join(",");
    let (result, _) = read_keys(ISSUER, &[&document, &format!(r#"{{"keys":[5,{keys}]}}"#)]);
    let Value::Object(read) = result.unwrap() else {
        panic!("no object");
    };
    assert_eq!(read.items("keys").len(), MOST_KEYS);
}
