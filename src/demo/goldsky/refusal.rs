//! How a query is refused: status 200 and `errors`, in the words of graph-node.

use graphql_parser::Pos;
use graphql_parser::query::ParseError;

use crate::demo::gamma::Object;
use crate::demo::http::reply::Reply;

/// Why a query has no answer, and where in it the reason stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::demo) struct Refusal {
    at: Option<(usize, usize)>,
    message: String,
}

impl Refusal {
    pub(in crate::demo) fn new(message: impl Into<String>) -> Self {
        Self { at: None, message: message.into() }
    }

    pub(in crate::demo) fn at(place: Pos, message: impl Into<String>) -> Self {
        Self { at: Some((place.line, place.column)), message: message.into() }
    }

    /// The text of the parser begins with the place, as `query parse error: Parse error at 8:14`.
    pub(in crate::demo) fn of_syntax(error: &ParseError) -> Self {
        let text = error.to_string();
        let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
        let place = first.rsplit(' ').next().and_then(|place| place.split_once(':'));
        let at = place.and_then(|(line, column)| Some((line.parse().ok()?, column.parse().ok()?)));
        let message = if at.is_some() && !rest.is_empty() { rest.trim_end() } else { &text };
        Self { at, message: message.into() }
    }

    pub(in crate::demo) fn timed_out() -> Self {
        Self::new("Query timed out")
    }

    /// One element of `errors`.
    pub(in crate::demo) fn json(&self) -> String {
        let mut object = Object::new(false);
        if let Some((line, column)) = self.at {
            object.raw("locations", format!("[{{\"line\":{line},\"column\":{column}}}]"));
        }
        object.text("message", &self.message);
        object.end()
    }

    /// The answer that is nothing but this.
    pub(in crate::demo) fn reply(&self) -> Reply {
        Reply::ok(format!("{{\"errors\":[{}]}}", self.json()))
    }
}
