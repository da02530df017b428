//! Logs that a node leaves out, cuts off or puts in a wrong place.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::chain::{Chain, log};
use super::node::{calls, status};
use super::{Node, page, places, source, source_with};
use crate::model::ChainPosition;
use crate::source::polygon::doubt::Doubt;
use crate::source::polygon::{Polygon, PolygonConfig};

const EXCHANGE: &str = "0xe111180000d2663c0091e4f400237545b87b996b";
const TAKER: &str = "0x00000000000000000000000000000000000000aa";

/// A row of a match: whose order, who took it, on which side, and what moved.
fn row(block: u64, index: u32, (maker, taker): (&str, &str), sell: bool, usd: u64, shares: u64) -> Value {
    let mut log = log(block, index);
    let topic = |address: &str| json!(format!("0x{:0>64}", address.trim_start_matches("0x")));
    log["topics"][2] = topic(maker);
    log["topics"][3] = topic(taker);
    let amounts = if sell { [shares, usd] } else { [usd, shares] };
    let words = [u64::from(sell), 77, amounts[0], amounts[1], 0, 0, 0];
    log["data"] = json!(format!("0x{}", words.map(|word| format!("{word:064x}")).concat()));
    log["transactionHash"] = json!(super::chain::transaction_hash(block, 0));
    log["transactionIndex"] = json!("0x2");
    log
}

/// A match of two makers and a taker in a block.
fn a_match(block: u64) -> [Value; 3] {
    [
        row(block, 4, ("0x01", TAKER), true, 300, 1_000),
        row(block, 6, ("0x02", TAKER), true, 200, 500),
        row(block, 7, (TAKER, EXCHANGE), false, 500, 1_500),
    ]
}

fn matches(blocks: std::ops::RangeInclusive<u64>) -> Chain {
    Chain { logs: blocks.flat_map(a_match).collect(), ..Chain::with_fills(&[]) }
}

fn whole(blocks: std::ops::RangeInclusive<u64>) -> Vec<(u64, u32)> {
    blocks.flat_map(|block| [(block, 4), (block, 6), (block, 7)]).collect()
}

fn doubts(source: &Polygon, endpoint: usize, doubt: Doubt) -> u64 {
    source.endpoints[endpoint].doubts().find(|(it, _)| *it == doubt).unwrap().1
}

/// Far from the head, and near it.
fn depths() -> [fn(&mut PolygonConfig); 2] {
    [|_| {}, |config| (config.by_hash_within, config.careful_within) = (128, 4_096)]
}

#[tokio::test]
async fn a_row_left_out_of_a_match_is_found_in_receipts_or_by_another_node() {
    for depth in depths() {
        for row in [4, 6, 7] {
            let liar = Node::good(matches(1..=8).without_logs(&[(5, row)])).await;
            let source = source_with(&[&liar], depth);
            assert_eq!(places(&page(&source, 1, 8).await.unwrap()), whole(1..=8), "{row}: its own receipts");
            assert_eq!(doubts(&source, 0, Doubt::Missing), 1);

            let liar =
                Node::good(Chain { receipts: false, lone_receipts: false, ..matches(1..=8).without_logs(&[(5, row)]) })
                    .await;
            let good = Node::good(Chain { receipts: false, ..matches(1..=8) }).await;
            let source = source_with(&[&liar, &good], depth);
            assert_eq!(places(&page(&source, 1, 8).await.unwrap()), whole(1..=8), "{row}: another node");
            assert_eq!((doubts(&source, 0, Doubt::Missing), doubts(&source, 1, Doubt::Missing)), (1, 0));
        }
    }
}

#[tokio::test]
async fn the_receipt_of_a_transaction_is_asked_for_before_those_of_its_block() {
    for (receipts, lone_receipts) in [(true, true), (true, false), (false, true), (false, false)] {
        let chain = Chain { receipts, lone_receipts, ..matches(1..=8).without_logs(&[(5, 6)]) };
        let node = Node::good(chain).await;
        let source = source(&[&node]);
        let read = page(&source, 1, 8).await.unwrap();
        let expected = if receipts || lone_receipts { whole(1..=8) } else { places(&read) };
        assert_eq!(places(&read), expected, "{receipts} {lone_receipts}");
        let calls = ["eth_getTransactionReceipt", "eth_getBlockReceipts"].map(|method| node.calls(method));
        assert_eq!(calls, [1, 1], "{receipts} {lone_receipts}: what leaves out one log may leave out more");
        assert_eq!(doubts(&source, 0, Doubt::Missing), u64::from(receipts || lone_receipts));
    }
}

