//! The source against nodes that follow a script, over real sockets.

mod chain;
mod heads;
mod limits;
mod logs;
mod node;
mod ranges;
mod trust;

use std::time::Duration;

use self::chain::Chain;
use self::node::Node;
use super::{Polygon, PolygonConfig};
use crate::model::ChainPosition;
use crate::source::{FillSource, Page, SourceError};

/// A source that asks these nodes, in this order.
fn source(nodes: &[&Node]) -> Polygon {
    source_with(nodes, |_| {})
}

fn source_with(nodes: &[&Node], change: impl FnOnce(&mut PolygonConfig)) -> Polygon {
    let mut config = PolygonConfig {
        urls: nodes.iter().map(|node| node.url()).collect(),
        timeout: Duration::from_secs(10),
        ..PolygonConfig::default()
    };
    change(&mut config);
    Polygon::new(config).unwrap()
}

/// The page from the start of a block on.
async fn page(source: &Polygon, from: u64, head: u64) -> Result<Page, SourceError> {
    source.page(ChainPosition::start_of(from), head).await
}

/// Block and index of the fills of a page.
fn places(page: &Page) -> Vec<(u64, u32)> {
    let fills = page.events.iter().filter_map(|event| event.fill.as_ref().ok());
    fills.map(|fill| (fill.block_number, fill.log_index)).collect()
}
