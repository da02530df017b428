//! Which rows are one match.
//!
//! The rows of one exchange in one transaction, in the order of the log, form matches: maker rows, each naming the wallet of the taker,
//! then the row whose taker is the exchange. All other rows are direct fills (`fillOrder`). So it is a function of the rows of a
//! transaction, and whoever has all of them says the same.

use std::collections::{BTreeMap, HashMap};

use alloy_primitives::B256;

use super::{Exchange, Fill};

/// One match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match<'a> {
    /// The contract.
    pub exchange: Exchange,
    /// The maker rows, in the order of the log.
    pub makers: Vec<&'a Fill>,
    /// The row of the taker order, behind them.
    pub taker: &'a Fill,
}

/// Rows as matches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matches<'a> {
    /// The matches, in the order of their taker rows.
    pub matches: Vec<Match<'a>>,
    /// Rows that are in none, with their contract.
    pub direct: Vec<(Exchange, &'a Fill)>,
}

/// Puts rows of whole transactions together. They come in the order of the log; what does not tell its contract is left out.
pub fn matches<'a>(rows: impl IntoIterator<Item = &'a Fill>) -> Matches<'a> {
    let mut open: BTreeMap<(B256, Exchange), Vec<&Fill>> = BTreeMap::new();
    let mut found = Matches::default();
    for row in rows {
        let Some(exchange) = row.exchange else { continue };
        let group = (row.transaction_hash, exchange);
        if row.is_taker_row() {
            let mut makers = open.remove(&group).unwrap_or_default();
            // Maker rows before it that name another wallet are none of it.
            let others = makers.extract_if(.., |maker| maker.taker != row.maker);
            found.direct.extend(others.map(|other| (exchange, other)));
            found.matches.push(Match { exchange, makers, taker: row });
        } else {
            open.entry(group).or_default().push(row);
        }
    }
    let left = open.into_iter().flat_map(|((_, exchange), rows)| rows.into_iter().map(move |row| (exchange, row)));
    found.direct.extend(left);
    found
}

impl Matches<'_> {
    /// [`Fill::match_log_index`] of the rows of one block, by their own `log_index`. Direct fills have none.
    pub fn log_indexes(&self) -> HashMap<u32, u32> {
        let of_match = |found: &Match<'_>| {
            let last = found.taker.log_index;
            found.makers.iter().map(|row| row.log_index).chain([last]).map(|index| (index, last)).collect::<Vec<_>>()
        };
        self.matches.iter().flat_map(of_match).collect()
    }
}

#[cfg(test)]
mod tests {
    use alloy_primitives::Address;

    use super::*;
    use crate::model::{Amount, Side, TokenId, U256};

    fn row(log_index: u32, transaction: u8, exchange: Exchange, maker: u8, taker: Address) -> Fill {
        Fill {
            block_number: 7,
            log_index,
            timestamp: 1_700_000_000,
            transaction_hash: B256::repeat_byte(transaction),
            source_id: String::new(),
            order_hash: B256::repeat_byte(maker),
            exchange: Some(exchange),
            token_id: TokenId(U256::from(5)),
            maker: Address::repeat_byte(maker),
            taker,
            side: Side::Buy,
            usd: Amount::ZERO,
            shares: Amount::ZERO,
            fee: Amount::ZERO,
            match_log_index: None,
            outcome_slot: None,
        }
    }

    #[test]
    fn each_row_of_a_match_names_its_last_and_a_direct_fill_none() {
        use Exchange::{CtfV1, CtfV2};
        let wallet = Address::repeat_byte;
        let rows = [
            // A direct fill in front of a match of two makers; a second match in the same transaction, of the same taker.
            row(3, 1, CtfV1, 0x10, wallet(0x0b)),
            row(4, 1, CtfV1, 0x11, wallet(0xaa)),
            row(6, 1, CtfV1, 0x12, wallet(0xaa)),
            row(9, 1, CtfV1, 0xaa, CtfV1.address()),
            row(10, 1, CtfV1, 0x13, wallet(0xaa)),
            // One of another exchange in between.
            row(11, 1, CtfV2, 0x14, wallet(0xaa)),
            row(12, 1, CtfV1, 0xaa, CtfV1.address()),
            row(13, 1, CtfV2, 0xaa, CtfV2.address()),
            // The same wallets in another transaction, without a taker row.
            row(20, 2, CtfV1, 0x11, wallet(0xaa)),
            // A taker row behind none.
            row(30, 3, CtfV1, 0xcc, CtfV1.address()),
        ];
        let found = matches(&rows);
        let indexes = found.log_indexes();
        let told: Vec<_> = rows.iter().map(|row| (row.log_index, indexes.get(&row.log_index).copied())).collect();
        let expected = [
            (3, None),
            (4, Some(9)),
            (6, Some(9)),
            (9, Some(9)),
            (10, Some(12)),
            (11, Some(13)),
            (12, Some(12)),
            (13, Some(13)),
            (20, None),
            (30, Some(30)),
        ];
        assert_eq!(told, expected);
        assert_eq!(found.direct.iter().map(|(_, row)| row.log_index).collect::<Vec<_>>(), [3, 20]);
        let untold = Fill { exchange: None, ..rows[3].clone() };
        assert_eq!(matches([&untold]), Matches::default(), "who does not tell its contract tells no match");
    }
}
