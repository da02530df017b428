use alloy_primitives::{B256, U256, hex};
use proptest::prelude::*;

use super::*;
use crate::model::entry::Entry;
use crate::model::{Amount, Exchange, NonUsdcSide, Side, TokenId};

fn fill(number: u64) -> Fill {
    Fill {
        block_number: 90_840_326 + number / 3,
        log_index: u32::try_from(533 + number).unwrap(),
        timestamp: 1_784_965_486 + 2 * (number / 3),
        transaction_hash: B256::with_last_byte(u8::try_from(number / 3 % 200).unwrap()),
        source_id: String::new(),
        order_hash: B256::from(U256::from(number) << 200),
        exchange: Some(Exchange::CtfV2),
        token_id: TokenId(U256::from(7 + number % 2)),
        maker: [u8::try_from(number % 200).unwrap(); 20].into(),
        taker: Exchange::CtfV2.address(),
        side: if number.is_multiple_of(2) { Side::Sell } else { Side::Buy },
        usd: Amount::from_micros(3_929_200 + u128::from(number)).unwrap(),
        shares: Amount::from_micros(4_180_000).unwrap(),
        fee: Amount::ZERO,
        match_log_index: (!number.is_multiple_of(5)).then_some(u32::try_from(533 + number + number % 3).unwrap()),
        outcome_slot: (!number.is_multiple_of(4)).then_some(u8::try_from(number % 2).unwrap()),
    }
}

fn trade(number: u64) -> Trade {
    let resolution = match number % 3 {
        0 => Resolution::Unknown,
        1 => Resolution::Token { condition_id: "0x66".into(), outcome: "Yes, ó".into() },
        _ => Resolution::Market {
            condition_id: "0x66".into(),
            outcome: "No".into(),
            market_id: "253591".into(),
            side: NonUsdcSide(2),
        },
    };
    Trade { fill: fill(number), resolution }
}

fn pack<E: Event>(events: &[E], most: usize) -> Vec<Vec<u8>> {
    let mut packer = Packer::new(most);
    let mut entries: Vec<Vec<u8>> = events.iter().filter_map(|event| packer.push(event)).collect();
    entries.extend(packer.finish());
    entries
}

fn unpack<E: Event>(entries: &[Vec<u8>]) -> Vec<E> {
    entries.iter().flat_map(|entry| read(entry).unwrap()).map(Result::unwrap).collect()
}

/// The same rows under a head that fits them.
fn headed(rows: &[u8], like: &[u8]) -> Vec<u8> {
    head::write(weight(like) as usize, Kind::Fills, Span::of(like).unwrap(), rows)
}

/// Entries outlive the program that wrote them.
#[test]
fn golden_bytes() {
    let golden = include_str!("../../../../tests/vectors/entries.txt");
    let bytes = |name: &str| {
        let line = golden.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name}"));
        hex::decode(line.trim()).unwrap()
    };
    let (fills, trades) = ((0..4).map(fill).collect::<Vec<_>>(), (0..4).map(trade).collect::<Vec<_>>());
    assert_eq!(hex::encode(&pack(&fills, 9)[0]), hex::encode(bytes("fills v2")));
    assert_eq!(hex::encode(&pack(&trades, 9)[0]), hex::encode(bytes("trades v2")));
    assert_eq!(unpack::<Fill>(&[bytes("fills v2")]), fills);
    assert_eq!(unpack::<Trade>(&[bytes("trades v2")]), trades);
}

#[test]
fn an_entry_says_how_many_events_it_holds_and_of_which_blocks() {
    let fills: Vec<Fill> = (0..1_000).map(fill).collect();
    for most in [1, 7, 512, 9_999] {
        let entries = pack(&fills, most);
        assert_eq!(entries.len(), 1_000_usize.div_ceil(most.min(MAX_EVENTS)), "{most}");
        assert_eq!(entries.iter().map(|entry| weight(entry)).sum::<u32>(), 1_000);
        assert_eq!(unpack::<Fill>(&entries), fills, "{most}");
        let spans: Vec<Span> = entries.iter().map(|entry| Span::of(entry).unwrap()).collect();
        assert_eq!((spans[0].first, spans[spans.len() - 1].last), (fills[0].block_number, fills[999].block_number));
        assert!(spans.iter().all(|span| span.first <= span.last && !span.is_time));
    }
}

#[test]
fn an_entry_is_bounded_in_bytes_and_a_large_event_stands_alone() {
    let long = |number: u64, size: usize| {
        let resolution =
            Resolution::Token { condition_id: "c".repeat(size).into(), outcome: number.to_string().into() };
        Trade { fill: fill(number), resolution }
    };
    let trades: Vec<Trade> = (0..40).map(|number| long(number, if number == 20 { 100_000 } else { 9_000 })).collect();
    let entries = pack(&trades, 512);
    let large: Vec<&Vec<u8>> = entries.iter().filter(|entry| entry.len() > MAX_ENTRY_BYTES).collect();
    assert_eq!((large.len(), weight(large[0])), (1, 1));
    assert!(entries.len() < 12, "{} entries", entries.len());
    assert_eq!(unpack::<Trade>(&entries), trades);
}