/// Receipts may fail for a moment. What the node says twice confirms nothing then, least of all of one that leaves logs out.
#[tokio::test]
async fn receipts_that_fail_for_a_moment_are_waited_for() {
    for (depth, was_caught) in depths().into_iter().zip([false, true]).chain(depths().into_iter().zip([true, false])) {
        let failing = Arc::new(AtomicBool::new(true));
        let (chain, fails) = (matches(1..=8).without_logs(&[(5, 6)]), Arc::clone(&failing));
        let node = Node::scripted(chain, move |request| {
            let of_receipts = |call: &Value| call["method"].as_str().is_some_and(|method| method.contains("Receipt"));
            let fails = fails.load(Ordering::SeqCst) && calls(request).iter().any(of_receipts);
            fails.then(|| status(503, "later"))
        });
        let node = node.await;
        let source = source_with(&[&node], depth);
        if was_caught {
            source.endpoints[0].set_distrusted();
        }
        let mut read = vec![];
        for _ in 0..5 {
            read = page(&source, 1, 8).await.map_or(vec![], |page| places(&page));
            assert!(!read.contains(&(5, 4)), "{was_caught}: {read:?}");
        }
        assert!(was_caught || read == whole(1..=4), "it goes on up to the block in doubt: {read:?}");
        failing.store(false, Ordering::SeqCst);
        assert_eq!(places(&page(&source, 1, 8).await.unwrap()), whole(1..=8), "{was_caught}");
    }
}

/// Who never answers about receipts, whatever its words, is not waited for; its word counts as long as nothing speaks against it.
#[tokio::test]
async fn receipts_that_never_come_are_not_waited_for() {
    let chain = matches(1..=8).without_logs(&[(5, 6)]);
    let node = Node::scripted(chain, |request| {
        let of_receipts = |call: &Value| call["method"].as_str().is_some_and(|method| method.contains("Receipt"));
        calls(request).iter().any(of_receipts).then(|| status(503, "later"))
    });
    let node = node.await;
    let source = source_with(&[&node], |config| config.empty_patience = Duration::from_millis(50));
    let begin = Instant::now();
    let mut read = vec![];
    while read.len() < 23 && begin.elapsed() < Duration::from_secs(10) {
        read = page(&source, 1, 8).await.map_or(vec![], |page| places(&page));
    }
    assert_eq!(read.len(), 23, "{read:?}");
    source.endpoints[0].set_distrusted();
    assert!(page(&source, 5, 5).await.is_err(), "of one that was caught it does not");
}

#[tokio::test]
async fn two_nodes_that_leave_out_different_rows_complete_each_other() {
    let liar =
        |rows: &[(u64, u32)]| Chain { receipts: false, lone_receipts: false, ..matches(1..=8).without_logs(rows) };
    let (first, second) = (Node::good(liar(&[(5, 4)])).await, Node::good(liar(&[(5, 6)])).await);
    let source = source(&[&first, &second]);
    assert_eq!(places(&page(&source, 1, 8).await.unwrap()), whole(1..=8));
}

