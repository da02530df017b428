//! How full the memory is that the streams are kept in.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::broker::{Broker, Memory};

/// How long an answer holds, as long as there is plenty: whoever appends fills megabytes in a second, and a small server has few.
const HOLDS: Duration = Duration::from_millis(100);

/// Asks the broker, now and then.
pub(crate) struct MemoryProbe {
    broker: Arc<dyn Broker>,
    checked: Option<(Instant, Option<Memory>)>,
}

impl MemoryProbe {
    pub(crate) const fn new(broker: Arc<dyn Broker>) -> Self {
        Self { broker, checked: None }
    }

    /// What there is, where so many percent of it are in use. What cannot be told holds up nobody.
    pub(crate) async fn from(&mut self, percent: u64) -> Option<Memory> {
        let memory = match self.checked {
            Some((at, memory)) if at.elapsed() < HOLDS && !memory.is_some_and(is_tight) => memory,
            _ => {
                let memory = self.broker.memory().await.ok().flatten();
                self.checked = Some((Instant::now(), memory));
                memory
            }
        };
        memory.filter(|memory| is_filled(*memory, percent))
    }
}

fn is_tight(memory: Memory) -> bool {
    is_filled(memory, Memory::TIGHT)
}

fn is_filled(memory: Memory, percent: u64) -> bool {
    memory.percent().is_some_and(|used| used >= percent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::Product;

    #[test]
    fn what_has_no_limit_is_never_full() {
        let is_filled = |used, limit, percent| is_filled(Memory { server: Product::Redis, used, limit }, percent);
        assert!(!is_filled(849, Some(1_000), Memory::FULL) && is_filled(849, Some(1_000), Memory::TIGHT));
        assert!(is_filled(850, Some(1_000), Memory::FULL) && is_filled(2_000, Some(1_000), Memory::FULL));
        assert!(!is_filled(u64::MAX, None, 1));
    }
}
