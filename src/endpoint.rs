//! Addresses: which may be used, and in what form.
//!
//! The platform's `URL` parses what a caller wrote; this module judges the raw text and the parsed
//! one. An address that a service names is read strictly, in a form on which no two parsers differ.

use crate::error::{Code, Error};
use crate::json::digits;
use crate::text::{before, cut, has, is_one_of, line, parts, text, trim, without_end};

/// The base of a service: `https` (or loopback), no query, no `/` at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    text: String,
    origin_len: usize,
}

impl Endpoint {
    /// Judges what a caller wrote (`raw`) by what the platform's `URL` made of it (`href`).
    ///
    /// # Errors
    /// `invalid_input` if it is not a URL, not `https` (loopback excepted), or has a user, a query
    /// or a fragment.
    pub fn parse(field: &str, raw: &str, href: Option<&str>) -> Result<Self, Error> {
        let raw = trim(raw);
        let odd = |c: char| c.is_whitespace() || c.is_control() || c == '\\';
        let Some(href) = href.filter(|_| !raw.is_empty() && !raw.chars().any(odd)) else {
            return Err(Error::joined(
                Code::InvalidInput,
                &[field, " is not a URL"],
                "Give an absolute address, such as https://iam.cloud.ibm.com.",
            ));
        };
        Self::read(href).map_err(|reason| {
            Error::joined(
                Code::InvalidInput,
                &[field, " ", reason],
                "Secrets go to https addresses only (http on loopback is for tests), without a \
                 user, a query or a fragment.",
            )
        })
    }

    /// Reads an address that a service named.
    ///
    /// # Errors
    /// `protocol` if it is not one that a secret may be sent to.
    pub fn discovered(what: &str, text: &str) -> Result<Self, Error> {
        Self::read(text).map_err(|reason| {
            let shown = line(text, 200);
            Error::joined(
                Code::Protocol,
                &[
                    what,
                    " that the service names ",
                    reason,
                    ": ",
                    before(&shown, b"?#"),
                ],
                "Nothing was sent there. Name the right address in the option endpoints.",
            )
        })
    }

    /// One of our own constants.
    pub(crate) fn constant(text: String) -> Self {
        let origin_len = origin_len(&text);
        Self { text, origin_len }
    }

    fn read(text: &str) -> Result<Self, &'static str> {
        let lower = text.get(..8).unwrap_or(text).to_ascii_lowercase();
        let (secure, after) = if lower.starts_with("https://") {
            (true, text.get(8..))
        } else if lower.starts_with("http://") {
            (false, text.get(7..))
        } else {
            return Err("is not an https address");
        };
        let rest = after.unwrap_or_default();
        if cut(rest, b"?#").is_some() {
            return Err("has a query or a fragment");
        }
        let authority = before(rest, b"/");
        let path = rest.get(authority.len()..).unwrap_or_default();
        if has(authority, "@") {
            return Err("has a user in it");
        }
        let (host, port) = split_port(authority).ok_or("has no host that can be used")?;
        let host = host.to_ascii_lowercase();
        if !secure && !is_loopback(&host) {
            return Err("is not an https address");
        }
        let plain =
            |byte: u8| byte.is_ascii_alphanumeric() || is_one_of(byte, b"/-._~%!$&'()*+,;=:@");
        if !path.bytes().all(plain) || parts(path, b'/').into_iter().any(is_dot_segment) {
            return Err("has a path that can't be used");
        }
        let scheme = if secure { "https" } else { "http" };
        let port = match port {
            Some(port) if port != if secure { "443" } else { "80" } => text!(":", port),
            _ => String::new(),
        };
        let mut text = text!(scheme, "://", host, port);
        let origin_len = text.len();
        text.push_str(without_end(path, "/"));
        Ok(Self { text, origin_len })
    }

    /// The address as text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> &str {
        self.text.get(..self.origin_len).unwrap_or_default()
    }

    /// The host, without the port.
    pub fn host(&self) -> &str {
        let (_, after) = cut(self.origin(), b":").unwrap_or_default();
        let after = after.strip_prefix("//").unwrap_or_default();
        split_port(after).map_or(after, |(host, _)| host)
    }

    /// Whether the host is `domain` or lies under it.
    pub fn is_under(&self, domain: &str) -> bool {
        let host = self.host();
        host.strip_suffix(domain)
            .is_some_and(|head| head.is_empty() || head.ends_with('.'))
    }

    /// The same address without what users paste at its end (longest first).
    #[must_use]
    pub fn without_suffix(mut self, suffixes: &[&str]) -> Self {
        for suffix in suffixes {
            if let Some(head) = self.text.strip_suffix(suffix)
                && head.len() >= self.origin_len
            {
                self.text = head.to_owned();
                break;
            }
        }
        self
    }

    /// The same address with a path added (which begins with `/`).
    #[must_use]
    pub fn join(&self, path: &str) -> Self {
        Self {
            text: text!(self.text, path),
            origin_len: self.origin_len,
        }
    }
}

