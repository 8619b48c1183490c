//! What a store keeps of a login, as versioned JSON text.
//!
//! Lives are written as what is left of them: how much time has passed since is what is gone from the
//! record's own time to live in the store, so the clocks of writer and reader need not agree. A sum over
//! all of it tells a record that was changed by accident; it is no signature.

use crate::error::Error;
use crate::json::{self, Object};
use crate::lease::{Instants, Lease};
use crate::secret::{AccessToken, RefreshToken};
use crate::text::own;
use crate::token::TokenSet;

const VERSION: f64 = 1.0;
/// A refresh token's life is not told; IAM's and UAA's default is 30 days.
const REFRESHABLE_MS: f64 = 30.0 * 86_400_000.0;

/// Writes `{ iam?, uaa?, uaaEndpoint?, assume? }` as the wrapper holds it: of each token `accessToken`,
/// `tokenType`, `refreshToken?`, `lease`. Gives the record and how long the store should keep it; the
/// wrapper writes the text, for that takes code to print numbers.
pub fn write(held: &Object, now: Instants) -> (Object, f64) {
    let mut record = Object::default().with("v", VERSION.into());
    let mut ttl_ms = 0_f64;
    for kind in ["iam", "uaa"] {
        let Some(set) = held.object(kind) else {
            continue;
        };
        // Whole milliseconds, for the sum is over what will be read.
        let left_ms = left_ms(set, now).floor();
        let refresh_token = set.text("refreshToken");
        ttl_ms = ttl_ms.max(if refresh_token.is_some() {
            REFRESHABLE_MS
        } else {
            left_ms
        });
        let written = Object::default()
            .with_text("accessToken", set.text("accessToken"))
            .with_text("tokenType", set.text("tokenType"))
            .with_text("refreshToken", refresh_token)
            .with("leftMs", left_ms.into())
            .with("lifeMs", lease_number(set, "lifeMs").floor().into());
        record = record.with(kind, written.into());
    }
    record = record.with_text("uaaEndpoint", held.text("uaaEndpoint"));
    if let Some(assume) = held.object("assume") {
        // Without it a renewal would bring the identity's token in place of the profile's.
        record = record.with("assume", assume.clone().into());
    }
    let record = record.with("ttlMs", ttl_ms.into());
    let sum = sum(&record);
    (record.with("sum", sum.into()), ttl_ms)
}

