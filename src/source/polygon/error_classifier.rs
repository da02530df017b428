//! What nodes mean by their error texts.
//!
//! There is no standard: the same code stands for a range that is too large at one provider and for too many requests
//! at another, so the words decide and the code only where they say nothing. The phrases were collected by Ponder and
//! eRPC from the providers' answers.

/// What a node's error asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Fewer requests in one batch, at most this many where it says so.
    BatchTooLarge(Option<usize>),
    /// Fewer blocks in one request.
    RangeTooLarge(Hint),
    /// Fewer requests a second.
    RateLimited,
    /// Another node: this one does not have the block.
    LacksBlock,
    /// Another method: it does not know this one.
    NoMethod,
    /// Nothing that is known.
    Other,
}

/// How much smaller a range should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hint {
    /// At most this many blocks.
    Blocks(u64),
    /// From this block to that one, both inclusive.
    Window(u64, u64),
    /// Fewer blocks: the limit is on blocks, so it will be the same next time.
    FewerBlocks,
    /// Fewer rows: the limit is on the size or the time of the answer.
    FewerRows,
}

/// Phrases that a number of blocks follows.
const BLOCK_LIMITS: [&str; 23] = [
    "limited to a ",
    "limited to 0 - ",
    "limited to ",
    "maximum block range: ",
    "max range: ",
    "maximum allowed number of requested blocks is ",
    "limit the query to at most ",
    "maximum is set to ",
    "exceeds max block range ",
    "max block range of ",
    "max block range is ",
    "max block range: ",
    "ranges over ",
    "exceeds limit of ",
    "exceeds the limit of ",
    "exceeds maximum of ",
    "must not exceed ",
    "cannot exceed ",
    "must be less than or equal to ",
    "larger than ",
    "greater than ",
    "more than ",
    "at most ",
];

/// Phrases of a limit on blocks that name no number.
const FEWER_BLOCKS: [&str; 10] = [
    "block range limit",
    "range too large",
    "range is too large",
    "range too wide",
    "range is too wide",
    "exceeds the range",
    "exceed maximum block range",
    "max block range",
    "too many blocks",
    "eth_getlogs is limited",
];

/// Phrases of a limit on the answer.
const FEWER_ROWS: [&str; 14] = [
    "logs over more",
    "response size should not",
    "response size exceeded",
    "response is too big",
    "returned more than",
    "exceeds max results",
    "response too large",
    "query exceeds limit",
    "too many results",
    "too many logs",
    "try paginating",
    "query timeout",
    "query timed out",
    "execution timeout",
];

/// Phrases of a limit on the rate.
const RATE_LIMITS: [&str; 9] = [
    "rate limit",
    "ratelimit",
    "too many requests",
    "has exceeded",
    "limit exceeded",
    "reached the free tier",
    "compute units per second",
    "requests per second",
    "request rate",
];

/// Words that only a limit on the rate has.
const RATES: [&str; 12] = [
    "rate",
    "too many requests",
    "per second",
    "per minute",
    "a second",
    "a minute",
    "a day",
    "daily",
    "monthly",
    "compute unit",
    "quota",
    "free tier",
];

/// Phrases of a method that is not there.
const NO_METHOD: [&str; 6] = [
    "method not found",
    "does not exist/is not available",
    "method is not available",
    "method not supported",
    "method is not supported",
    "unsupported method",
];

/// Phrases of a node that does not have a block, or not any more, or not for everybody.
const LACKS_BLOCK: [&str; 11] = [
    "header not found",
    "block not found",
    "unknown block",
    "cannot be found",
    "beyond current head",
    "pruned",
    "history unavailable",
    "invalid block height",
    "missing trie node",
    "archive",
    "historical",
];