#[test]
fn places_of_a_source_without_blocks_are_seconds_and_never_stand_beside_blocks() {
    let own = Fill { block_number: 0, source_id: "goldsky:0x1_0x2".into(), ..fill(3) };
    let entries = pack(&[fill(1), own.clone(), own.clone(), fill(2)], 512);
    let spans: Vec<Span> = entries.iter().map(|entry| Span::of(entry).unwrap()).collect();
    assert_eq!(spans.iter().map(|span| span.is_time).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!((spans[1].first, spans[1].last), (own.timestamp, own.timestamp));
    assert_eq!(unpack::<Fill>(&entries), [fill(1), own.clone(), own, fill(2)]);
}

#[test]
fn every_damage_is_noticed_and_the_head_still_tells_the_blocks() {
    let good = pack(&(0..5).map(fill).collect::<Vec<_>>(), 9).remove(0);
    let span = Span::of(&good);
    assert!(span.is_some());
    for at in 1..good.len() {
        let mut bad = good.clone();
        bad[at] ^= 0x10;
        assert!(read::<Fill>(&bad).is_err(), "byte {at}");
        let is_of_head = at < 24;
        assert_eq!(Span::of(&bad), if is_of_head { None } else { span }, "byte {at}");
        assert!(read::<Fill>(&good[..at]).is_err(), "cut at {at}");
    }
    let long = [good.clone(), vec![0]].concat();
    assert!(read::<Fill>(&long).is_err());
    let trades = read::<Trade>(&good).unwrap_err();
    assert_eq!(trades, EntryError::Malformed("it holds events of another kind".into()));
    for (cut, error) in [(0, "an event is cut off"), (good.len() - 28 - 3, "an event is cut off")] {
        assert_eq!(read::<Fill>(&headed(&good[28..28 + cut], &good)).unwrap_err(), EntryError::Malformed(error.into()));
    }
    let more = headed(&[&good[28..], &[1, 2]].concat(), &good);
    assert_eq!(read::<Fill>(&more).unwrap_err(), EntryError::Malformed("2 bytes too many".into()));
    for events in [0, 513] {
        let wrong = head::write(events, Kind::Fills, span.unwrap(), &good[28..]);
        let error = read::<Fill>(&wrong).unwrap_err();
        assert_eq!(error, EntryError::Malformed(format!("it says that it holds {events} events")));
    }
}

#[test]
fn an_event_that_holds_what_it_may_not_costs_itself_only() {
    let events = [fill(0), fill(1), fill(2)];
    let good = pack(&events, 9).remove(0);
    let refused = (28..good.len()).filter_map(|at| {
        let mut rows = good[28..].to_vec();
        rows[at - 28] = 6;
        let all = read::<Fill>(&headed(&rows, &good)).ok()?;
        let refused: Vec<usize> = (0..3).filter(|at| all[*at].is_err()).collect();
        let is_alone = refused.len() == 1
            && all
                .iter()
                .zip(&events)
                .enumerate()
                .all(|(at, (read, event))| refused == [at] || read.as_ref() == Ok(event));
        is_alone.then(|| (refused[0], all[refused[0]].clone().unwrap_err()))
    });
    let refused: Vec<(usize, RefusedEvent)> = refused.collect();
    assert_eq!(refused.iter().map(|(at, _)| *at).collect::<Vec<_>>(), [0, 1, 2], "the exchange of each");
    assert!(refused.iter().all(|(_, refused)| refused.error == EntryError::OutOfRange("exchange")));
    assert!(refused.iter().all(|(_, refused)| !refused.raw.is_empty()));
}

#[test]
fn what_repeats_is_said_once() {
    let wallet = |number: u64| [u8::try_from(number % 250).unwrap(); 20].into();
    let hashes = |number: u64| B256::from(U256::from(number + 1) << 128);
    // Matches of three rows, each order and maker a new one.
    let fills: Vec<Fill> = (0..510)
        .map(|number| Fill {
            transaction_hash: hashes(number / 3),
            order_hash: hashes(number),
            maker: wallet(number),
            ..fill(number)
        })
        .collect();
    let entry = pack(&fills, 512).remove(0);
    let each = entry.len() as f64 / 510.0;
    assert!(each < 90.0, "{each} bytes a fill");
}

proptest! {
    #[test]
    fn any_events_come_back(
        numbers in proptest::collection::vec((any::<u64>(), any::<u64>(), any::<u32>(), 0u8..4, 0u8..4, 0..=Amount::MAX.micros()), 1..40),
        text in ".{0,12}", most in 1usize..20,
    ) {
        let trades: Vec<Trade> = numbers.iter().map(|(block, time, log, few, other, amount)| {
            let amount = Amount::from_micros(*amount).unwrap();
            let fill = Fill {
                block_number: *block, timestamp: *time, log_index: *log,
                transaction_hash: B256::with_last_byte(*few), order_hash: B256::with_last_byte(*other),
                token_id: TokenId(U256::from(*few)), maker: [*few; 20].into(), taker: [*other; 20].into(),
                exchange: (*few > 0).then_some(Exchange::V3), usd: amount, shares: amount, fee: amount,
                match_log_index: (*few > 1).then_some(log.rotate_left(7)), outcome_slot: (*other > 1).then_some(*few),
                source_id: if *other == 0 { format!("goldsky:{text}{few}") } else { String::new() },
                ..fill(0)
            };
            Trade { fill, resolution: Resolution::Token { condition_id: text.as_str().into(), outcome: other.to_string().into() } }
        }).collect();
        let fills: Vec<Fill> = trades.iter().map(|trade| trade.fill.clone()).collect();
        prop_assert_eq!(unpack::<Trade>(&pack(&trades, most)), trades);
        prop_assert_eq!(unpack::<Fill>(&pack(&fills, most)), fills);
    }

    #[test]
    fn no_bytes_make_it_panic(rows in proptest::collection::vec(any::<u8>(), 0..300), events in 1usize..20, trades: bool) {
        let span = Span { first: 1, last: 2, is_time: false };
        let kind = if trades { Kind::Trades } else { Kind::Fills };
        let entry = head::write(events, kind, span, &rows);
        let _ = (Fill::decode_all(&entry), Trade::decode_all(&entry));
        let _ = (Fill::decode_all(&rows), Span::of(&rows), weight(&rows));
    }
}
