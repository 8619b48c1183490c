//! What a session is aimed at, and how callers name organizations, spaces and instances.

use crate::json::Value;

use crate::error::{Code, Error};
use crate::guid::{InstanceGuid, OrgGuid, SpaceGuid};
use crate::options::check_region;
use crate::text::{own, parts, trim};

/// A string is a name, to be looked up; `{ guid }` is taken as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Named {
    /// To be looked up.
    Name(String),
    /// Opaque.
    Guid(String),
}

impl Named {
    /// Reads what a caller gave; further fields of an object (what lookups yield) are ignored.
    ///
    /// # Errors
    /// `invalid_input` if it is neither, or empty.
    pub fn parse(field: &str, value: Option<&Value>) -> Result<Self, Error> {
        match value {
            Some(Value::Text(name)) if !name.is_empty() => Ok(Self::Name(name.clone())),
            Some(Value::Text(_)) => Err(Error::joined(
                Code::InvalidInput,
                &["the name of the ", field, " is empty"],
                "Give the name as the service shows it, or { guid }.",
            )),
            Some(Value::Object(object)) if object.has("guid") => Ok(Self::Guid(
                object.text("guid").unwrap_or_default().to_owned(),
            )),
            _ => Err(Error::joined(
                Code::InvalidInput,
                &["the ", field, " is neither a name nor { guid }"],
                "A string is a name; { guid } is taken as it stands.",
            )),
        }
    }
}

/// How a caller names a Key Protect instance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InstanceNamed {
    /// By what it is called, a CRN, or a GUID alone: to be looked up, or known.
    Name(String),
    /// Known.
    Known(Instance),
}

/// A Key Protect instance, as far as it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Instance {
    /// What `Bluemix-Instance` wants.
    pub guid: InstanceGuid,
    /// The region of its CRN or record.
    pub region: Option<String>,
    /// A public host of its own (Key Protect Dedicated), as its record has it.
    pub host: Option<String>,
}

impl InstanceNamed {
    /// Reads a name, a CRN (text that begins `crn:v1:`, or `{ crn }`), or `{ guid }` with what a
    /// lookup yielded beside it.
    ///
    /// # Errors
    /// `invalid_input` if it is none of these, or the CRN is of another service.
    pub fn parse(value: Option<&Value>) -> Result<Self, Error> {
        match value {
            Some(Value::Text(text)) if trim(text).starts_with("crn:") => {
                parse_crn(trim(text)).map(Self::Known)
            }
            Some(Value::Object(object)) => {
                let crn = object.text("crn");
                let of_crn = crn.map(|crn| parse_crn(trim(crn))).transpose()?;
                if !object.has("guid") {
                    return of_crn.map(Self::Known).ok_or_else(not_an_instance);
                }
                let guid = object.text("guid").unwrap_or_default();
                let region = object.text("region");
                region.map_or(Ok(()), check_region)?;
                Ok(Self::Known(Instance {
                    guid: InstanceGuid::parse("instance.guid", guid)?,
                    region: own(region).or(of_crn.and_then(|instance| instance.region)),
                    host: own(object.text("host")),
                }))
            }
            _ => match Named::parse("instance", value) {
                Ok(Named::Name(name)) => Ok(Self::Name(name)),
                Ok(Named::Guid(_)) => Err(not_an_instance()),
                Err(error) => Err(error),
            },
        }
    }
}

fn not_an_instance() -> Error {
    Error::invalid_input(
        "the instance is neither a name nor { guid } nor { crn }",
        "A string is a name or a CRN; { guid } and { crn } are taken as they stand.",
    )
}

/// Reads `crn:v1:bluemix:public:kms:REGION:a/ACCOUNT:GUID::`.
///
/// # Errors
/// `invalid_input` if it is no CRN of a Key Protect instance.
pub fn parse_crn(crn: &str) -> Result<Instance, Error> {
    let fields = parts(crn, b':');
    let [scheme, version, _, _, service, region, _, guid, ..] = fields.as_slice() else {
        return Err(not_a_crn());
    };
    if *scheme != "crn" || *version != "v1" || crn.chars().any(char::is_whitespace) {
        return Err(not_a_crn());
    }
    if *service != "kms" {
        return Err(Error::invalid_input(
            "the CRN is that of another service",
            "Key Protect's CRNs have kms as their fifth field.",
        ));
    }
    check_region(region)?;
    Ok(Instance {
        guid: InstanceGuid::parse("the instance's GUID in the CRN", guid)?,
        region: own(Some(region)),
        host: None,
    })
}

fn not_a_crn() -> Error {
    Error::invalid_input(
        "the instance is no CRN that can be read",
        "A CRN has the form crn:v1:bluemix:public:kms:REGION:a/ACCOUNT:GUID::.",
    )
}

/// Checks a target as a caller gives it, before its names are looked up.
///
/// # Errors
/// `invalid_input` if it is of no kind or of two, or a name or GUID in it can't be one.
pub fn check_wanted(value: &Value) -> Result<(), Error> {
    let Value::Object(object) = value else {
        return Err(not_a_target());
    };
    if object.names().iter().any(|name| !KINDS.contains(name)) {
        return Err(not_a_target());
    }
    let named = |kind: &str| match object.get(kind) {
        Some(value) => Named::parse(kind, Some(value)).map(|_| ()),
        None => Ok(()),
    };
    match (object.has("instance"), object.has("org")) {
        (true, false) if !object.has("space") => {
            InstanceNamed::parse(object.get("instance")).map(|_| ())
        }
        (false, true) => named("org").and_then(|()| named("space")),
        _ => Err(not_a_target()),
    }
}

const KINDS: [&str; 3] = ["instance", "org", "space"];

