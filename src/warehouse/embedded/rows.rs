//! Rows of any table: their statements, made of its columns, and their values.

use std::fmt::{Display, Write as _};

use rusqlite::{CachedStatement, ToSql, Transaction};

use crate::clock::unix_ms;
use crate::model::{Amount, RawJson, TokenId};
use crate::warehouse::table::declaration::{Table, VERSION, WRITTEN_AT, listed};
use crate::warehouse::{error::Result, table::cells::Cells, table::row::TableRow};

/// Inserts what is new and replaces what was poorer. Says how many rows are new.
pub(in crate::warehouse) fn upsert<R: TableRow>(tx: &Transaction<'_>, rows: &[R]) -> Result<usize> {
    let mut insert = Writing::new(tx.prepare_cached(&insert(&R::TABLE))?);
    let mut replace = match R::TABLE.is_versioned() {
        true => Some(Writing::new(tx.prepare_cached(&replace(&R::TABLE))?)),
        false => None,
    };
    let mut new = 0;
    for row in rows {
        if insert.execute(row)? == 1 {
            new += 1;
        } else if let Some(replace) = &mut replace {
            replace.execute(row)?;
        }
    }
    Ok(new)
}

/// The statement that inserts a row where there is none with its key.
fn insert(table: &Table) -> String {
    format!("{} ON CONFLICT DO NOTHING", values(table))
}

/// The statement that inserts a row or replaces what is not better. One that says the same is not touched: not even when it came. What
/// has another key is never replaced.
pub(super) fn replace(table: &Table) -> String {
    let is_written = |name: &&str| !table.embedded_key.contains(name);
    let names: Vec<&str> = table.columns.iter().map(|column| column.name).filter(is_written).collect();
    let now = |name: &&&str| **name != WRITTEN_AT;
    let said: Vec<&str> = names.iter().filter(now).copied().collect();
    let no_richer = format!("old.{VERSION} <= excluded.{VERSION}");
    // What older entries do not carry is kept.
    let value = |name: &&str| match table.kept.contains(name) {
        true => format!("coalesce(excluded.{name}, old.{name})"),
        false => format!("excluded.{name}"),
    };
    let (old, new) = (listed(&said, |name| format!("old.{name}")), listed(&said, value));
    let says_more = format!("({old}) IS NOT ({new})");
    let only_if = [Some(no_richer.as_str()), table.replaced_if, Some(says_more.as_str())];
    format!(
        "{} ON CONFLICT ({}) DO UPDATE SET {} WHERE {} ON CONFLICT DO NOTHING",
        values(table),
        table.embedded_key.join(", "),
        listed(&names, |name| format!("{name} = {}", value(name))),
        only_if.into_iter().flatten().collect::<Vec<_>>().join(" AND ")
    )
}

fn values(table: &Table) -> String {
    format!("INSERT INTO {} AS old ({}) VALUES ({})", table.id, table.names(), listed(table.columns, |_| "?".into()))
}

/// A statement that is executed for row after row.
pub(super) struct Writing<'c> {
    statement: CachedStatement<'c>,
    now: i64,
    /// Columns that are bound.
    bound: usize,
    failed: Option<rusqlite::Error>,
    text: String,
}

impl<'c> Writing<'c> {
    pub(super) fn new(statement: CachedStatement<'c>) -> Self {
        Self { statement, now: unix_ms(), bound: 0, failed: None, text: String::new() }
    }

    /// Executes it for a row. Says how many rows it changed.
    pub(super) fn execute(&mut self, row: &impl TableRow) -> rusqlite::Result<usize> {
        self.bound = 0;
        row.cells(self);
        match self.failed.take() {
            Some(error) => Err(error),
            None => self.statement.raw_execute(),
        }
    }

    fn bind(&mut self, value: impl ToSql) {
        self.bound += 1;
        if let Err(error) = self.statement.raw_bind_parameter(self.bound, value) {
            self.failed.get_or_insert(error);
        }
    }

    fn display(&mut self, value: impl Display) {
        let mut text = std::mem::take(&mut self.text);
        text.clear();
        let _ = write!(text, "{value}");
        self.bind(&text);
        self.text = text;
    }
}

impl Cells for Writing<'_> {
    fn text(&mut self, text: &str) {
        self.bind(text);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.bind(bytes);
    }

    fn json(&mut self, json: &RawJson) {
        self.bind(json.as_packed());
    }

    fn u64(&mut self, number: u64) {
        self.bind(number);
    }

    fn u8_if_known(&mut self, number: Option<u8>) {
        self.bind(number);
    }

    fn u32_if_known(&mut self, number: Option<u32>) {
        self.bind(number);
    }

    fn hash(&mut self, hash: u64) {
        self.bind(hash.cast_signed());
    }

    fn second_if_any(&mut self, second: Option<i64>) {
        self.bind(second);
    }

    fn millis(&mut self, millis: i64) {
        self.bind(millis);
    }

    fn now(&mut self) {
        self.bind(self.now);
    }

    fn amount(&mut self, amount: Amount) {
        self.display(amount);
    }

    fn price(&mut self, price: Option<f64>) {
        self.bind(price);
    }

    fn token(&mut self, token: TokenId) {
        self.display(token);
    }

    fn tokens(&mut self, tokens: &[TokenId]) {
        self.bind(decimals(tokens));
    }

    fn texts(&mut self, texts: &[String]) {
        self.bind(json(texts));
    }
}

/// A list of texts as JSON.
fn json(texts: &[String]) -> String {
    serde_json::Value::from(texts).to_string()
}

/// Tokens as a JSON list of decimals as text: as numbers they would lose their digits in most readers.
pub(super) fn decimals(tokens: &[TokenId]) -> String {
    json(&tokens.iter().map(TokenId::to_string).collect::<Vec<_>>())
}