/// Reads an error. The order matters: "Block range limit exceeded." is not a rate limit, "limit exceeded" is.
pub(super) fn judge(code: Option<i64>, message: &str) -> Verdict {
    let text = message.to_ascii_lowercase();
    if let Some(limit) = batch_limit(&text) {
        return Verdict::BatchTooLarge(limit);
    }
    if code == Some(-32_601) || NO_METHOD.iter().any(|phrase| text.contains(phrase)) {
        return Verdict::NoMethod;
    }
    if let Some(hint) = range_hint(&text) {
        return Verdict::RangeTooLarge(hint);
    }
    if RATE_LIMITS.iter().any(|phrase| text.contains(phrase)) {
        return Verdict::RateLimited;
    }
    if LACKS_BLOCK.iter().any(|phrase| text.contains(phrase)) {
        return Verdict::LacksBlock;
    }
    match code {
        // EIP-1474: "limit exceeded"; some providers put the HTTP status here.
        Some(-32005 | 429) => Verdict::RateLimited,
        _ => Verdict::Other,
    }
}

/// Whether a text that was taken for a limit on the rate says so in plain words. "limit exceeded" may as well mean a range.
pub(super) fn names_a_rate(message: &str) -> bool {
    let text = message.to_ascii_lowercase();
    RATES.iter().any(|phrase| text.contains(phrase))
}

/// Whether a node that was asked for the logs of a block by its hash says that it cannot do that.
pub(super) fn refuses_block_hash(message: &str) -> bool {
    let text = message.to_ascii_lowercase();
    ["blockhash", "block hash"].iter().any(|phrase| text.contains(phrase))
}

/// Whether a node that was asked for `finalized` says that it does not know that tag.
pub(super) fn refuses_finalized(message: &str) -> bool {
    let text = message.to_ascii_lowercase();
    let phrases = ["finalized", "tag", "supported", "invalid block", "invalid param", "invalid argument", "hex string"];
    phrases.iter().any(|phrase| text.contains(phrase))
}

/// `Some` where the text is about a batch, with the limit that it names.
fn batch_limit(text: &str) -> Option<Option<usize>> {
    let complaints =
        ["too large", "too big", "too many", "more than", "limit", "exceed", "not allowed", "not supported", "maximum"];
    if !text.contains("batch") || text.contains("rate limit") || !complaints.iter().any(|phrase| text.contains(phrase))
    {
        return None;
    }
    let limit = ["more than ", "limit of ", "limited to ", "maximum of ", "maximum is ", "max "]
        .iter()
        .find_map(|phrase| number_behind(text, phrase))
        .and_then(|limit| usize::try_from(limit).ok())
        .filter(|limit| *limit > 0);
    Some(limit)
}

/// `Some` where the text is about a range, with what it suggests.
fn range_hint(text: &str) -> Option<Hint> {
    if let Some((from, to)) = window(text) {
        return Some(Hint::Window(from, to));
    }
    // "exceeds the range allowed for your plan (1000 > 100)"
    if text.contains("exceeds the range")
        && let Some(limit) = number_behind(text, "> ")
    {
        return Some(Hint::Blocks(limit.max(1)));
    }
    // "query returned more than 10000 results": a number, but of rows.
    if FEWER_ROWS.iter().any(|phrase| text.contains(phrase)) {
        return Some(Hint::FewerRows);
    }
    let about_blocks = text.contains("block") || text.contains("range");
    let about_rate =
        text.contains("rate limit") || text.contains("per second") || text.contains("request") && !about_blocks;
    if !about_rate && let Some(limit) = BLOCK_LIMITS.iter().find_map(|phrase| number_behind(text, phrase)) {
        return Some(Hint::Blocks(limit.max(1)));
    }
    // Ankr names no number: its documentation says 3,000.
    if text.contains("block range is too wide") {
        return Some(Hint::Blocks(3_000));
    }
    FEWER_BLOCKS.iter().any(|phrase| text.contains(phrase)).then_some(Hint::FewerBlocks)
}

