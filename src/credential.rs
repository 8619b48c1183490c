//! What a person signs in with: exactly one row of the credential table.
//!
//! Read from the object that the wrapper passes, functions in it already called. An error names
//! fields, never values.

use crate::json::{Object, Value};

use crate::error::{Code, Error};
use crate::http::encode_component;
use crate::options::Options;
use crate::profile::Profile;
use crate::secret::{
    AccessToken, ApiKey, Assertion, ClientSecret, Passcode, Password, RefreshToken,
};
use crate::text::{line, list, text as joined, trim};

/// A credential, checked.
#[derive(Clone, Debug)]
pub enum Credential {
    /// An API key: IAM's API-key grant, or UAA's password grant for the user `apikey`.
    ApiKey(ApiKey),
    /// Resource owner password credentials (RFC 6749, section 4.3).
    Password {
        /// As the person types it.
        username: String,
        /// As it is.
        password: Password,
        /// Identity provider at UAA, sent as `login_hint`.
        origin: Option<String>,
    },
    /// A one-time passcode from the sign-in page.
    Passcode(Passcode),
    /// A refresh token (RFC 6749, section 6).
    RefreshToken(RefreshToken),
    /// Client credentials (RFC 6749, section 4.4), at UAA: the client signs in as itself.
    Client {
        /// `client_id`
        id: String,
        /// May be empty.
        secret: ClientSecret,
        /// Whether it says who it is in the form, and not by Basic.
        in_form: bool,
    },
    /// A JWT of an identity provider that the UAA trusts (RFC 7523, section 2.1).
    Assertion(Assertion),
    /// Tokens that are there already: nothing is sent, and nothing renewed.
    Given {
        /// For Key Protect and the other services of IBM Cloud.
        iam: Option<AccessToken>,
        /// For a Cloud Foundry.
        uaa: Option<AccessToken>,
    },
    /// A compute resource's token and the trusted profile to become, at IAM.
    ComputeResource {
        /// What the platform put into the container.
        token: Assertion,
        /// Links to the resource.
        profile: Profile,
    },
}

/// A credential, and the trusted profile to assume once it has signed in.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// Who signs in.
    pub credential: Credential,
    /// Whom that identity becomes.
    pub assume: Option<Profile>,
}

impl SignIn {
    /// Reads a credential with or without `assume`.
    ///
    /// # Errors
    /// `invalid_input`, as [`Credential::parse`] and [`Profile::parse_assumed`].
    pub fn parse(value: &Value) -> Result<Self, Error> {
        let Value::Object(object) = value else {
            return Err(Error::invalid_input(
                "the credential is not an object",
                KNOWN_ROWS,
            ));
        };
        Ok(Self {
            credential: Credential::parse(object)?,
            assume: object
                .get("assume")
                .map(Profile::parse_assumed)
                .transpose()?,
        })
    }
}

struct Row {
    secret: &'static str,
    beside: &'static [&'static str],
    optional: &'static [&'static str],
}

impl Row {
    #[inline(never)]
    fn has(&self, name: &str) -> bool {
        self.requires(name) || self.optional.contains(&name)
    }

    #[inline(never)]
    fn requires(&self, name: &str) -> bool {
        self.secret == name || self.beside.contains(&name)
    }
}

const ROWS: [Row; 9] = [
    Row {
        secret: "apiKey",
        beside: &[],
        optional: &[],
    },
    Row {
        secret: "password",
        beside: &["username"],
        optional: &["origin"],
    },
    Row {
        secret: "passcode",
        beside: &[],
        optional: &[],
    },
    Row {
        secret: "refreshToken",
        beside: &[],
        optional: &[],
    },
    Row {
        secret: "clientSecret",
        beside: &["clientId"],
        optional: &[],
    },
    Row {
        secret: "assertion",
        beside: &[],
        optional: &[],
    },
    Row {
        secret: "crToken",
        beside: &["profile"],
        optional: &[],
    },
    Row {
        secret: "iamToken",
        beside: &[],
        optional: &["uaaToken"],
    },
    Row {
        secret: "uaaToken",
        beside: &[],
        optional: &[],
    },
];

const KNOWN_ROWS: &str = "Give exactly one of { apiKey }, { username, password, origin? }, \
                          { passcode }, { refreshToken }, { clientId, clientSecret }, \
                          { assertion }, { crToken, profile }, { iamToken, uaaToken? }, \
                          { uaaToken }; at IAM + assume.";

