//! Base64 (RFC 4648): encoding for `Authorization: Basic`, decoding for the parts of a JWT. Our own,
//! since the constant-time ones weigh ten times as much; held to one of them by a test.

use crate::text::without_end;

/// Standard alphabet, padded.
pub(crate) fn encode(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    encode_as(bytes, ALPHABET, "=")
}

/// The URL alphabet, not padded.
pub(crate) fn encode_url(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    encode_as(bytes, ALPHABET, "")
}

#[inline(never)]
fn encode_as(bytes: &[u8], alphabet: &[u8; 64], pad: &str) -> String {
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let group = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            let index = (group >> (18 - 6 * place)) & 63;
            match alphabet.get(index as usize) {
                Some(symbol) if place <= chunk.len() => out.push(char::from(*symbol)),
                _ => out.push_str(pad),
            }
        }
    }
    out
}

/// The URL alphabet, padded or not; `None` for anything else.
pub(crate) fn decode_url(text: &str) -> Option<Vec<u8>> {
    let text = without_end(text, "=");
    let mut out = Vec::with_capacity(text.len() / 4 * 3 + 2);
    let (mut group, mut bits) = (0_u32, 0_u32);
    for byte in text.bytes() {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        group = group << 6 | u32::from(six);
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push(u8::try_from(group >> bits & 255).ok()?);
            group &= (1 << bits) - 1;
        }
    }
    // One symbol over stands for no byte, and what is over must be zero.
    (bits < 6 && group == 0).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64ct::{Base64, Base64UrlUnpadded, Encoding};

    proptest::proptest! {
        #[test]
        fn encoding_is_that_of_the_library(bytes: Vec<u8>) {
            proptest::prop_assert_eq!(encode(&bytes), Base64::encode_string(&bytes));
        }

        #[test]
        fn decoding_is_that_of_the_library(bytes: Vec<u8>) {
            let text = Base64UrlUnpadded::encode_string(&bytes);
            proptest::prop_assert_eq!(encode_url(&bytes), text.as_str());
            proptest::prop_assert_eq!(decode_url(&text), Some(bytes));
        }

        #[test]
        fn what_the_library_refuses_is_refused(text in "[A-Za-z0-9_+/ -]{0,12}") {
            proptest::prop_assert_eq!(decode_url(&text), Base64UrlUnpadded::decode_vec(&text).ok());
        }
    }
}
