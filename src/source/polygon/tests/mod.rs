//! The source against nodes that follow a script, over real sockets.

mod chain;
mod heads;
mod limits;
mod logs;
mod node;
mod ranges;
mod refusals;
mod second_looks;
mod tip;
mod trust;

use std::time::Duration;

use alloy_primitives::{Address, address};

use self::chain::Chain;
use self::node::Node;
use super::{Polygon, PolygonConfig};
use crate::model::ChainPosition;
use crate::source::{ChainProvider, SourceError};

type Page = crate::source::Page<ChainPosition>;

/// The taker of the fill that the chains here are made of. It never has a row of its own, as an operator of `fillOrder`.
const OPERATOR: Address = address!("92c9ad93ba0e400ffc8d716edf70a588d246bde3");

/// A source that asks these nodes, in this order, for blocks that lie far below the head. It knows that the fills of the
/// chains here are direct ones.
fn source(nodes: &[&Node]) -> Polygon {
    source_with(nodes, |_| {})
}

fn source_with(nodes: &[&Node], change: impl FnOnce(&mut PolygonConfig)) -> Polygon {
    let mut config = PolygonConfig {
        urls: nodes.iter().map(|node| node.url()).collect(),
        timeout: Duration::from_secs(10),
        back_off: Duration::ZERO,
        by_hash_within: 0,
        careful_within: 0,
        ..PolygonConfig::default()
    };
    change(&mut config);
    let source = Polygon::new(config).unwrap();
    for _ in 0..3 {
        source.imbalances.lock().saw_operator(OPERATOR);
    }
    source
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