/// `… range [0x1, 0x2]` or `… range should work: [0x1, 0x2]`.
fn window(text: &str) -> Option<(u64, u64)> {
    let behind = &text[text.find("block range")?..];
    let (_, list) = behind.split_once('[')?;
    let (list, _) = list.split_once(']')?;
    let (from, to) = list.split_once(',')?;
    let number = |text: &str| u64::from_str_radix(text.trim().strip_prefix("0x")?, 16).ok();
    Some((number(from)?, number(to)?))
}

/// The decimal number right behind `phrase`: `50`, `10,000`, `10k`.
fn number_behind(text: &str, phrase: &str) -> Option<u64> {
    let (_, behind) = text.split_once(phrase)?;
    let end = behind.find(|c: char| !c.is_ascii_digit() && c != ',').unwrap_or(behind.len());
    let digits: String = behind[..end].chars().filter(char::is_ascii_digit).collect();
    let number: u64 = digits.parse().ok()?;
    if behind[end..].starts_with('k') { number.checked_mul(1_000) } else { Some(number) }
}

#[cfg(test)]
mod tests {
    use super::Hint::{Blocks, FewerBlocks, FewerRows, Window};
    use super::Verdict::{BatchTooLarge, LacksBlock, NoMethod, Other, RangeTooLarge, RateLimited};
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_phrase_means_what_its_provider_means() {
        let range = |hint| RangeTooLarge(hint);
        let table: &[(i64, &str, Verdict)] = &[
            // Alchemy
            (
                -32602,
                "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and no \
                 limit on the response size, or you can request any block range with a cap of 10K logs in the \
                 response. Based on your parameters and the response size limit, this block range should work: \
                 [0x5d46c00, 0x5d46c7f]",
                range(Window(0x5d4_6c00, 0x5d4_6c7f)),
            ),
            (-32000, "this block range should work: [0x1, 0xff]", range(Window(1, 255))),
            (429, "Your app has exceeded its compute units per second capacity.", RateLimited),
            // Infura
            (-32005, "query returned more than 10000 results", range(FewerRows)),
            (
                -32005,
                "query returned more than 10000 results. Try with this block range [0x10, 0x1F].",
                range(Window(16, 31)),
            ),
            (-32005, "daily request count exceeded, request rate limited", RateLimited),
            // Ankr
            (-32600, "block range is too wide", range(Blocks(3_000))),
            (-32055, "reached the free tier limit", RateLimited),
            // QuickNode, 1rpc, Blast
            (-32614, "eth_getLogs is limited to a 10,000 range", range(Blocks(10_000))),
            (-32614, "eth_getLogs is limited to a 5 range", range(Blocks(5))),
            (-32602, "eth_getLogs is limited to 0 - 50 blocks range", range(Blocks(50))),
            (-32000, "eth_getLogs is limited to a 10k block range", range(Blocks(10_000))),
            // BlockPI
            (-32602, "eth_getLogs is limited to 1024 block range. Please check the parameter", range(Blocks(1_024))),
            // publicnode
            (-32701, "exceed maximum block range: 50000", range(Blocks(50_000))),
            // Chainstack
            (-32000, "Block range limit exceeded. See more details at the documentation", range(FewerBlocks)),
            // Cloudflare
            (
                -32047,
                "Invalid eth_getLogs request. 'fromBlock'-'toBlock' range too large. Max range: 800",
                range(Blocks(800)),
            ),
            // thirdweb
            (-32602, "Maximum allowed number of requested blocks is 3500", range(Blocks(3_500))),
            // Coinbase
            (-32000, "please limit the query to at most 1000 blocks", range(Blocks(1_000))),
            // Avalanche and others
            (-32000, "requested too many blocks from 1 to 99999, maximum is set to 2048", range(Blocks(2_048))),
            // Blast, paid
            (-32600, "The query exceeds the range allowed for your plan (10000 > 500).", range(Blocks(500))),
            // HyperRPC
            (-32000, "query exceeds max block range 1000", range(Blocks(1_000))),
            // dRPC
            (35, "ranges over 10000 blocks are not supported on freetier", range(Blocks(10_000))),
            (31, "Batch of more than 3 requests are not allowed on free tier", BatchTooLarge(Some(3))),
            // Anybody
            (-32000, "block range too large", range(FewerBlocks)),
            (-32000, "requested range exceeds the range", range(FewerBlocks)),
            (-32000, "over the max block range", range(FewerBlocks)),
            (-32005, "logs over more than 5000 blocks", range(FewerRows)),
            (-32008, "Response size should not greater than 150000000 bytes", range(FewerRows)),
            (-32016, "query returned more than 20000 logs", range(FewerRows)),
            (-32000, "query exceeds max results 20000, retry with the range 1-2", range(FewerRows)),
            (-32008, "Response is too big", range(FewerRows)),
            (-32000, "response too large", range(FewerRows)),
            (-32005, "query exceeds limit", range(FewerRows)),
            (-32005, "too many results", range(FewerRows)),
            (-32000, "please try paginating", range(FewerRows)),
            (-32000, "eth_getLogs is limited", range(FewerBlocks)),
            (-32000, "this call has exceeded the max block range of 1000", range(Blocks(1_000))),
            (-32005, "limit exceeded", RateLimited),
            (-32005, "Too many requests", RateLimited),
            (-32016, "over rate limit", RateLimited),
            (-32000, "rate limit exceeded, limited to 20 per second", RateLimited),
            (-32000, "This key has exceeded its quota", RateLimited),
            (-32090, "Too many requests, limited to 100 requests", RateLimited),
            (-32005, "", RateLimited),
            (-32600, "batch too large", BatchTooLarge(None)),
            (-32005, "batch limit exceeded", BatchTooLarge(None)),
            (-32000, "Too many requests in batch, max 10", BatchTooLarge(Some(10))),
            (-32000, "batch rate limit exceeded", RateLimited),
            // Seen in September 2026
            (-32602, "block range 64 exceeds limit of 10000", range(Blocks(10_000))),
            (-32005, "range 20000 exceeds limit of 10000", range(Blocks(10_000))),
            (-32000, "block range must not exceed 25 blocks", range(Blocks(25))),
            (-32600, "eth_getLogs: the range must not exceed 25 blocks", range(Blocks(25))),
            (-32603, "invalid block height: 97800000", LacksBlock),
            (-32000, "Archive requests require a paid plan", LacksBlock),
            (-32601, "the method eth_getBlockReceipts does not exist/is not available", NoMethod),
            (-32601, "", NoMethod),
            (-32004, "Unsupported method: eth_getBlockReceipts", NoMethod),
            (-39001, "Unknown block", LacksBlock),
            (-32000, "header not found", LacksBlock),
            (-32000, "finalized block not found", LacksBlock),
            (-32000, "block range extends beyond current head block", LacksBlock),
            (
                -32000,
                "One of the blocks specified in filter (fromBlock, toBlock or blockHash) cannot be found.",
                LacksBlock,
            ),
            (4444, "pruned history unavailable", LacksBlock),
            (-32603, "Internal error", Other),
            (-32000, "API key disabled, reason: tenant disabled", Other),
            (-32600, "Invalid Request", Other),
        ];
        for (code, message, expected) in table {
            assert_eq!(judge(Some(*code), message), *expected, "{code} {message}");
            assert_eq!(judge(Some(*code), &message.to_uppercase()), *expected, "{code} {message}, upper case");
        }
    }

    #[test]
    fn knows_a_node_without_finality() {
        for message in
            ["Finalized block not found", "unsupported block tag", "invalid argument 0: hex string without 0x"]
        {
            assert!(refuses_finalized(message), "{message}");
        }
        assert!(!refuses_finalized("Internal error"));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(
            code: Option<i64>,
            head in "(batch|block range|limited to |exceeds the range|max range: )?",
            rest in "[\\[\\]x0-9a-fk,> \u{80}-\u{ff}]{0,40}",
            noise: String,
        ) {
            judge(code, &format!("{head}{rest}{noise}"));
            judge(code, &format!("{noise}{head}{rest}"));
        }
    }
}
