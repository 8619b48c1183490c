use super::*;
use crate::flow::testing::{reply, run};

fn find(group: Option<&str>) -> FindInstance {
    FindInstance::new(
        Endpoint::constant("https://rc.example.test".into()),
        AccessToken::from_answer("T").unwrap(),
        "kp-prod".into(),
        group.map(str::to_owned),
    )
}

fn instance(guid: &str, region: &str, extra: &str) -> String {
    format!(
        r#"{{"guid":"{guid}","name":"kp-prod","region_id":"{region}","resource_id":"{KEY_PROTECT}",
        "crn":"crn:v1:bluemix:public:kms:{region}:a/1:{guid}::"{extra}}}"#
    )
}

fn page(next: &str, instances: &[String]) -> String {
    format!(
        r#"{{"rows_count":1,"next_url":{next},"resources":[{}]}}"#,
        instances.join(",")
    )
}

fn outcome(pages: &[String], group: Option<&str>) -> (Result<FoundInstance, Error>, Vec<Request>) {
    let mut at = 0;
    run(find(group), |_| {
        at += 1;
        Ok(reply(200, &pages[at - 1]))
    })
}

#[test]
fn the_one_instance_of_that_name_is_found() {
    let extra = r#","state":"active","resource_group_id":"g1","extensions":{"endpoints":{"public":"x.kms.appdomain.cloud"}}"#;
    let (found, requests) = outcome(&[page("null", &[instance("I1", "eu-de", extra)])], None);
    let found = found.unwrap();
    assert_eq!(
        (found.guid.as_str(), found.region.as_deref()),
        ("I1", Some("eu-de"))
    );
    assert_eq!(found.host.as_deref(), Some("x.kms.appdomain.cloud"));
    assert_eq!(
        requests[0].url,
        format!(
            "https://rc.example.test/v2/resource_instances?name=kp-prod&resource_id={KEY_PROTECT}&limit=100"
        )
    );
}

#[test]
fn several_of_one_name_are_ambiguous_but_by_group() {
    let one = instance("I1", "us-south", r#","resource_group_id":"g1""#);
    let two = instance("I2", "eu-de", r#","resource_group_id":"g2""#);
    let pages = [page("null", &[one, two])];
    let error = outcome(&pages, None).0.unwrap_err();
    assert_eq!((error.code, error.candidates.len()), (Code::Ambiguous, 2));
    assert_eq!(error.candidates[1].region.as_deref(), Some("eu-de"));
    assert_eq!(outcome(&pages, Some("g2")).0.unwrap().guid, "I2");
}

#[test]
fn a_dying_instance_and_one_of_another_service_are_no_candidates() {
    let pages = [page(
        "null",
        &[
            instance("I1", "us-south", ""),
            instance("I2", "us-south", r#","state":"pending_reclamation""#),
            r#"{"guid":"I3","name":"kp-prod","resource_id":"other"}"#.into(),
            r#"{"guid":"I4","name":"kp-prod"}"#.into(),
            r#"{"guid":"I5","name":"kp-prod-2","resource_id":"other"}"#.into(),
            "null".into(),
        ],
    )];
    assert_eq!(outcome(&pages, None).0.unwrap().guid, "I1");
}

#[test]
fn a_pages_link_is_followed_with_its_whole_query() {
    let link = r#""/v2/resource_instances?next_docid=AAA&limit=100""#;
    let pages = [
        page(link, &[]),
        page("\"\"", &[instance("I1", "us-south", "")]),
    ];
    let (found, requests) = outcome(&pages, None);
    assert_eq!(found.unwrap().guid, "I1");
    assert_eq!(
        requests[1].url,
        "https://rc.example.test/v2/resource_instances?next_docid=AAA&limit=100"
    );
}

#[test]
fn a_circle_of_links_ends_as_protocol() {
    let link = |start| format!(r#""/v2/resource_instances?start={start}""#);
    let pages = [
        page(&link("AAA"), &[]),
        page(&link("BBB"), &[]),
        page(&link("AAA"), &[]),
    ];
    let (error, requests) = outcome(&pages, None);
    assert_eq!(
        (error.unwrap_err().code, requests.len()),
        (Code::Protocol, 3)
    );
}

#[test]
fn a_link_to_another_place_is_refused() {
    for link in [
        "https://evil.example.test/v2/resource_instances?start=A",
        "//evil.example.test/v2/resource_instances?start=A",
        "/v2/other?start=A",
        "https://rc.example.test.evil.test/v2/resource_instances?start=A",
    ] {
        let (error, requests) = outcome(&[page(&format!("\"{link}\""), &[])], None);
        assert_eq!(
            (error.unwrap_err().code, requests.len()),
            (Code::Protocol, 1),
            "{link}"
        );
    }
}

#[test]
fn refusals_are_read() {
    let body = r#"{"message":"Cached token expired","code":401,"global_transaction_id":"T1"}"#;
    let (error, _) = run(find(None), |_| Ok(reply(401, body)));
    let error = error.unwrap_err();
    assert_eq!(
        (error.code, error.request_id.as_deref()),
        (Code::Expired, Some("T1"))
    );
    let (error, _) = run(find(None), |_| Ok(reply(401, "<html>")));
    assert_eq!(error.unwrap_err().code, Code::Protocol);
    assert_eq!(
        outcome(&[page("null", &[])], None).0.unwrap_err().code,
        Code::NotFound
    );
    assert_eq!(
        outcome(&["{}".into()], None).0.unwrap_err().code,
        Code::Protocol
    );
}
