//! A trusted profile, as a caller names it.

use crate::error::Error;
use crate::json::Value;
use crate::secret::trim;

const SHAPE: &str = "Give exactly one of { id }, { crn }, { name }.";
const ASSUME_SHAPE: &str = "Give exactly one of { id }, { crn }, { name, account }.";

/// A trusted profile of IAM, by exactly one of its names.
#[derive(Clone, Debug)]
pub struct Profile {
    /// The fields of IAM's token request that name it.
    fields: Vec<(&'static str, String)>,
}

impl Profile {
    /// Reads the profile of a compute resource: `{ id }`, `{ crn }` or `{ name }`.
    ///
    /// # Errors
    /// `invalid_input` for anything else.
    pub fn parse(value: Option<&Value>) -> Result<Self, Error> {
        match fields(value, false) {
            Some(fields) => Ok(Self { fields }),
            None => Err(Error::invalid_input(
                "profile names no trusted profile",
                SHAPE,
            )),
        }
    }

    /// Reads the profile that an identity assumes: `{ id }`, `{ crn }` or `{ name, account }`.
    ///
    /// # Errors
    /// `invalid_input` for anything else.
    pub fn parse_assumed(value: &Value) -> Result<Self, Error> {
        match fields(Some(value), true) {
            Some(fields) => Ok(Self { fields }),
            None => Err(Error::invalid_input(
                "assume names no trusted profile",
                ASSUME_SHAPE,
            )),
        }
    }

    /// The fields of IAM's token request that name it.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.fields
            .iter()
            .map(|(name, text)| (*name, text.as_str()))
    }
}

fn fields(value: Option<&Value>, is_assumed: bool) -> Option<Vec<(&'static str, String)>> {
    let Some(Value::Object(object)) = value else {
        return None;
    };
    let given: &[(&str, &'static str)] = match (object.names().as_slice(), is_assumed) {
        (["id"], _) => &[("id", "profile_id")],
        (["crn"], _) => &[("crn", "profile_crn")],
        (["name"], false) => &[("name", "profile_name")],
        (["name", "account"] | ["account", "name"], true) => {
            &[("name", "profile_name"), ("account", "account")]
        }
        _ => return None,
    };
    given
        .iter()
        .map(|(name, field)| {
            let text = trim(object.text(name)?);
            // A name may hold blanks within; nothing may hold control characters.
            let fits = match *name {
                "name" => !text.chars().any(char::is_control),
                "crn" => text.starts_with("crn:") && is_word(text),
                _ => is_word(text),
            };
            (!text.is_empty() && fits).then(|| (*field, text.to_owned()))
        })
        .collect()
}

fn is_word(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn parse(text: &str, is_assumed: bool) -> Option<Vec<(&'static str, String)>> {
        let value = json::parse(text.as_bytes()).unwrap();
        let profile = if is_assumed {
            Profile::parse_assumed(&value)
        } else {
            Profile::parse(Some(&value))
        };
        match profile {
            Ok(profile) => Some(profile.fields),
            Err(error) => {
                assert_eq!(error.code.as_str(), "invalid_input");
                None
            }
        }
    }

    #[test]
    fn a_profile_is_named_in_exactly_one_way() {
        let one = |name, text: &str| Some(vec![(name, text.to_owned())]);
        for is_assumed in [false, true] {
            let id = parse(r#"{"id":" iam-Profile-1 "}"#, is_assumed);
            assert_eq!(id, one("profile_id", "iam-Profile-1"));
            let crn = parse(r#"{"crn":"crn:v1:x"}"#, is_assumed);
            assert_eq!(crn, one("profile_crn", "crn:v1:x"));
            for text in [
                "5",
                "{}",
                r#"{"id":"a","name":"b"}"#,
                r#"{"id":"a b"}"#,
                r#"{"id":""}"#,
                r#"{"id":5}"#,
                r#"{"crn":"iam-Profile-1"}"#,
                r#"{"name":"a\nb"}"#,
                r#"{"guid":"a"}"#,
            ] {
                assert_eq!(parse(text, is_assumed), None, "{text}");
            }
        }
        let name = r#"{"name":"kp reader"}"#;
        assert_eq!(parse(name, false), one("profile_name", "kp reader"));
        assert_eq!(parse(name, true), None, "a name is of an account");
        let of_account = parse(r#"{"account":"a1","name":"kp reader"}"#, true).unwrap();
        assert_eq!(
            of_account,
            [
                ("profile_name", "kp reader".to_owned()),
                ("account", "a1".to_owned())
            ]
        );
    }
}