/// FNV-1a over every field that is read.
fn sum(record: &Object) -> f64 {
    let mut sum = 0x811c_9dc5_u32;
    let mut add = |bytes: &[u8]| {
        for byte in bytes.iter().chain(&[0]) {
            sum = (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
    };
    let none = Object::default();
    for object in [
        record.object("iam").unwrap_or(&none),
        record.object("uaa").unwrap_or(&none),
        record.object("assume").unwrap_or(&none),
        record,
    ] {
        for name in [
            "accessToken",
            "tokenType",
            "refreshToken",
            "uaaEndpoint",
            "id",
            "crn",
            "name",
            "account",
        ] {
            add(object.text(name).unwrap_or_default().as_bytes());
        }
        for name in ["leftMs", "lifeMs", "ttlMs"] {
            let number = object.number(name).unwrap_or_default();
            add(&number.to_bits().to_le_bytes());
        }
    }
    sum.into()
}

fn lease_number(set: &Object, name: &str) -> f64 {
    set.object("lease")
        .and_then(|lease| lease.number(name))
        .unwrap_or(0.0)
}

fn left_ms(set: &Object, now: Instants) -> f64 {
    let end = set.object("lease").and_then(|lease| lease.object("end"));
    let at = |name: &str| {
        end.and_then(|end| end.number(name))
            .unwrap_or(f64::NEG_INFINITY)
    };
    let end = Instants {
        wall: at("wall"),
        mono: at("mono"),
    };
    end.left_at(now).max(0.0)
}

/// What was read of a record.
#[derive(Clone, Debug)]
pub struct Record {
    /// The tokens; one that has ended is there if it can be refreshed.
    pub iam: Option<TokenSet>,
    /// As `iam`.
    pub uaa: Option<TokenSet>,
    /// Where the UAA is, if that was found out.
    pub uaa_endpoint: Option<String>,
    /// The trusted profile that each renewal assumes.
    pub assume: Option<Object>,
}

/// Reads a record that the store still keeps for `ttl_ms`.
///
/// # Errors
/// `protocol` for one of a later version, one that was cut or changed: it counts as absent.
pub fn read(text: &str, ttl_ms: f64, now: Instants, random: f64) -> Result<Record, Error> {
    read_object(text, ttl_ms, now, random).ok_or_else(|| {
        Error::protocol(
            "the record in the store can't be read",
            "It is of a later version, or was changed: it counts as absent.",
        )
    })
}

fn read_object(text: &str, ttl_ms: f64, now: Instants, random: f64) -> Option<Record> {
    let object = json::parse_object(text.as_bytes())?;
    let is = |name: &str, wanted: f64| Some(object.number(name)?.total_cmp(&wanted).is_eq());
    if !is("v", VERSION)? || !is("sum", sum(&object))? {
        return None;
    }
    // A store may round its times; it can't give a record more time than it was written with.
    let elapsed_ms = (object.number("ttlMs")? - ttl_ms).max(0.0);
    let set = |kind: &str| -> Option<Option<TokenSet>> {
        match object.object(kind) {
            Some(set) => read_set(set, elapsed_ms, now, random).map(Some),
            None => (!object.has(kind)).then_some(None),
        }
    };
    let (iam, uaa) = (set("iam")?, set("uaa")?);
    if iam.is_none() && uaa.is_none() {
        return None;
    }
    Some(Record {
        iam,
        uaa,
        uaa_endpoint: own(object.text("uaaEndpoint")),
        assume: object.object("assume").cloned(),
    })
}

fn read_set(set: &Object, elapsed_ms: f64, now: Instants, random: f64) -> Option<TokenSet> {
    let access_token = AccessToken::from_answer(set.text("accessToken")?)?;
    let (left_ms, life_ms) = (set.number("leftMs")? - elapsed_ms, set.number("lifeMs")?);
    if !left_ms.is_finite() || life_ms <= 0.0 || left_ms > life_ms {
        return None;
    }
    Some(TokenSet {
        access_token,
        token_type: set.text("tokenType").unwrap_or("Bearer").to_owned(),
        refresh_token: set.text("refreshToken").and_then(RefreshToken::from_answer),
        scope: None,
        lease: Lease::new(now.plus(left_ms - life_ms), life_ms, random),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output;

    const NOW: Instants = Instants {
        wall: 1e12,
        mono: 1e3,
    };

    fn text(held: &Object, now: Instants) -> (String, f64) {
        let (record, ttl_ms) = write(held, now);
        (
            serde_json::to_string(&crate::json::Value::from(record)).unwrap(),
            ttl_ms,
        )
    }

    fn held(refresh: Option<&str>) -> Object {
        let set = TokenSet {
            access_token: AccessToken::from_answer("SENTINEL-A").unwrap(),
            token_type: "Bearer".into(),
            refresh_token: refresh.and_then(RefreshToken::from_answer),
            scope: None,
            lease: Lease::new(NOW, 3_600_000.0, 0.5),
        };
        let assume = Object::default().with("id", "iam-Profile-1".into());
        Object::default()
            .with("iam", output::token_set(&set))
            .with("assume", assume.into())
    }

    #[test]
    fn a_record_comes_back_with_what_is_left_of_its_life_whatever_the_clocks() {
        let (text, ttl_ms) = text(&held(Some("R")), NOW.plus(600_000.0));
        let reader = Instants {
            wall: 5.0,
            mono: 7.0,
        };
        let record = read(&text, ttl_ms - 1_000_000.0, reader, 0.5).unwrap();
        assert_eq!(record.assume.unwrap().text("id"), Some("iam-Profile-1"));
        let iam = record.iam.unwrap();
        assert_eq!(iam.access_token.expose(), "SENTINEL-A");
        assert_eq!(iam.refresh_token.unwrap().expose(), "R");
        let left = iam.lease.end.left_at(reader);
        assert!((left - 2_000_000.0).abs() < 1.0, "{left}");
    }

    #[test]
    fn without_a_refresh_token_a_record_is_kept_as_long_as_its_token_lives() {
        assert_eq!(write(&held(None), NOW).1, 3_600_000.0);
        assert_eq!(write(&held(Some("R")), NOW).1, REFRESHABLE_MS);
    }

    #[test]
    fn a_record_of_a_later_version_or_one_that_was_changed_counts_as_absent() {
        let (text, ttl_ms) = text(&held(Some("R")), NOW);
        for broken in [
            "",
            "{}",
            "[]",
            r#"{"v":1}"#,
            r#"{"v":1,"ttlMs":5}"#,
            r#"{"v":1,"ttlMs":5,"iam":7}"#,
            &text.replace("\"v\":1.0", "\"v\":2.0"),
            text.get(..text.len() - 9).unwrap(),
            &text.replace("SENTINEL-A", "SENT INEL"),
            &text.replace("SENTINEL-A", "SENTINEL-B"),
            &text.replace("\"Bearer\"", "\"Basic\""),
            &text.replace("\"R\"", "\"S\""),
            &text.replace("iam-Profile-1", "iam-Profile-2"),
            &text.replace("\"assume\"", "\"assumed\""),
            &text.replace("\"leftMs\":3600000.0", "\"leftMs\":3500000.0"),
            &text.replace("\"lifeMs\":3600000.0", "\"lifeMs\":3700000.0"),
            &text.replace("\"ttlMs\":2592000000.0", "\"ttlMs\":2592000001.0"),
            &text.replace("\"lifeMs\":3600000.0", "\"lifeMs\":-1"),
            &text.replace("\"leftMs\":3600000.0", "\"leftMs\":1e99"),
        ] {
            let error = read(broken, ttl_ms, NOW, 0.5).unwrap_err();
            assert!(!format!("{error:?}").contains("SENT"), "{broken}");
            assert_ne!(broken, text);
        }
        assert!(read(&text, ttl_ms, NOW, 0.5).is_ok());
    }
}
