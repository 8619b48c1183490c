//! GUIDs as types that cannot be swapped.
//!
//! Cloud Foundry makes them UUIDs, but others (Korifi, service brokers) do not: they are opaque,
//! and only what cannot stand in a header or a path is refused.

use crate::error::{Code, Error};

macro_rules! guid {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// Reads a GUID that a caller gave or a service answered.
            ///
            /// # Errors
            /// `invalid_input` if it is empty or holds blanks, control characters or non-ASCII.
            pub fn parse(field: &str, text: &str) -> Result<Self, Error> {
                checked(field, text).map(Self)
            }

            /// The GUID as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

guid! {
    /// A Cloud Foundry organization.
    OrgGuid
}
guid! {
    /// A Cloud Foundry space.
    SpaceGuid
}
guid! {
    /// A Key Protect instance.
    InstanceGuid
}

fn checked(field: &str, text: &str) -> Result<String, Error> {
    if text.starts_with("crn:") {
        return Err(Error::joined(
            Code::InvalidInput,
            &[field, " is a CRN, not a GUID"],
            "Pass a CRN as it is, or as { crn }.",
        ));
    }
    if text.is_empty() || text.len() > 255 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Error::joined(
            Code::InvalidInput,
            &[field, " is not a GUID"],
            "A GUID is one word of visible ASCII characters.",
        ));
    }
    Ok(text.to_owned())
}

/// Whether a name looks like a UUID, so that the caller may have meant `{ guid }`.
pub fn looks_like_guid(name: &str) -> bool {
    name.len() == 36
        && name.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opaque_ids_pass_and_what_would_break_a_header_does_not() {
        assert_eq!(
            OrgGuid::parse("org", "cf-org-7").unwrap().as_str(),
            "cf-org-7"
        );
        for text in [
            "",
            "a\r\nX: y",
            "a b",
            "é",
            "crn:v1:bluemix:public:kms:us-south:a/1:2::",
        ] {
            assert!(OrgGuid::parse("org", text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_name_in_the_form_of_a_uuid_is_recognized() {
        assert!(looks_like_guid("11111111-2222-4333-8444-555555555555"));
        assert!(!looks_like_guid("11111111-2222-4333-8444-55555555555"));
        assert!(!looks_like_guid("acme"));
    }
}
