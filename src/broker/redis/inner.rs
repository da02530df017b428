//! What the broker and its readers share.

use std::sync::{Arc, OnceLock};
use std::{collections::HashMap, sync::atomic::AtomicBool};

use parking_lot::Mutex;

use super::{heartbeat::Heartbeat, holding::Holding, keys::Keys, link::Link};
use crate::broker::stream::Group;

pub(super) struct Inner {
    pub(super) link: Arc<Link>,
    pub(super) keys: Keys,
    pub(super) consumer: String,
    /// Tells this process from an earlier one of the same name.
    pub(super) process: String,
    /// Which session was joined.
    pub(super) generation: Mutex<Option<String>>,
    /// Which one was found incomplete; empty if there was none.
    pub(super) found: Mutex<Option<String>>,
    /// The keys of its streams and cursors.
    pub(super) layout: Mutex<Vec<String>>,
    /// What the present reader of each group has in hand.
    pub(super) holdings: Mutex<HashMap<Group, Arc<Holding>>>,
    pub(super) heartbeat: OnceLock<Heartbeat>,
    /// Whether the server was found fit.
    pub(super) checked: tokio::sync::OnceCell<()>,
    /// Whether it refused to say how it is.
    pub(super) may_not_ask: AtomicBool,
}
