use super::*;
use crate::flow::testing::{reply, run};

fn cf() -> Endpoint {
    Endpoint::constant("https://api.example.test".into())
}

fn token() -> AccessToken {
    AccessToken::from_answer("SENTINEL").unwrap()
}

fn page(pairs: &[(&str, &str)]) -> String {
    let resources: Vec<String> = pairs
        .iter()
        .map(|(guid, name)| {
            format!(
                r#"{{"guid":"{guid}","name":{},"metadata":{{}}}}"#,
                serde_json::to_string(name).unwrap()
            )
        })
        .collect();
    format!(
        r#"{{"pagination":{{"next":null}},"resources":[{}]}}"#,
        resources.join(",")
    )
}

#[test]
fn an_org_is_found_by_one_request() {
    let (found, requests) = run(Find::org(cf(), token(), "acme".into()), |_| {
        Ok(reply(200, &page(&[("g1", "acme")])))
    });
    assert_eq!(
        found.unwrap(),
        Found {
            guid: "g1".into(),
            name: "acme".into()
        }
    );
    assert_eq!(
        requests[0].url,
        "https://api.example.test/v3/organizations?names=acme"
    );
    assert!(
        requests[0]
            .headers
            .contains(&("Authorization", "Bearer SENTINEL".to_owned()))
    );
}

#[test]
fn a_space_is_looked_for_in_its_org() {
    let find = Find::space(cf(), token(), Named::Name("acme".into()), "dev".into()).unwrap();
    let (found, requests) = run(find, |request| {
        let orgs = request.url.contains("/v3/organizations");
        Ok(reply(
            200,
            &page(&[if orgs { ("o1", "acme") } else { ("s1", "dev") }]),
        ))
    });
    assert_eq!(found.unwrap().guid, "s1");
    assert_eq!(
        requests[1].url,
        "https://api.example.test/v3/spaces?names=dev&organization_guids=o1"
    );
    let find = Find::space(cf(), token(), Named::Guid("o1".into()), "dev".into()).unwrap();
    let (_, requests) = run(find, |_| Ok(reply(200, &page(&[("s1", "dev")]))));
    assert_eq!(requests.len(), 1);
}

#[test]
fn names_are_encoded_twice_but_only_where_it_is_needed() {
    for (name, want) in [
        ("acme", "acme"),
        ("my,org", "my%252Corg"),
        ("50%25 off", "50%252525%20off"),
        (" lead", "%2520lead"),
        ("dev team", "dev%20team"),
        ("a+b&c=d", "a%2Bb%26c%3Dd"),
        ("é", "%C3%A9"),
        ("\"'🙂", "%22%27%F0%9F%99%82"),
    ] {
        let (_, requests) = run(Find::org(cf(), token(), name.into()), |_| {
            Ok(reply(200, &page(&[])))
        });
        let url = format!("https://api.example.test/v3/organizations?names={want}");
        assert_eq!(requests[0].url, url, "{name}");
    }
}

#[test]
fn a_name_is_matched_exactly_then_without_case_and_never_otherwise() {
    let find = |name: &str, pairs: &[(&str, &str)]| {
        let body = page(pairs);
        run(Find::org(cf(), token(), name.into()), |_| {
            Ok(reply(200, &body))
        })
        .0
    };
    assert_eq!(find("DEV", &[("g1", "dev")]).unwrap().guid, "g1");
    assert_eq!(
        find("DEV", &[("g1", "dev"), ("g2", "DEV")]).unwrap().guid,
        "g2"
    );
    let error = find("my,org", &[("g1", "my"), ("g2", "org")]).unwrap_err();
    assert_eq!(
        error.code,
        Code::NotFound,
        "a server that split the name at its comma"
    );
}

#[test]
fn what_is_not_there_or_not_visible_is_not_found() {
    let (error, _) = run(Find::org(cf(), token(), "nope".into()), |_| {
        Ok(reply(200, &page(&[])))
    });
    let error = error.unwrap_err();
    assert!(error.code == Code::NotFound && error.message.contains("nope"));
    let guid = "11111111-2222-4333-8444-555555555555";
    let (error, _) = run(Find::org(cf(), token(), guid.into()), |_| {
        Ok(reply(200, &page(&[])))
    });
    assert!(error.unwrap_err().hint.contains("{ guid }"));
    let find = Find::space(cf(), token(), Named::Name("acme".into()), "dev".into()).unwrap();
    let (error, _) = run(find, |request| {
        let orgs = request.url.contains("/v3/organizations");
        Ok(reply(
            200,
            &page(if orgs { &[("o1", "acme")] } else { &[] }),
        ))
    });
    assert!(error.unwrap_err().message.contains("acme"));
}

#[test]
fn pages_of_the_wrong_shape_are_protocol() {
    for body in [
        "",
        "[]",
        "<html>",
        "{}",
        r#"{"resources":{}}"#,
        r#"{"resources":[{"guid":5}]}"#,
    ] {
        let (error, _) = run(Find::org(cf(), token(), "a".into()), |_| {
            Ok(reply(200, body))
        });
        assert_eq!(error.unwrap_err().code, Code::Protocol, "{body}");
    }
}
