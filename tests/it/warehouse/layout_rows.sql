-- Fills like those of the bench: matches of two makers and a taker, hot and cold markets, wallets that come again.
INSERT INTO {table}
WITH
    intDiv(number, 3) AS match, number % 3 AS place,
    cityHash64(match, 1) / pow(2, 64) AS hot, cityHash64(number, 2) / pow(2, 64) AS hot_wallet, cityHash64(match, 3) / pow(2, 64) AS hot_taker,
    -- One market trades three times in all.
    if(match % intDiv({all}, 9) = intDiv({all}, 19), 9999, toUInt64(pow(hot, 3) * 3000)) AS market,
    concat('0x', lower(hex(substring(SHA256(concat('w', toString(toUInt64(pow(hot_wallet, 2) * 20000)))), 1, 20)))) AS wallet,
    concat('0x', lower(hex(substring(SHA256(concat('w', toString(toUInt64(pow(hot_taker, 2) * 20000)))), 1, 20)))) AS taker_wallet,
    toDecimal128(1 + cityHash64(number, 4) % 9000 / 100, 6) AS shares,
    1 + cityHash64(match, 5) % 98 AS cents
SELECT
    toDateTime(1782864000 + intDiv(match * 7776000, intDiv({all}, 3)), 'UTC') AS timestamp,
    90000000 + intDiv(match, 30) AS block_number,
    toUInt32(cityHash64(intDiv(match, 30)) % 40 + match % 30 * 12 + place * 3) AS log_index,
    concat('0x', lower(hex(SHA256(concat('t', toString(match)))))) AS transaction_hash,
    concat('0x', lower(hex(SHA256(concat('o', toString(intDiv(number, 2))))))) AS order_hash,
    '' AS source_id, if(market % 2 = 0, 'ctf_v2', 'neg_risk_v2') AS exchange,
    reinterpretAsUInt256(SHA256(toString(market))) AS token_id,
    concat('0x', lower(hex(SHA256(concat('c', toString(intDiv(market, 2))))))) AS condition_id,
    toString(500000 + intDiv(market, 2)) AS market_id, if(market % 2 = 0, 'Yes', 'No') AS outcome, if(market % 2 = 0, 'token1', 'token2') AS nonusdc_side,
    if(place = 2, taker_wallet, wallet) AS maker, if(place = 2, '0xe111180000d2663c0091e4f400237545b87b996b', taker_wallet) AS taker,
    if(place = 2, 'BUY', 'SELL') AS maker_direction, if(place = 2, 'SELL', 'BUY') AS taker_direction,
    cents / 100 AS price, toDecimal128(shares * cents / 100, 6) AS usd_amount, shares AS token_amount,
    if(place = 2, toDecimal128(shares / 50, 6), toDecimal128(0, 6)) AS fee_amount, 'usd' AS fee_unit, place = 2 AS is_taker_row,
    3 AS version, toDateTime64(timestamp, 3, 'UTC') + 2 AS ingested_at,
    log_index + (2 - place) * 3 AS match_log_index, market % 2 AS outcome_slot
FROM numbers({begin}, {count})
