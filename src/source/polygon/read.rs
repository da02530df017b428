//! Reads blocks from one endpoint, in the way that their depth below the head asks for.
//!
//! ```text
//! tip    within 128 blocks of the head     by hash
//! near   within 4,096                      a range; what is behind its last log by hash
//! deep   further back                      a range; what is behind its last log is a range without logs
//! ```

use super::span::{Depth, Span};
use super::{endpoint::Endpoint, failure::Result, nodes::Polygon, reading::Read, tip::MOST_BLOCKS};

impl Polygon {
    /// Reads from `span.from` on, as far as one request reaches and `span.last` allows.
    pub(super) async fn read(&self, endpoint: &Endpoint, span: Span) -> Result<Read> {
        self.check_chain(endpoint).await?;
        let from = span.from.block;
        // Of one that leaves logs out every block is read a second time, one by one.
        if span.depth(&self.config) == Depth::Tip || endpoint.is_distrusted() {
            let blocks = self.shared.lock().sizer.blocks().min(MOST_BLOCKS);
            let to = from.saturating_add(blocks - 1).min(span.last);
            return self.read_tip(endpoint, from, to, Vec::new()).await;
        }
        self.read_range(endpoint, span).await
    }
}