#[tokio::test]
async fn what_does_not_add_up_and_is_so_goes_on() {
    // A refund of V1, a donation, `fillOrder`: what two readings say alike is the truth.
    let refund = [row(3, 4, ("0x01", TAKER), true, 300, 1_000), row(3, 7, (TAKER, EXCHANGE), false, 310, 1_000)];
    let donation = [row(4, 4, ("0x01", TAKER), true, 300, 1_000), row(4, 7, (TAKER, EXCHANGE), false, 300, 1_001)];
    let direct = [row(5, 4, ("0x01", "0x0b"), true, 300, 1_000)];
    let lone = [row(6, 7, (TAKER, EXCHANGE), false, 300, 1_000)];
    let logs: Vec<Value> = [&refund[..], &donation, &direct, &lone].concat();
    for receipts in [true, false] {
        for depth in depths() {
            let chain = Chain { logs: logs.clone(), receipts, lone_receipts: receipts, ..Chain::with_fills(&[]) };
            let (first, second) = (Node::good(chain.clone()).await, Node::good(chain).await);
            for nodes in [&[&first][..], &[&first, &second]] {
                let source = source_with(nodes, depth);
                let read = page(&source, 3, 6).await.unwrap();
                let expected = [(3, 4), (3, 7), (4, 4), (4, 7), (5, 4), (6, 7)];
                assert_eq!((places(&read), read.next), (expected.to_vec(), ChainPosition::start_of(7)));
                assert_eq!(doubts(&source, 0, Doubt::Imbalance), 4);
                assert_eq!(doubts(&source, 0, Doubt::Missing), 0);
                let kinds: Vec<_> = source.imbalances.lock().counts().map(|(_, kind, count)| (kind, count)).collect();
                assert_eq!(kinds, [("no maker row", 1), ("no taker row", 1), ("shares", 1), ("usd", 1)]);
            }
        }
    }
}

#[tokio::test]
async fn an_operator_is_learned_so_that_direct_fills_cost_no_second_look() {
    let logs: Vec<Value> = (1..=8).map(|block| row(block, 4, ("0x01", "0x0b"), true, 300, 1_000)).collect();
    let node = Node::good(Chain { logs, ..Chain::with_fills(&[]) }).await;
    let source = source(&[&node]);
    page(&source, 1, 4).await.unwrap();
    assert_eq!(node.calls("eth_getTransactionReceipt"), 4);
    assert_eq!(places(&page(&source, 5, 8).await.unwrap()).len(), 4);
    assert_eq!(node.calls("eth_getTransactionReceipt"), 4);
    assert_eq!(node.calls("eth_getBlockReceipts"), 0, "one transaction's are enough");
}

/// Blocks of so many direct fills each.
fn crowded(blocks: std::ops::RangeInclusive<u64>, fills: u32) -> Chain {
    let places: Vec<_> = blocks.flat_map(|block| (0..fills).map(move |index| (block, index))).collect();
    Chain::with_fills(&places)
}

#[tokio::test]
async fn an_answer_cut_at_a_round_number_is_read_in_smaller_pieces() {
    let node = Node::good(Chain { cap: 200, ..crowded(1..=20, 30) }).await;
    let source = source(&[&node]);
    let (mut next, mut read) = (1, vec![]);
    while next <= 20 {
        let page = page(&source, next, 20).await.unwrap();
        read.extend(places(&page));
        next = page.next.block;
    }
    assert_eq!(read.len(), 600);
    assert_eq!(source.endpoints[0].row_cap(), Some(200), "and learned");
    let suspicious = node.ranges().iter().filter(|(from, to)| (to - from + 1) * 30 > 200).count();
    assert!(suspicious <= 2, "{:?}", node.ranges());
}

#[tokio::test]
async fn a_single_block_that_is_cut_is_read_another_way_or_not_passed() {
    for depth in depths() {
        let receipts = Node::good(Chain { cap: 100, ..crowded(5..=5, 130) }).await;
        let source = source_with(&[&receipts], depth);
        let (mut next, mut read) = (5, vec![]);
        while next <= 5 {
            let page = page(&source, next, 5).await.unwrap();
            read.extend(places(&page));
            next = page.next.block;
        }
        assert_eq!(read.len(), 130, "its receipts are whole");

        let cut = || Chain { cap: 100, receipts: false, ..crowded(5..=5, 130) };
        let (first, good) = (Node::good(cut()).await, Node::good(Chain { cap: 1_000, ..cut() }).await);
        let source = source_with(&[&first, &good], depth);
        assert_eq!(places(&page(&source, 5, 5).await.unwrap()).len(), 130, "another node");
    }
    // Contract by contract there is more, and still not all.
    let mut chain = Chain { cap: 100, receipts: false, ..crowded(5..=5, 130) };
    let mut other = log(5, 500);
    other["address"] = json!("0xe2222d279d744050d28e00520010520000310f59");
    chain.logs.push(other);
    let node = Node::good(chain).await;
    let error = page(&source(&[&node]), 5, 5).await.unwrap_err();
    assert!(error.to_string().contains("the logs of block 5 are cut at 101, and nobody has it whole"), "{error}");

    let honest = Node::good(Chain { receipts: false, ..crowded(5..=5, 100) }).await;
    let read = page(&source(&[&honest]), 5, 5).await.unwrap();
    assert_eq!(places(&read).len(), 100, "where no way gives more it stands");
}