/// What Key Protect's headers are made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// `Authorization` alone.
    None,
    /// Today's way.
    Instance(Instance),
    /// The way of 2017; without a space no key can be listed.
    Org(OrgGuid, Option<SpaceGuid>),
}

impl Target {
    /// Reads a target whose names are looked up already.
    ///
    /// # Errors
    /// `invalid_input` if it is of two kinds, or a GUID can't be one.
    pub fn parse(value: Option<&Value>) -> Result<Self, Error> {
        let object = match value {
            None => return Ok(Self::None),
            Some(Value::Object(object)) => object,
            Some(_) => return Err(not_a_target()),
        };
        if object.names().iter().any(|name| !KINDS.contains(name)) {
            return Err(not_a_target());
        }
        let [instance, org, space] = KINDS.map(|name| object.get(name));
        match (instance, org, space) {
            (None, None, None) => Ok(Self::None),
            (Some(_), None, None) => match InstanceNamed::parse(instance)? {
                InstanceNamed::Known(instance) => Ok(Self::Instance(instance)),
                InstanceNamed::Name(_) => Err(not_a_target()),
            },
            (None, Some(_), _) => {
                let org = OrgGuid::parse("org.guid", &guid_of("org", org)?)?;
                let space = match space {
                    Some(_) => Some(SpaceGuid::parse("space.guid", &guid_of("space", space)?)?),
                    None => None,
                };
                Ok(Self::Org(org, space))
            }
            _ => Err(not_a_target()),
        }
    }

    /// The region that the target names.
    pub fn region(&self) -> Option<&str> {
        match self {
            Self::Instance(instance) => instance.region.as_deref(),
            _ => None,
        }
    }
}

fn guid_of(field: &str, value: Option<&Value>) -> Result<String, Error> {
    match Named::parse(field, value)? {
        Named::Guid(guid) => Ok(guid),
        Named::Name(_) => Err(not_a_target()),
    }
}

fn not_a_target() -> Error {
    Error::invalid_input(
        "the target is neither { instance } nor { org, space? }",
        "Give one of both: today's Key Protect wants an instance, that of 2017 an org and a space.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json;

    fn value(text: &str) -> Value {
        json::parse(text.as_bytes()).unwrap()
    }

    const CRN: &str = "crn:v1:bluemix:public:kms:eu-de:a/0123456789abcdef0123456789abcdef:I1::";

    #[test]
    fn a_crn_tells_region_and_guid() {
        for text in [format!(r#""{CRN}""#), format!(r#"{{"crn":"{CRN}"}}"#)] {
            let InstanceNamed::Known(instance) = InstanceNamed::parse(Some(&value(&text))).unwrap()
            else {
                panic!("{text}")
            };
            assert_eq!(
                (instance.guid.as_str(), instance.region.as_deref()),
                ("I1", Some("eu-de"))
            );
        }
    }

    #[test]
    fn what_is_no_instance_is_invalid_input() {
        for text in [
            r#""""#,
            "5",
            "{}",
            r#"{"guid":""}"#,
            r#"{"crn":"crn:v1:x"}"#,
            r#"{"guid":"crn:v1:bluemix:public:kms:eu-de:a/1:I1::"}"#,
            r#""crn:v1:bluemix:public:cloud-object-storage:global:a/1:I1::""#,
            r#""crn:v1:bluemix:public:kms:us-south:a/1:I1:: I1""#,
            r#""crn:v1:bluemix:public:kms:evil.test:a/1:I1::""#,
        ] {
            let error = InstanceNamed::parse(Some(&value(text))).unwrap_err();
            assert_eq!(error.code.as_str(), "invalid_input", "{text}");
        }
        let plain = InstanceNamed::parse(Some(&value(r#""I1""#))).unwrap();
        assert_eq!(plain, InstanceNamed::Name("I1".into()));
    }

    #[test]
    fn a_wanted_target_may_have_names_and_is_checked_before_they_are_looked_up() {
        for text in [
            r#"{"instance":"kp"}"#,
            r#"{"instance":{"guid":"I"}}"#,
            r#"{"org":"acme","space":"dev"}"#,
            r#"{"org":{"guid":"O"}}"#,
        ] {
            assert!(check_wanted(&value(text)).is_ok(), "{text}");
        }
        for text in [
            "{}",
            "null",
            r#""acme""#,
            r#"{"space":"dev"}"#,
            r#"{"instance":"a","org":"b"}"#,
            r#"{"instance":"a","space":"b"}"#,
            r#"{"org":""}"#,
            r#"{"org":"a","space":""}"#,
            r#"{"region":"x"}"#,
            r#"{"instance":"crn:v1:x"}"#,
            r#"{"org":null}"#,
        ] {
            assert!(check_wanted(&value(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn a_target_is_an_instance_or_an_org_with_a_space() {
        let target = |text| Target::parse(Some(&value(text)));
        assert_eq!(target("{}").unwrap(), Target::None);
        assert!(matches!(
            target(r#"{"instance":{"guid":"I1"}}"#),
            Ok(Target::Instance(_))
        ));
        assert!(matches!(
            target(r#"{"org":{"guid":"cf-org-7"},"space":{"guid":"default-space"}}"#),
            Ok(Target::Org(_, Some(_)))
        ));
        for text in [
            r#"{"instance":{"guid":"I1"},"org":{"guid":"O"}}"#,
            r#"{"space":{"guid":"S"}}"#,
            r#"{"orgs":1}"#,
            r#"{"org":{"guid":"a\r\nX: y"}}"#,
            r#"{"org":"name"}"#,
        ] {
            assert!(target(text).is_err(), "{text}");
        }
    }
}
