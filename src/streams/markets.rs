//! The sources of markets as a pipeline reads them.

use std::{sync::Arc, time::Duration};

use crate::source::{MarketSource, TokenSource};

/// Where markets come from.
#[derive(Clone)]
pub struct Markets {
    /// Lists them and finds single ones.
    pub source: Arc<dyn MarketSource>,
    /// Knows single tokens.
    pub tokens: Arc<dyn TokenSource>,
    /// How often what is new and changed is asked for.
    pub poll_interval: Duration,
    /// Whether the closed markets of the past are read, too.
    pub history: bool,
}
