//! What is to be done in one step: entries of the list, by their tokens.

use std::collections::{HashMap, HashSet};

use crate::{model::TokenId, warehouse::UnresolvedEntry};

/// So many entries of one token in one month are made one.
const FOLDED_AT: usize = 32;

/// Entries that were read before anything of their rows is.
#[derive(Debug, Default)]
pub(crate) struct Todo {
    entries: Vec<UnresolvedEntry>,
}

impl Todo {
    pub(crate) fn new(newest: Vec<UnresolvedEntry>, swept: Vec<UnresolvedEntry>) -> Self {
        let mut seen = HashSet::new();
        let all = newest.into_iter().chain(swept);
        let entries = all.filter(|entry| seen.insert((entry.token, entry.insert.clone()))).collect();
        Self { entries }
    }

    /// All of them.
    pub(crate) fn entries(&self) -> &[UnresolvedEntry] {
        &self.entries
    }

    /// Their tokens, each once, in the order of the entries.
    pub(crate) fn tokens(&self) -> Vec<TokenId> {
        let mut seen = HashSet::new();
        self.entries.iter().map(|entry| entry.token).filter(|token| seen.insert(*token)).collect()
    }

    /// The newest insert of each of the tokens.
    pub(crate) fn newest_inserts(&self) -> HashMap<TokenId, &str> {
        let mut newest: HashMap<TokenId, &str> = HashMap::new();
        for entry in &self.entries {
            let insert = newest.entry(entry.token).or_default();
            *insert = entry.insert.as_str().max(insert);
        }
        newest
    }

    /// Takes out those of the tokens that are so.
    pub(crate) fn take(&mut self, is_so: impl Fn(&TokenId) -> bool) -> Vec<UnresolvedEntry> {
        self.entries.extract_if(.., |entry| is_so(&entry.token)).collect()
    }

    /// Those of the tokens that are so.
    pub(crate) fn of(&self, is_so: impl Fn(&TokenId) -> bool) -> Vec<UnresolvedEntry> {
        self.entries.iter().filter(|entry| is_so(&entry.token)).cloned().collect()
    }

    /// Entries that can be one, as they are and as one: a token that nobody knows is in every insert while it is traded, and
    /// nobody needs to know which.
    pub(crate) fn foldable(&self) -> Vec<(Vec<UnresolvedEntry>, UnresolvedEntry)> {
        let mut by_month: HashMap<(TokenId, (i16, i8)), Vec<&UnresolvedEntry>> = HashMap::new();
        for entry in &self.entries {
            by_month.entry((entry.token, entry.month())).or_default().push(entry);
        }
        let many = by_month.into_values().filter(|entries| entries.len() >= FOLDED_AT);
        many.filter_map(|entries| {
            let first = entries.iter().map(|entry| entry.first).min()?;
            let last = entries.iter().map(|entry| entry.last).max()?;
            let one = UnresolvedEntry::fresh(entries.first()?, first, last);
            Some((entries.into_iter().cloned().collect(), one))
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::U256;

    fn entry(token: u64, insert: &str, first: u32, last: u32) -> UnresolvedEntry {
        UnresolvedEntry { token: TokenId(U256::from(token)), insert: insert.into(), first, last }
    }

    #[test]
    fn an_entry_is_there_once_however_it_was_found() {
        let (a, b) = (entry(1, "a-202607", 1, 2), entry(2, "a-202607", 1, 2));
        let mut todo = Todo::new(vec![b.clone()], vec![a.clone(), b.clone()]);
        assert_eq!(todo.entries(), [b.clone(), a.clone()]);
        assert_eq!(todo.tokens(), [b.token, a.token]);
        assert_eq!(todo.take(|token| *token == a.token), [a]);
        assert_eq!(todo.entries(), [b]);
    }

    #[test]
    fn many_entries_of_a_token_and_a_month_become_one() {
        let (july, august) = (1_785_000_000, 1_785_542_400);
        let mut entries: Vec<_> =
            (0..FOLDED_AT as u32).map(|n| entry(1, &format!("{n}-202607"), july + 100 + n, july + 200 + n)).collect();
        entries.push(entry(1, "x-202608", august, august + 1));
        entries.push(entry(2, "x-202607", july, july + 1));
        let todo = Todo::new(vec![], entries.clone());
        let folded = todo.foldable();
        assert_eq!(folded.len(), 1);
        let (old, one) = &folded[0];
        assert_eq!(old.len(), FOLDED_AT);
        assert_eq!((one.token, one.first, one.last), (entries[0].token, july + 100, july + 200 + FOLDED_AT as u32 - 1));
        assert!(one.insert.ends_with("-202607") && !entries.iter().any(|entry| entry.insert == one.insert));
        assert!(Todo::new(vec![], entries[1..].to_vec()).foldable().is_empty(), "a few stay");
    }
}
