//! What speaks for what was delivered, beside the delivering: the same of a source as of each of its providers.

use std::collections::HashMap;

use async_trait::async_trait;

use super::state::{InDoubt, SourceState};

/// Whoever delivers fills, and can be checked.
#[async_trait]
pub trait Evidence: Send + Sync {
    /// Does one piece of checking that waits, beside the reading. Says which blocks are in doubt since then; `None` where
    /// nothing waits. Errors are no news here.
    async fn check(&self) -> Option<Vec<InDoubt>> {
        None
    }

    /// Since which block what a provider delivered rests on its word alone, by the provider's name; `None` where nothing does.
    /// It may turn out to have left something out.
    fn unproved(&self) -> Vec<(String, Option<u64>)> {
        Vec::new()
    }

    /// Takes up what an earlier process knew of that.
    fn restore(&self, unproved: &HashMap<String, u64>) {
        let _ = unproved;
    }

    /// What it has found out about its providers.
    fn state(&self) -> SourceState {
        SourceState::default()
    }
}
