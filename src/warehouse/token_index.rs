//! What is known of tokens, and which are still to be resolved.

use std::collections::{HashMap, HashSet};

use async_trait::async_trait;

use super::error::Result;
use super::unresolved::{ListScan, ListState, Scanned, UnresolvedEntry, UnresolvedPage, UnresolvedPlace};
use crate::model::{Resolution, TokenId};

/// Tokens by what the tables say of them.
#[async_trait]
pub trait TokenIndex: Send + Sync {
    /// What the markets that are there tell of tokens; nothing of those that none lists. Where two list a token, the one
    /// whose condition the token names tells, and among equals the one with the smaller id.
    async fn resolutions(&self, tokens: &[TokenId]) -> Result<HashMap<TokenId, Resolution>>;

    /// The list of tokens whose rows may still be completed, those behind `after`: the entries of at most so many tokens.
    async fn unresolved_tokens(&self, after: Option<&UnresolvedPlace>, tokens: u32) -> Result<UnresolvedPage>;

    /// The entries that were written within the last minute, of at most so many tokens, the newest first.
    async fn newest_unresolved(&self, tokens: u32) -> Result<Vec<UnresolvedEntry>>;

    /// Completes the trades of tokens that know less than this of their token, in the days of these entries. Says how many
    /// there were.
    async fn resolve(&self, tokens: &[(TokenId, Resolution)], entries: &[UnresolvedEntry]) -> Result<u64>;

    /// The tokens of these entries that have incomplete rows in their days.
    async fn still_unresolved(&self, entries: &[UnresolvedEntry]) -> Result<HashSet<TokenId>>;

    /// Removes from the list these entries and no others. They must have been read before what was to be completed was read.
    async fn remove_unresolved(&self, entries: &[UnresolvedEntry]) -> Result<()>;

    /// Puts entries on the list.
    async fn list_unresolved(&self, entries: &[UnresolvedEntry]) -> Result<()>;

    /// Whether the list was filled, and what is due to be compared with it. A list that cannot differ from the rows needs
    /// neither.
    async fn list_state(&self) -> Result<ListState> {
        Ok(ListState { is_filled: true, due: Vec::new() })
    }

    /// Compares a part of the trades with the list. A fill puts on it what is missing.
    async fn scan_list(&self, _: &ListScan) -> Result<Scanned> {
        Ok(Scanned::Found { count: 0, entries: Vec::new() })
    }

    /// Notes that a partition was compared, and what was missing; without one that the list is filled.
    async fn note_scan(&self, _partition: Option<&str>, _found: u64) -> Result<()> {
        Ok(())
    }
}
