use super::*;
use crate::model::{Amount, ConditionId, Event, Exchange, NonUsdcSide, RawJson, Resolution, Side, TokenId};
use alloy_primitives::{B256, U256, hex};
use proptest::prelude::*;

fn fill() -> Fill {
    Fill {
        block_number: 90_840_326,
        log_index: 533,
        timestamp: 1_784_965_486,
        transaction_hash: B256::repeat_byte(0x11),
        source_id: String::new(),
        order_hash: B256::repeat_byte(0x22),
        exchange: Some(Exchange::CtfV2),
        token_id: TokenId(U256::from_be_bytes([0x33; 32])),
        maker: [0x44; 20].into(),
        taker: [0x55; 20].into(),
        side: Side::Sell,
        usd: Amount::from_micros(3_929_200).unwrap(),
        shares: Amount::from_micros(4_180_000).unwrap(),
        fee: Amount::MAX,
        match_log_index: None,
        outcome_slot: None,
    }
}

fn trade() -> Trade {
    let resolution = Resolution::Market {
        condition_id: "0x66".into(),
        outcome: "Yes, ó".into(),
        market_id: "253591".into(),
        side: NonUsdcSide(2),
    };
    Trade { fill: fill(), resolution }
}

fn letter() -> DeadLetter {
    DeadLetter {
        source: "polygon".into(),
        position: "0x77:1".into(),
        stage: "ingest-fills".into(),
        reason: "side is 2".into(),
        raw: vec![0, 255, b'\n'],
        first_seen: 1_784_965_486_123,
    }
}

fn market() -> Market {
    let token = |byte| TokenId(U256::from_be_bytes([byte; 32]));
    Market {
        id: "3047949".into(),
        condition_id: Some(ConditionId::Ctf(B256::repeat_byte(0x11))),
        question: "Vanno a \"letto\"? 🌙".into(),
        slug: "vanno".into(),
        outcomes: vec!["Yes".into(), "No".into()],
        token_ids: vec![token(0x22), token(0x33)],
        position_ids: vec![token(0x44)],
        neg_risk: true,
        event: Event { id: "9".into(), slug: "e".into(), title: "E".into() },
        tags: vec!["Sleep".into()],
        created_at: Some(1_784_850_900),
        end_at: Some(-1),
        closed_at: None,
        active: true,
        closed: false,
        volume: "79945.98005599984".into(),
        liquidity: String::new(),
        raw: RawJson::from_packed(vec![0x1f, 0x8b, 0]),
        version: 7_665_876_244_070_400_123,
    }
}

/// Entries outlive the program that wrote them: their bytes are pinned, and every pinned version must still decode.
#[test]
fn golden_bytes() {
    let golden = include_str!("../../../tests/vectors/entries.txt");
    let bytes = |name: &str| {
        let line = golden.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name}"));
        hex::decode(line.trim()).unwrap()
    };
    assert_eq!(hex::encode(fill().encode()), hex::encode(bytes("fill v1")));
    assert_eq!(hex::encode(trade().encode()), hex::encode(bytes("trade v1")));
    assert_eq!(hex::encode(letter().encode()), hex::encode(bytes("dead_letter v1")));

    assert_eq!(hex::encode(market().encode()), hex::encode(bytes("market v1")));

    let [golden_untold, untold] =
        [bytes("untold_fill v1"), Fill { exchange: None, source_id: "goldsky:7".into(), ..fill() }.encode()];
    assert_eq!(hex::encode(untold), hex::encode(&golden_untold));
    assert_eq!(Fill::decode(&golden_untold).map(|fill| fill.exchange), Ok(None));

    assert_eq!(Fill::decode(&bytes("fill v1")), Ok(fill()));
    assert_eq!(Trade::decode(&bytes("trade v1")), Ok(trade()));
    assert_eq!(DeadLetter::decode(&bytes("dead_letter v1")), Ok(letter()));
    assert_eq!(Market::decode(&bytes("market v1")), Ok(market()));
}

#[test]
fn a_usual_fill_is_small() {
    let usual = Fill { fee: Amount::ZERO, ..fill() };
    assert!(usual.encode().len() <= 170, "{} bytes", usual.encode().len());
}

