//! What a pipeline asks of ClickHouse again and again.

use polytape::model::Resolution;
use polytape::warehouse::{ClickhouseWarehouse, Control, Inspection, PeriodicCost, Tables, TokenIndex};

/// Tokens that a resolver asks about at once.
const TOKENS: u32 = 200;

/// Asks all of it once, where the list of unresolved tokens has some, of which one becomes known; and says what each question read.
pub async fn ask_all(warehouse: &ClickhouseWarehouse, known: Resolution) -> Vec<PeriodicCost> {
    let page = warehouse.unresolved_tokens(None, TOKENS).await.unwrap();
    let tokens: Vec<_> = page.entries.iter().map(|entry| entry.token).collect();
    warehouse.resolve(&[(tokens[0], known)], &page.entries).await.unwrap();
    warehouse.still_unresolved(&page.entries).await.unwrap();
    warehouse.newest_unresolved(TOKENS).await.unwrap();
    warehouse.resolutions(&tokens).await.unwrap();
    warehouse.written_markets(&["7".to_owned()]).await.unwrap();
    warehouse.desired_states("main").await.unwrap();
    warehouse.jobs("main", 5).await.unwrap();
    warehouse.checkpoint("main", "polygon").await.unwrap();
    warehouse.newest_trades(100).await.unwrap();
    warehouse.row_counts().await.unwrap();
    warehouse.parts().await.unwrap();
    warehouse.periodic_costs()
}
