//! The reader (RFC 8259).

use super::{Object, Value};

/// Deeper nesting than any service's is refused, so that the stack of a page is safe.
const DEPTH: u32 = 64;

/// Reads a whole body; a lone surrogate is read as U+FFFD.
pub fn parse(body: &[u8]) -> Option<Value> {
    read(body).map(|(value, _)| value)
}

/// Reads a whole text that must be exact: a lone surrogate in it gives nothing.
pub fn parse_exact(text: &str) -> Option<Value> {
    match read(text.as_bytes())? {
        (value, false) => Some(value),
        (_, true) => None,
    }
}

fn read(body: &[u8]) -> Option<(Value, bool)> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    let mut reader = Reader {
        rest: body,
        has_lone_surrogate: false,
    };
    let value = reader.value(DEPTH)?;
    reader.blanks();
    reader
        .rest
        .is_empty()
        .then_some((value, reader.has_lone_surrogate))
}

struct Reader<'a> {
    rest: &'a [u8],
    has_lone_surrogate: bool,
}

impl Reader<'_> {
    #[inline(never)]
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    #[inline(never)]
    fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Control characters count as blanks.
    #[inline(never)]
    fn blanks(&mut self) {
        while self.peek().is_some_and(|byte| byte <= b' ') {
            self.next();
        }
    }

    #[inline(never)]
    fn takes(&mut self, word: &[u8]) -> bool {
        match self.rest.strip_prefix(word) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn value(&mut self, depth: u32) -> Option<Value> {
        self.blanks();
        match self.peek()? {
            b'{' => self.object(depth.checked_sub(1)?).map(Value::Object),
            b'[' => self.list(depth.checked_sub(1)?).map(Value::List),
            b'"' => self.text().map(Value::Text),
            b't' => self.takes(b"true").then_some(Value::Bool(true)),
            b'f' => self.takes(b"false").then_some(Value::Bool(false)),
            b'n' => self.takes(b"null").then_some(Value::Null),
            _ => self.number().map(Value::Number),
        }
    }

    fn object(&mut self, depth: u32) -> Option<Object> {
        let mut fields = Vec::new();
        self.next();
        self.blanks();
        if self.takes(b"}") {
            return Some(Object(fields));
        }
        loop {
            self.blanks();
            let name = self.text()?;
            self.blanks();
            if !self.takes(b":") {
                return None;
            }
            fields.push((name, self.value(depth)?));
            if self.ends(b'}')? {
                return Some(Object(fields));
            }
        }
    }

    fn list(&mut self, depth: u32) -> Option<Vec<Value>> {
        let mut items = Vec::new();
        self.next();
        self.blanks();
        if self.takes(b"]") {
            return Some(items);
        }
        loop {
            items.push(self.value(depth)?);
            if self.ends(b']')? {
                return Some(items);
            }
        }
    }

    /// A comma, or the end.
    fn ends(&mut self, end: u8) -> Option<bool> {
        self.blanks();
        match self.next()? {
            b',' => Some(false),
            byte => (byte == end).then_some(true),
        }
    }

    fn text(&mut self) -> Option<String> {
        if !self.takes(b"\"") {
            return None;
        }
        let mut bytes = Vec::new();
        loop {
            // Most of a text needs no look, byte for byte.
            let plain = |byte: &&u8| **byte >= b' ' && !matches!(**byte, b'"' | b'\\');
            let run = self.rest.iter().take_while(plain).count();
            let (run, rest) = self.rest.split_at_checked(run)?;
            bytes.extend_from_slice(run);
            self.rest = rest;
            match self.next()? {
                b'"' => return String::from_utf8(bytes).ok(),
                b'\\' => self.escape(&mut bytes)?,
                _ => bytes.push(b' '),
            }
        }
    }

    fn escape(&mut self, bytes: &mut Vec<u8>) -> Option<()> {
        let byte = match self.next()? {
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => {
                let c = self.unicode()?;
                bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                return Some(());
            }
            byte @ (b'"' | b'\\' | b'/') => byte,
            _ => return None,
        };
        bytes.push(byte);
        Some(())
    }

    fn unicode(&mut self) -> Option<char> {
        let first = self.hex()?;
        if let Some(c) = char::from_u32(first) {
            return Some(c);
        }
        let before = self.rest;
        if first < 0xdc00 && self.takes(b"\\u") {
            let second = self.hex()?;
            if (0xdc00..0xe000).contains(&second) {
                return char::from_u32(0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00));
            }
            self.rest = before;
        }
        self.has_lone_surrogate = true;
        Some(char::REPLACEMENT_CHARACTER)
    }

    fn hex(&mut self) -> Option<u32> {
        let mut number = 0;
        for _ in 0..4 {
            number = number * 16 + char::from(self.next()?).to_digit(16)?;
        }
        Some(number)
    }

    /// Precise to 2^53, and to some units in the last place beyond and behind the point.
    fn number(&mut self) -> Option<f64> {
        let negative = self.takes(b"-");
        let starts_with_zero = self.peek() == Some(b'0');
        let (mut number, whole) = self.digits(0.0);
        if whole == 0 || (starts_with_zero && whole > 1) {
            return None;
        }
        let mut exponent = 0;
        if self.takes(b".") {
            let (with_fraction, places) = self.digits(number);
            if places == 0 {
                return None;
            }
            number = with_fraction;
            exponent = -places;
        }
        if self.takes(b"e") || self.takes(b"E") {
            let minus = self.takes(b"-");
            if !minus {
                self.takes(b"+");
            }
            let (size, places) = self.digits(0.0);
            if places == 0 {
                return None;
            }
            #[allow(clippy::cast_possible_truncation)] // bounded just before
            let size = size.min(400.0) as i32;
            exponent += if minus { -size } else { size };
        }
        let scaled = if exponent < 0 {
            number / 10f64.powi(-exponent)
        } else {
            number * 10f64.powi(exponent)
        };
        Some(if negative { -scaled } else { scaled })
    }

    fn digits(&mut self, mut number: f64) -> (f64, i32) {
        let mut places = 0_i32;
        while let Some(byte @ b'0'..=b'9') = self.peek() {
            self.next();
            number = number * 10.0 + f64::from(byte - b'0');
            places = places.saturating_add(1);
        }
        (number, places)
    }
}