impl Credential {
    /// Reads a credential.
    ///
    /// # Errors
    /// `invalid_input` if it has fields of no kind or of two kinds, lacks one, or holds a value that
    /// can't be one.
    fn parse(object: &Object) -> Result<Self, Error> {
        let row = check_row(object)?;
        let secret = text(object, row.secret)?;
        match row.secret {
            "apiKey" => ApiKey::parse(row.secret, secret).map(Self::ApiKey),
            "passcode" => Passcode::parse(row.secret, secret).map(Self::Passcode),
            "refreshToken" => RefreshToken::parse(row.secret, secret).map(Self::RefreshToken),
            "assertion" => Assertion::parse(row.secret, secret).map(Self::Assertion),
            "crToken" => Ok(Self::ComputeResource {
                token: Assertion::parse(row.secret, secret)?,
                profile: Profile::parse(object.get("profile"))?,
            }),
            "iamToken" | "uaaToken" => {
                let token = |name: &str| match object.get(name) {
                    Some(_) => AccessToken::parse(name, text(object, name)?).map(Some),
                    None => Ok(None),
                };
                Ok(Self::Given {
                    iam: token("iamToken")?,
                    uaa: token("uaaToken")?,
                })
            }
            "clientSecret" => Ok(Self::Client {
                id: name(object, "clientId")?,
                secret: ClientSecret::new(secret),
                in_form: false,
            }),
            _ => Ok(Self::Password {
                username: name(object, "username")?,
                password: Password::parse(row.secret, secret)?,
                origin: match object.get("origin") {
                    Some(_) => Some(name(object, "origin")?),
                    None => None,
                },
            }),
        }
    }

    /// Whether the same credential may be exchanged again.
    pub fn is_reusable(&self) -> bool {
        !matches!(self, Self::Passcode(_) | Self::RefreshToken(_))
    }

    /// What signs in at a UAA alone, or at IAM alone, does not fit the other.
    ///
    /// # Errors
    /// `invalid_input` that names the field.
    pub fn check_service(&self, is_iam: bool) -> Result<(), Error> {
        let (field, wants_iam) = match self {
            Self::Password {
                origin: Some(_), ..
            } => ("origin", false),
            Self::Client { .. } => ("clientSecret", false),
            Self::Assertion(_) => ("assertion", false),
            Self::ComputeResource { .. } => ("crToken", true),
            _ => return Ok(()),
        };
        match (wants_iam, is_iam) {
            (false, true) => Err(Error::joined(
                Code::InvalidInput,
                &[field, " belongs to a UAA, and this login goes to IAM"],
                "Leave it out, or set endpoints.iam to null.",
            )),
            (true, false) => Err(Error::joined(
                Code::InvalidInput,
                &[field, " belongs to IAM, and this login goes to a UAA"],
                "Name an IAM in endpoints.iam.",
            )),
            _ => Ok(()),
        }
    }

    /// Has a client whose Basic is read in two ways say who it is in the form; whether it now does so.
    /// RFC 6749, section 2.3.1 has both parts form-encoded, and UAA decodes them, but older ones do not.
    pub fn moves_to_form(&mut self) -> bool {
        match self {
            Self::Client {
                id,
                secret,
                in_form: in_form @ false,
            } => {
                let is_plain = |text: &str| encode_component(text) == text;
                *in_form = !(is_plain(id) && is_plain(secret.expose()));
                *in_form
            }
            _ => false,
        }
    }

    /// Refuses options that could have no effect.
    ///
    /// # Errors
    /// `invalid_input` that names the option.
    pub fn check_options(&self, options: &Options) -> Result<(), Error> {
        let (option, why) = match self {
            Self::Client { .. } if options.client.is_some() => {
                ("client", "is the credential itself")
            }
            Self::ComputeResource { .. } if options.account.is_some() => {
                ("account", "follows from the trusted profile")
            }
            _ => return Ok(()),
        };
        Err(Error::joined(
            Code::InvalidInput,
            &["the option ", option, " can't be chosen here: it ", why],
            "Leave it out.",
        ))
    }

    /// Whether an exchange spends it, so that it must not be sent twice.
    pub fn spends(&self) -> bool {
        matches!(self, Self::Passcode(_))
    }
}

fn check_row(object: &Object) -> Result<&'static Row, Error> {
    let refused = |message: &str| Err(Error::invalid_input(message, KNOWN_ROWS));
    let mut names = object.names();
    names.retain(|name| *name != "assume");
    let stranger = |name: &&&str| !ROWS.iter().any(|row| row.has(name));
    if let Some(stranger) = names.iter().find(stranger) {
        let shown = line(stranger, 40);
        return refused(&joined!("a credential has no field \"", shown, "\""));
    }
    // The row is one of which a required field is there; the other fields must be of it too.
    let row = |row: &&Row| names.iter().any(|name| row.requires(name));
    let Some(row) = ROWS.iter().find(row) else {
        return refused("the credential has no field that signs in");
    };
    if !names.iter().all(|name| row.has(name)) {
        let fields = list(&names, ", ");
        return refused(&joined!("the credential has fields of two kinds: ", fields));
    }
    let lacks = |name: &&&str| !names.contains(*name);
    match row.beside.iter().chain([&row.secret]).find(lacks) {
        Some(missing) => refused(&joined!("the credential lacks ", missing)),
        None => Ok(row),
    }
}

fn text<'a>(object: &'a Object, field: &str) -> Result<&'a str, Error> {
    match object.get(field) {
        Some(Value::Text(text)) => Ok(text),
        _ => Err(Error::joined(
            Code::InvalidInput,
            &[field, " is not a text"],
            "Give a string, or a function that gives one.",
        )),
    }
}

fn name(object: &Object, field: &str) -> Result<String, Error> {
    let text = text(object, field)?;
    if trim(text).is_empty() {
        return Err(Error::joined(
            Code::InvalidInput,
            &[field, " is empty"],
            "Give a name.",
        ));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests;
