//! The parameters of an address.

use axum::http::Uri;
use reqwest::Url;

/// Names and values, in their order. A name may come again: that is how lists are written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::demo) struct Params(Vec<(String, String)>);

impl Params {
    pub(in crate::demo) fn of(uri: &Uri) -> Self {
        // What is malformed stands for itself.
        let url = Url::parse(&format!("http://demo/?{}", uri.query().unwrap_or_default()));
        Self(url.map(|url| url.query_pairs().into_owned().collect()).unwrap_or_default())
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
