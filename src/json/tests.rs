use super::*;

#[test]
fn a_byte_order_mark_and_raw_control_characters_do_not_matter() {
    let body = b"\xef\xbb\xbf{\"errorCode\":\"BXNIM0415E\",\"m\":\"one\ntwo\"}\n";
    let object = parse_object(body).unwrap();
    assert_eq!(object.text("errorCode"), Some("BXNIM0415E"));
    assert_eq!(object.text("m"), Some("one two"));
    let text = text_of(b"\xef\xbb\xbf{\"a\":\"b\tc\"}").unwrap();
    assert_eq!(text, r#"{"a":"b c"}"#);
}

#[test]
fn what_is_no_json_object_gives_nothing() {
    for body in [
        &b""[..],
        b"[]",
        b"null",
        b"\"x\"",
        b"{",
        b"<html>",
        b"\xff\xfe",
        b"{}x",
        b"{\"a\":}",
    ] {
        assert!(parse_object(body).is_none());
    }
}

#[test]
fn nesting_is_bounded() {
    let nest = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
    assert!(parse(&nest(64)).is_some());
    assert!(parse(&nest(65)).is_none());
    assert!(parse(&vec![b'['; 1 << 20]).is_none());
    assert!(parse(&b"{\"a\":".repeat(1 << 18)).is_none());
}

#[test]
fn numbers_may_stand_as_digits_in_text() {
    let object = parse_object(br#"{"a":3600,"b":"3600","c":"1e3","d":1.5,"e":-1,"f":""}"#).unwrap();
    assert_eq!(object.number("a"), Some(3600.0));
    assert_eq!(object.number("b"), Some(3600.0));
    assert_eq!(object.number("c"), None);
    assert_eq!(object.number("d"), Some(1.5));
    assert_eq!(object.number("e"), Some(-1.0));
    assert_eq!(object.number("f"), None);
}

#[test]
fn surrogates_are_joined_and_lone_ones_told() {
    assert_eq!(
        parse_exact(r#""\ud83d\ude42""#),
        Some(Value::Text("🙂".into()))
    );
    for lone in [
        r#""\ud83d""#,
        r#""\ude42""#,
        r#""\ud83dx""#,
        r#""\ud83d\u0041""#,
    ] {
        assert_eq!(parse_exact(lone), None, "{lone}");
        assert!(
            matches!(parse(lone.as_bytes()), Some(Value::Text(text)) if text.contains('\u{fffd}'))
        );
    }
    assert_eq!(
        parse(br#""\ud83d\u0041""#),
        Some(Value::Text("\u{fffd}A".into()))
    );
}

#[test]
fn of_doubles_the_last_counts_and_names_keep_their_order() {
    let object = parse_object(br#"{"b":1,"a":2,"b":"x"}"#).unwrap();
    assert_eq!(object.text("b"), Some("x"));
    assert_eq!(object.names(), ["b", "a", "b"]);
}

fn same(ours: &Value, theirs: &serde_json::Value) -> bool {
    match (ours, theirs) {
        (Value::Null, serde_json::Value::Null) => true,
        (Value::Bool(one), serde_json::Value::Bool(other)) => one == other,
        (Value::Number(one), serde_json::Value::Number(other)) => {
            let other = other.as_f64().unwrap();
            (one - other).abs() <= other.abs() * 1e-14
        }
        (Value::Text(one), serde_json::Value::String(other)) => one == other,
        (Value::List(one), serde_json::Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
        }
        (Value::Object(one), serde_json::Value::Object(other)) => {
            one.names()
                .into_iter()
                .collect::<std::collections::BTreeSet<_>>()
                .len()
                == other.len()
                && other
                    .iter()
                    .all(|(name, other)| one.get(name).is_some_and(|one| same(one, other)))
        }
        _ => false,
    }
}

proptest::proptest! {
    #[test]
    fn what_serde_json_writes_is_read_as_it_reads_it(value in any_json()) {
        let text = serde_json::to_string(&value).unwrap();
        proptest::prop_assert!(same(&parse(text.as_bytes()).unwrap(), &value), "{}", text);
    }

    #[test]
    fn any_bytes_are_read_or_refused_and_agree_with_serde_json(
        bytes in proptest::collection::vec(proptest::sample::select(b"{}[]\",:\\ untrefalsbd0129.eE+-\xc3\xa9".to_vec()), 0..40)
    ) {
        let ours = parse(&bytes);
        if let Ok(theirs) = serde_json::from_slice::<serde_json::Value>(&bytes) {
            proptest::prop_assert!(same(ours.as_ref().unwrap(), &theirs));
        }
    }
}

fn any_json() -> impl proptest::strategy::Strategy<Value = serde_json::Value> {
    use proptest::prelude::*;
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(serde_json::Value::from),
        any::<i32>().prop_map(serde_json::Value::from),
        (-1e12..1e12).prop_map(serde_json::Value::from),
        any::<String>().prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(serde_json::Value::from),
            proptest::collection::btree_map(any::<String>(), inner, 0..5)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}