fn origin_len(text: &str) -> usize {
    let (scheme, rest) = cut(text, b":").unwrap_or_default();
    let authority = before(rest.strip_prefix("//").unwrap_or_default(), b"/");
    scheme.len() + "://".len() + authority.len()
}

fn is_dot_segment(segment: &str) -> bool {
    let lower = segment.to_ascii_lowercase();
    matches!(
        lower.as_str(),
        "." | ".." | "%2e" | "%2e." | ".%2e" | "%2e%2e"
    )
}

fn split_port(authority: &str) -> Option<(&str, Option<&str>)> {
    let (host, port) = if authority.starts_with('[') {
        let (inner, rest) = cut(authority, b"]")?;
        let port = match rest {
            "" => None,
            _ => Some(rest.strip_prefix(':')?),
        };
        let address = |byte: u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
        if !inner.strip_prefix('[')?.bytes().all(address) {
            return None;
        }
        (authority.get(..=inner.len())?, port)
    } else {
        let (host, port) = match cut(authority, b":") {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        };
        let label = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        if !host.bytes().all(label) {
            return None;
        }
        (host, port)
    };
    let port_ok = port.is_none_or(|port| port.len() <= 5 && digits(port).is_some());
    (!host.is_empty() && port_ok).then_some((host, port))
}

fn is_loopback(host: &str) -> bool {
    let octets = parts(host, b'.');
    let ipv4 = octets.len() == 4
        && octets.first() == Some(&"127")
        && octets
            .iter()
            .all(|octet| digits(octet).is_some_and(|number| number <= 255.0));
    host == "localhost" || host == "[::1]" || ipv4
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Endpoint, Error> {
        Endpoint::parse("endpoints.iam", text, Some(text))
    }

    #[test]
    fn https_and_loopback_are_taken_and_trailing_slashes_dropped() {
        for (text, want) in [
            ("https://iam.example.test/", "https://iam.example.test"),
            ("HTTPS://IAM.EXAMPLE.TEST:443", "https://iam.example.test"),
            (
                "https://h/cloudfoundry/login/us-south//",
                "https://h/cloudfoundry/login/us-south",
            ),
            ("http://127.0.0.1:8080/iam", "http://127.0.0.1:8080/iam"),
            ("http://localhost:80", "http://localhost"),
            ("http://[::1]:8080/", "http://[::1]:8080"),
        ] {
            assert_eq!(parse(text).unwrap().as_str(), want);
        }
    }

    #[test]
    fn what_a_secret_must_not_be_sent_to_is_invalid_input() {
        for text in [
            "http://iam.example.test",
            "http://127.evil.test",
            "http://127.0.0.1.evil.test",
            "ftp://h",
            "https://",
            "https://u:p@h",
            "https://h?x=1",
            "https://h/#a",
            "https://h/../x",
            "https://h/%2e%2E/x",
            "https://h:port",
            "https://h:",
            "javascript:1",
            "https://h a",
            "https:\\\\h",
            "http://localhost.evil.test",
            "https://ev|l",
        ] {
            assert_eq!(parse(text).unwrap_err().code, Code::InvalidInput, "{text}");
        }
        assert!(Endpoint::parse("endpoints.iam", "nonsense", None).is_err());
        assert!(Endpoint::parse("endpoints.iam", "ht\ttps://h", Some("https://h")).is_err());
    }

    #[test]
    fn an_address_that_a_service_names_is_protocol_when_it_is_not_https() {
        let error =
            Endpoint::discovered("the sign-in address", "http://login.example.test").unwrap_err();
        assert_eq!(error.code, Code::Protocol);
        assert!(error.message.contains("http://login.example.test"));
        assert!(Endpoint::discovered("x", "http://127.0.0.1:1/uaa").is_ok());
    }

    #[test]
    fn a_domain_is_matched_by_whole_labels() {
        let under = |text: &str| parse(text).unwrap().is_under("cloud.ibm.com");
        assert!(under("https://iam.cloud.ibm.com") && under("https://cloud.ibm.com:8443/x"));
        assert!(!under("https://evilcloud.ibm.com") && !under("https://cloud.ibm.com.evil.test"));
    }
}