#[tokio::test]
async fn logs_numbered_from_0_again_are_never_believed() {
    let good = matches(1..=8);
    let mut bad = good.clone();
    for log in bad.logs.iter_mut().filter(|log| log["blockNumber"] == "0x5") {
        let index = super::chain::number(&log["logIndex"]) - 4;
        log["logIndex"] = json!(format!("{index:#x}"));
    }
    let mut early = log(5, 3);
    early["transactionIndex"] = json!("0x1");
    bad.logs.push(early.clone());
    let honest = Chain { logs: [&good.logs[..], &[early]].concat(), ..good };
    let mut expected = whole(1..=8);
    expected.insert(12, (5, 3));
    for depth in depths() {
        let receipts = honest.clone();
        let all = bad.clone();
        // Only `eth_getLogs` numbers them so.
        let node = Node::scripted(honest.clone(), move |request| {
            Some(super::node::answer_with(&receipts, request, |call| {
                (call["method"] == "eth_getLogs").then(|| all.one(call))
            }))
        })
        .await;
        assert_eq!(places(&page(&source_with(&[&node], depth), 1, 8).await.unwrap()), expected, "by its receipts");

        let liar = Node::good(Chain { receipts: false, ..bad.clone() }).await;
        let right = Node::good(Chain { receipts: false, ..honest.clone() }).await;
        let source = source_with(&[&liar, &right], depth);
        assert_eq!(places(&page(&source, 1, 8).await.unwrap()), expected, "by another node");
        assert_eq!(doubts(&source, 0, Doubt::Places), 1);
        let alone = source_with(&[&liar], depth);
        let read = page(&alone, 1, 8).await.unwrap();
        assert_eq!((places(&read), read.next), (whole(1..=4), ChainPosition::start_of(5)), "up to there");
        assert!(page(&alone, 5, 8).await.is_err());
    }
}

#[tokio::test]
async fn a_transaction_that_begins_at_0_behind_others_is_looked_at_twice() {
    let good = matches(1..=4);
    let mut bad = good.clone();
    for log in bad.logs.iter_mut().filter(|log| log["blockNumber"] == "0x3") {
        let index = super::chain::number(&log["logIndex"]) - 4;
        log["logIndex"] = json!(format!("{index:#x}"));
    }
    // Nothing else stands in the block, so that it collides with nothing.
    let (liar, right) = (
        Node::good(Chain { receipts: false, ..bad.clone() }).await,
        Node::good(Chain { receipts: false, ..good.clone() }).await,
    );
    for nodes in [&[&liar, &right][..], &[&right, &liar]] {
        assert_eq!(places(&page(&source(nodes), 1, 4).await.unwrap()), whole(1..=4));
    }
    let receipts = good.clone();
    let node = Node::scripted(good, move |request| {
        Some(super::node::answer_with(&receipts, request, |call| {
            (call["method"] == "eth_getLogs").then(|| bad.one(call))
        }))
    })
    .await;
    assert_eq!(places(&page(&source(&[&node]), 1, 4).await.unwrap()), whole(1..=4), "by its receipts");
}

#[tokio::test]
async fn a_log_that_says_another_time_is_a_doubt_and_keeps_its_row() {
    let mut chain = matches(1..=8);
    for log in &mut chain.logs {
        log["blockTimestamp"] = json!("0x1ffffffff");
    }
    let node = Node::good(chain).await;
    let source = source(&[&node]);
    let read = page(&source, 1, 8).await.unwrap();
    for event in read.events {
        let fill = event.fill.unwrap();
        assert_eq!(fill.timestamp, super::chain::GENESIS_TIME + fill.block_number * 2);
    }
    assert_eq!(doubts(&source, 0, Doubt::Time), 8);
}
