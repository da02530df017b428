//! The parameters of an address.

use axum::http::Uri;

/// Names and values, in their order. A name may come again: that is how lists are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::demo) struct Params(Vec<(String, String)>);

impl Params {
    pub(in crate::demo) fn of(uri: &Uri) -> Self {
        let pairs = uri.query().unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        Self(
            pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(k, v)| (decode(k), decode(v))).collect(),
        )
    }

    /// The first value of a name.
    pub(in crate::demo) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    /// All values of a name.
    pub(in crate::demo) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(in crate::demo) fn flag(&self, name: &str) -> bool {
        self.get(name) == Some("true")
    }
}

/// `%20` and `+` as what they stand for. What is malformed stands for itself.
fn decode(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let byte = match (first, tail) {
            (b'%', [high, low, ..]) => hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        rest = if byte.is_some() { &tail[2..] } else { tail };
        out.push(byte.unwrap_or(if *first == b'+' { b' ' } else { *first }));
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| value.try_into().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_names_that_come_again() {
        let params = Params::of(&Uri::from_static("/x?a=1&b=%7B%22%7d+%zz%4&a=2&c&closed=true"));
        assert_eq!(params.all("a").collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(params.get("b"), Some("{\"} %zz%4"));
        assert_eq!((params.get("c"), params.get("d")), (Some(""), None));
        assert!(params.flag("closed") && !params.flag("a"));
        assert_eq!(Params::of(&Uri::from_static("/x")), Params::default());
    }
}
