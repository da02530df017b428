//! A statement: its text, what is bound to it, and the settings that it wants for itself.

use clickhouse::{query::Query, sql::Bind};

/// A statement. The settings that it wants are sent where the server lets this user set them: it must be right without them, too.
#[derive(Clone)]
#[must_use]
pub(super) struct Statement {
    query: Query,
    wishes: Vec<Wish>,
}

/// A setting and the value that one statement wants of it.
pub(super) type Wish = (&'static str, String);

impl Statement {
    pub(super) const fn new(query: Query) -> Self {
        Self { query, wishes: Vec::new() }
    }

    /// Binds the next `?`.
    #[track_caller]
    pub(super) fn bind(self, value: impl Bind) -> Self {
        Self { query: self.query.bind(value), ..self }
    }

    /// Wants a setting, which [`pins`](super::pins) must know to ask for.
    pub(super) fn wish(mut self, name: &'static str, value: impl ToString) -> Self {
        self.wishes.push((name, value.to_string()));
        self
    }

    /// The same of one that is said elsewhere.
    pub(super) fn wish_of(self, (name, value): (&'static str, u8)) -> Self {
        self.wish(name, value)
    }

    pub(super) fn wishes(&self) -> &[Wish] {
        &self.wishes
    }

    /// To be read with these settings.
    pub(super) fn with(&self, settings: &[(&'static str, String)]) -> Query {
        settings.iter().fold(self.query.clone(), |query, (name, value)| query.with_setting(*name, value))
    }

    /// The text with what was bound, or why there is none.
    pub(super) fn text(&self) -> Result<String, String> {
        let text = self.query.sql_display().to_string();
        match text.strip_prefix("invalid SQL: ") {
            Some(why) => Err(why.to_owned()),
            None => Ok(text),
        }
    }
}