#[test]
fn refuses_what_is_not_an_entry() {
    assert_eq!(Fill::decode(&[]), Err(EntryError::Empty));
    assert_eq!(Fill::decode(&[0]), Err(EntryError::UnknownVersion(0)));
    assert_eq!(Fill::decode(&[2, 1, 1]), Err(EntryError::UnknownVersion(2)));
    let good = fill().encode();
    for cut in 1..good.len() {
        assert!(matches!(Fill::decode(&good[..cut]), Err(EntryError::Malformed(_))), "cut at {cut}");
    }
    let long = [good, vec![0]].concat();
    assert_eq!(Fill::decode(&long), Err(EntryError::Malformed("1 bytes too many".into())));
}

#[test]
fn refuses_values_out_of_range() {
    // One byte of the body is the exchange's number: no value of it but the five and 0 is taken.
    let good = fill().encode();
    let at = good.iter().rposition(|byte| *byte == 0x22).unwrap() + 1;
    let mut bad = good;
    bad[at] = 6;
    assert_eq!(Fill::decode(&bad), Err(EntryError::OutOfRange("exchange")));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(mut bytes in proptest::collection::vec(any::<u8>(), 0..400), versioned: bool) {
        if versioned && !bytes.is_empty() {
            bytes[0] = 1;
        }
        let _ = Fill::decode(&bytes);
        let _ = Trade::decode(&bytes);
        let _ = DeadLetter::decode(&bytes);
        let _ = Market::decode(&bytes);
    }

    #[test]
    fn a_flipped_byte_never_panics(at in 0usize..160, with: u8) {
        let mut bytes = trade().encode();
        let at = at % bytes.len();
        bytes[at] ^= with;
        let _ = Trade::decode(&bytes);
    }

    #[test]
    fn entries_round_trip(
        block_number: u64, log_index: u32, timestamp: u64, hashes: [[u8; 32]; 3], wallets: [[u8; 20]; 2],
        exchange in proptest::option::of(proptest::sample::select(&Exchange::ALL[..])), sell: bool,
        amounts in proptest::array::uniform3(0..=Amount::MAX.micros()),
        text in ".{0,20}", side: u8, resolution in 0..3,
    ) {
        let amount = |i: usize| Amount::from_micros(amounts[i]).unwrap();
        let fill = Fill {
            block_number, log_index, timestamp,
            transaction_hash: hashes[0].into(),
            source_id: text.clone(),
            order_hash: hashes[1].into(),
            exchange,
            token_id: TokenId(U256::from_be_bytes(hashes[2])),
            maker: wallets[0].into(),
            taker: wallets[1].into(),
            side: if sell { Side::Sell } else { Side::Buy },
            usd: amount(0), shares: amount(1), fee: amount(2),
            match_log_index: None, outcome_slot: None,
        };
        let (condition_id, outcome) = (text.as_str().into(), text.as_str().into());
        let resolution = match resolution {
            0 => Resolution::Unknown,
            1 => Resolution::Token { condition_id, outcome },
            _ => Resolution::Market { condition_id, outcome, market_id: text.as_str().into(), side: NonUsdcSide(side) },
        };
        let trade = Trade { fill: fill.clone(), resolution };
        prop_assert_eq!(Fill::decode(&fill.encode()), Ok(fill));
        prop_assert_eq!(Trade::decode(&trade.encode()), Ok(trade));
        let letter = DeadLetter { raw: hashes[0].to_vec(), reason: text, ..letter() };
        prop_assert_eq!(DeadLetter::decode(&letter.encode()), Ok(letter.clone()));
        let condition_id = match sell {
            true => None,
            false => Some(ConditionId::Position(std::array::from_fn(|i| hashes[0][i]))),
        };
        let market = Market {
            condition_id, question: letter.reason.clone(), outcomes: vec![letter.reason; 3], version: block_number,
            created_at: sell.then_some(i64::from(log_index)), ..market()
        };
        prop_assert_eq!(Market::decode(&market.encode()), Ok(market));
    }
}
