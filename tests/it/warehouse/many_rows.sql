INSERT INTO trades
SELECT
    toDateTime(1785542400 + intDiv(number * 2591999, {all}), 'UTC'), 90000000 + intDiv(number, 100), number % 100,
    concat('0x', hex(sipHash128(number)), hex(sipHash128(number, 1))), '', '', 'ctf_v1',
    multiIf(
        number % 5 = 0, bitShiftLeft(toUInt256(cityHash64(intDiv(number, 5) % intDiv({all}, 20))), 190),
        number % 5 = 1, toUInt256(5),
        bitShiftLeft(toUInt256(cityHash64(number % intDiv({all}, 50), 1)), 190)
    ),
    if(number % 5 = 0, '', '0xc0'), if(number % 5 = 0, '', '7'), if(number % 5 = 0, '', 'Yes'),
    if(number % 5 = 0, '', 'token1'), '', '', 'BUY', 'SELL', 0.5, 1, 2, 0, 'usd', 1, if(number % 5 = 0, 0, 2),
    now64(3, 'UTC') - toIntervalHour(1), NULL, NULL
FROM numbers({begin}, {count})
