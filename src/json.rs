//! JSON that comes from outside, and plain data that goes out.
//!
//! The reader is lenient where services are sloppy (a byte order mark, raw control characters in texts,
//! lone surrogates), bounded in depth, and never panics. It is our own since the ones at hand weigh a
//! third of the whole core: numbers are read to the precision of seconds and counts, and errors have no
//! details. A differential test holds it to `serde_json`.

mod reader;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

pub use reader::{parse, parse_exact};

/// Any JSON value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// Any number.
    Number(f64),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Value>),
    /// An object.
    Object(Object),
}

impl Value {
    fn as_object(&self) -> Option<&Object> {
        match self {
            Self::Object(object) => Some(object),
            _ => None,
        }
    }
}

/// An object: few fields, so a list of them; of doubles the last counts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Object(Vec<(String, Value)>);

impl Object {
    /// The field of that name.
    #[inline(never)]
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0
            .iter()
            .rev()
            .find(|(have, _)| have == name)
            .map(|(_, value)| value)
    }

    /// Whether there is a field of that name.
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Whether there are several fields of that name.
    #[inline(never)]
    pub fn has_twice(&self, name: &str) -> bool {
        self.0.iter().filter(|(have, _)| have == name).count() > 1
    }

    /// The names, in the order of the text.
    #[inline(never)]
    pub fn names(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// A text field that is there and not empty.
    #[inline(never)]
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name) {
            Some(Value::Text(text)) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    /// A field that is a number, or digits in text.
    #[inline(never)]
    pub fn number(&self, name: &str) -> Option<f64> {
        match self.get(name)? {
            Value::Number(number) => Some(*number),
            Value::Text(text) => digits(text),
            _ => None,
        }
    }

    /// A field that is an object.
    #[inline(never)]
    pub fn object(&self, name: &str) -> Option<&Object> {
        self.get(name).and_then(Value::as_object)
    }

    /// The objects of a field that is a list; `None` if it is none.
    #[inline(never)]
    pub fn objects(&self, name: &str) -> Option<Vec<&Object>> {
        match self.get(name) {
            Some(Value::List(items)) => Some(items.iter().filter_map(Value::as_object).collect()),
            _ => None,
        }
    }

    /// The first object of a field that is a list of them.
    #[inline(never)]
    pub fn first(&self, name: &str) -> Option<&Object> {
        match self.get(name) {
            Some(Value::List(items)) => items.iter().find_map(Value::as_object),
            _ => None,
        }
    }

    /// Whether a field is a text, or a list that has it.
    #[inline(never)]
    pub fn lists(&self, name: &str, text: &str) -> bool {
        self.items(name)
            .iter()
            .any(|item| matches!(item, Value::Text(item) if item == text))
    }

    /// What is in a list; anything but a list is one of itself.
    #[inline(never)]
    pub fn items(&self, name: &str) -> &[Value] {
        match self.get(name) {
            None => &[],
            Some(Value::List(items)) => items,
            Some(one) => std::slice::from_ref(one),
        }
    }

    /// Whether a field is `true`.
    #[inline(never)]
    pub fn is_true(&self, name: &str) -> bool {
        matches!(self.get(name), Some(Value::Bool(true)))
    }

    /// The same object with a further field.
    #[must_use]
    #[inline(never)]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.0.push((name.to_owned(), value));
        self
    }

    /// The same object with a further text, if there is one.
    #[must_use]
    #[inline(never)]
    pub fn with_text(self, name: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) => self.with(name, Value::Text(text.to_owned())),
            None => self,
        }
    }

    /// The same object with a further number, if there is one.
    #[must_use]
    #[inline(never)]
    pub fn with_number(self, name: &str, number: Option<f64>) -> Self {
        match number {
            Some(number) => self.with(name, Value::Number(number)),
            None => self,
        }
    }
}

/// Digits alone, as a number.
#[inline(never)]
pub fn digits(text: &str) -> Option<f64> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| {
        text.bytes()
            .fold(0.0, |sum, byte| sum * 10.0 + f64::from(byte - b'0'))
    })
}

/// Reads a whole body that must be an object.
#[inline(never)]
pub fn parse_object(body: &[u8]) -> Option<Object> {
    match parse(body)? {
        Value::Object(object) => Some(object),
        _ => None,
    }
}

/// The body as text: valid UTF-8 without a byte order mark, control characters as blanks, so that a
/// strict reader takes it too.
pub fn text_of(body: &[u8]) -> Option<String> {
    let mut bytes = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).to_vec();
    for byte in &mut bytes {
        // Outside of texts JSON reads these as blanks too, or not at all: nothing else changes.
        if *byte < b' ' {
            *byte = b' ';
        }
    }
    String::from_utf8(bytes).ok()
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(bool) => serializer.serialize_bool(*bool),
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => {
                let mut list = serializer.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(item)?;
                }
                list.end()
            }
            Self::Object(object) => {
                let mut map = serializer.serialize_map(Some(object.0.len()))?;
                for (name, value) in &object.0 {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<bool> for Value {
    fn from(bool: bool) -> Self {
        Self::Bool(bool)
    }
}

impl From<Object> for Value {
    fn from(object: Object) -> Self {
        Self::Object(object)
    }
}

#[cfg(test)]
mod tests;
