use super::*;
use crate::json;

fn parse(text: &str) -> Result<Credential, Error> {
    SignIn::parse(&json::parse(text.as_bytes()).unwrap()).map(|it| it.credential)
}

#[test]
fn each_row_is_read() {
    assert!(matches!(
        parse(r#"{"apiKey":"K"}"#),
        Ok(Credential::ApiKey(_))
    ));
    assert!(matches!(
        parse(r#"{"passcode":"P"}"#),
        Ok(Credential::Passcode(_))
    ));
    assert!(matches!(
        parse(r#"{"refreshToken":"R"}"#),
        Ok(Credential::RefreshToken(_))
    ));
    assert!(matches!(
        parse(r#"{"clientId":"c","clientSecret":""}"#),
        Ok(Credential::Client { .. })
    ));
    for text in [
        r#"{"iamToken":"A"}"#,
        r#"{"uaaToken":"B"}"#,
        r#"{"uaaToken":"B","iamToken":"Bearer A"}"#,
    ] {
        assert!(
            matches!(parse(text), Ok(Credential::Given { .. })),
            "{text}"
        );
    }
    assert!(matches!(
        parse(r#"{"assertion":"a.b.c"}"#),
        Ok(Credential::Assertion(_))
    ));
    assert!(matches!(
        parse(r#"{"crToken":"a.b.c","profile":{"name":"kp reader"}}"#),
        Ok(Credential::ComputeResource { .. })
    ));
    match parse(r#"{"username":"u","password":" p ","origin":"ldap"}"#).unwrap() {
        Credential::Password {
            username,
            password,
            origin,
        } => {
            assert_eq!((username.as_str(), password.expose()), ("u", " p "));
            assert_eq!(origin.as_deref(), Some("ldap"));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_not_exactly_one_row_is_invalid_input_that_names_fields_only() {
    for (text, part) in [
        ("{}", "no field that signs in"),
        ("5", "not an object"),
        (r#"{"apikey":"SENTINEL"}"#, "\"apikey\""),
        (
            r#"{"apiKey":"SENTINEL","passcode":"SENTINEL"}"#,
            "two kinds: apiKey, passcode",
        ),
        (r#"{"apiKey":"SENTINEL","origin":"SENTINEL"}"#, "two kinds"),
        (r#"{"username":"SENTINEL"}"#, "lacks password"),
        (r#"{"password":"SENTINEL"}"#, "lacks username"),
        (r#"{"origin":"x"}"#, "no field that signs in"),
        (r#"{"apiKey":5}"#, "not a text"),
        (r#"{"apiKey":null}"#, "not a text"),
        (
            r#"{"username":" ","password":"SENTINEL"}"#,
            "username is empty",
        ),
        (r#"{"username":"u","password":""}"#, "password is empty"),
        (r#"{"apiKey":"  "}"#, "apiKey is empty"),
        (r#"{"clientId":"c"}"#, "lacks clientSecret"),
        (r#"{"clientSecret":"SENTINEL"}"#, "lacks clientId"),
        (r#"{"crToken":"SENTINEL"}"#, "lacks profile"),
        (
            r#"{"crToken":"SENTINEL","profile":{"id":"a","name":"b"}}"#,
            "names no trusted profile",
        ),
        (r#"{"crToken":"SENT INEL","profile":{"id":"a"}}"#, "crToken"),
        (r#"{"assertion":"<SENTINEL>"}"#, "wrapped"),
        (r#"{"iamToken":"a\n.SENTINEL"}"#, "line break"),
        (r#"{"iamToken":"a","uaaToken":5}"#, "uaaToken is not a text"),
        (r#"{"uaaToken":"a","apiKey":"SENTINEL"}"#, "two kinds"),
        (r#"{"assume":{"id":"a"}}"#, "no field that signs in"),
        (
            r#"{"apiKey":"SENTINEL","assume":{"name":"b"}}"#,
            "assume names no",
        ),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!(error.code.as_str(), "invalid_input");
        assert!(error.message.contains(part), "{text}: {}", error.message);
        assert!(!format!("{error:?}").contains("SENTINEL"), "{error:?}");
    }
}

#[test]
fn debug_of_a_credential_hides_its_secret() {
    for text in [
        r#"{"apiKey":"SENTINEL"}"#,
        r#"{"username":"u","password":"SENTINEL"}"#,
        r#"{"clientId":"c","clientSecret":"SENTINEL"}"#,
        r#"{"assertion":"SENTINEL"}"#,
        r#"{"iamToken":"SENTINEL","uaaToken":"SENTINEL"}"#,
        r#"{"crToken":"SENTINEL","profile":{"id":"a"}}"#,
    ] {
        assert!(!format!("{:?}", parse(text).unwrap()).contains("SENTINEL"));
    }
}
