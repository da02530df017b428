//! What rows are found by again: the values of their key and their version, as texts.

use std::{collections::BTreeMap, fmt::Display};

use crate::model::{Amount, RawJson, TokenId};
use crate::warehouse::{table::cells::Cells, table::declaration::VERSION, table::row::TableRow};

/// The keys of rows, each with the highest version that it has among them; 0 where a table has none.
pub(in crate::warehouse) fn identities<R: TableRow>(rows: &[R]) -> Vec<Vec<String>> {
    let key = R::TABLE.places(R::TABLE.key);
    let wanted = [&key[..], &R::TABLE.places(&[VERSION])].concat();
    let mut newest: BTreeMap<Vec<String>, u64> = BTreeMap::new();
    for row in rows {
        let mut found = Texts { wanted: &wanted, at: 0, texts: vec![String::new(); wanted.len()] };
        row.cells(&mut found);
        let version = found.texts.split_off(key.len()).pop();
        let version: Option<u64> = version.and_then(|text| text.parse().ok());
        let known = newest.entry(found.texts).or_default();
        *known = version.unwrap_or_default().max(*known);
    }
    let with_version = |(key, version): (Vec<String>, u64)| [key, vec![version.to_string()]].concat();
    newest.into_iter().map(with_version).collect()
}

/// Some values of a row.
struct Texts<'a> {
    wanted: &'a [usize],
    at: usize,
    texts: Vec<String>,
}

impl Texts<'_> {
    fn take(&mut self, value: impl Display) {
        if let Some(place) = self.wanted.iter().position(|at| *at == self.at) {
            self.texts[place] = value.to_string();
        }
        self.at += 1;
    }

    /// What no key can be.
    const fn leave(&mut self) {
        self.at += 1;
    }
}

impl Cells for Texts<'_> {
    fn text(&mut self, text: &str) {
        self.take(text);
    }

    fn bytes(&mut self, _: &[u8]) {
        self.leave();
    }

    fn json(&mut self, _: &RawJson) {
        self.leave();
    }

    fn u64(&mut self, number: u64) {
        self.take(number);
    }

    fn u8_if_known(&mut self, _: Option<u8>) {
        self.leave();
    }

    fn u32_if_known(&mut self, _: Option<u32>) {
        self.leave();
    }

    fn second_if_any(&mut self, _: Option<i64>) {
        self.leave();
    }

    fn millis(&mut self, _: i64) {
        self.leave();
    }

    fn now(&mut self) {
        self.leave();
    }

    fn amount(&mut self, _: Amount) {
        self.leave();
    }

    fn price(&mut self, _: Option<f64>) {
        self.leave();
    }

    fn token(&mut self, token: TokenId) {
        self.take(token);
    }

    fn tokens(&mut self, _: &[TokenId]) {
        self.leave();
    }

    fn texts(&mut self, _: &[String]) {
        self.leave();
    }
}
