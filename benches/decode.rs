//! Decoding: `cargo bench --bench decode`.

#![allow(clippy::unwrap_used, missing_docs)]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use polytape::model::entry::{Entry, MAX_EVENTS, Packer};
use polytape::model::{B256, Exchange, U256};
use polytape::model::{Fill, ORDER_FILLED_V1, ORDER_FILLED_V2, RawLog, decode_order_filled};

/// A thousand logs of the five contracts in turn, both layouts and both sides.
fn logs() -> Vec<RawLog> {
    let log = |i: u64| {
        let exchange = Exchange::ALL[usize::try_from(i % 5).unwrap()];
        let (event, words): (_, Vec<u64>) = match exchange {
            Exchange::CtfV1 | Exchange::NegRiskV1 if i.is_multiple_of(2) => {
                (ORDER_FILLED_V1, vec![0, i + 9, 5_000_000, 9_000_000, 7])
            }
            Exchange::CtfV1 | Exchange::NegRiskV1 => (ORDER_FILLED_V1, vec![i + 9, 0, 9_000_000, 5_000_000, 7]),
            _ => (ORDER_FILLED_V2, vec![i % 2, i + 9, 5_000_000, 9_000_000, 7, 0, 0]),
        };
        let data: Vec<u8> = words.iter().flat_map(|word| U256::from(*word).to_be_bytes::<32>()).collect();
        RawLog {
            address: exchange.address(),
            topics: vec![event, B256::repeat_byte(7), B256::with_last_byte(1), B256::with_last_byte(2)],
            data: data.into(),
            block_number: 97_800_000 + i / 100,
            log_index: u32::try_from(i % 100).unwrap(),
            transaction_hash: B256::repeat_byte(9),
        }
    };
    (0..1_000).map(log).collect()
}

fn decode(c: &mut Criterion) {
    let logs = logs();
    let fills: Vec<Fill> = logs.iter().map(|log| decode_order_filled(log, 1_784_965_486).unwrap()).collect();
    let pack = || {
        let mut packer = Packer::new(MAX_EVENTS);
        let mut entries: Vec<Vec<u8>> = fills.iter().filter_map(|fill| packer.push(fill)).collect();
        entries.extend(packer.finish());
        entries
    };
    let entries = pack();
    let mut group = c.benchmark_group("decode");
    group.throughput(Throughput::Elements(1_000));
    group.bench_function("logs to fills", |b| {
        b.iter(|| logs.iter().filter(|log| decode_order_filled(log, 1_784_965_486).is_ok()).count());
    });
    group.bench_function("fills to entries", |b| b.iter(pack));
    group.bench_function("entries to fills", |b| {
        b.iter(|| entries.iter().map(|bytes| Fill::decode_all(bytes).unwrap().len()).sum::<usize>());
    });
    group.finish();
}

criterion_group!(benches, decode);
criterion_main!(benches);
