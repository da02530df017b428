//! Amounts of money and of shares, exact.

use std::{fmt, str::FromStr};

use alloy_primitives::U256;

/// An amount in millionths: of a dollar (USDC.e, pUSD) or of an outcome share.
///
/// Every Polymarket asset has 6 decimals. The range is that of `Decimal(38, 6)`, the column it lands in,
/// so an `Amount` can always be stored and never has to be rounded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(u128);

/// The value does not fit `Decimal(38, 6)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("amount does not fit Decimal(38, 6)")]
pub struct AmountOutOfRange;

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount that `Decimal(38, 6)` holds.
    pub const MAX: Self = Self(10u128.pow(38) - 1);

    /// An amount of `micros` millionths.
    pub const fn from_micros(micros: u128) -> Result<Self, AmountOutOfRange> {
        if micros <= Self::MAX.0 { Ok(Self(micros)) } else { Err(AmountOutOfRange) }
    }

    /// An amount as a contract emits it.
    pub fn from_word(word: U256) -> Result<Self, AmountOutOfRange> {
        let micros = u128::try_from(word).map_err(|_| AmountOutOfRange)?;
        Self::from_micros(micros)
    }

    /// The amount in millionths.
    pub const fn micros(self) -> u128 {
        self.0
    }

    /// Whether there is nothing.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

/// Always six decimal places: `3.929200`.
impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}", self.0 / 1_000_000, self.0 % 1_000_000)
    }
}

/// Reads what [`Display`](fmt::Display) writes.
impl FromStr for Amount {
    type Err = AmountOutOfRange;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (whole, fraction) = text.split_once('.').ok_or(AmountOutOfRange)?;
        let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        if !digits(whole) || !digits(fraction) || fraction.len() != 6 {
            return Err(AmountOutOfRange);
        }
        let whole: u128 = whole.parse().map_err(|_| AmountOutOfRange)?;
        let fraction: u128 = fraction.parse().map_err(|_| AmountOutOfRange)?;
        let micros = whole.checked_mul(1_000_000).and_then(|m| m.checked_add(fraction));
        Self::from_micros(micros.ok_or(AmountOutOfRange)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shows_six_places() {
        assert_eq!(Amount::from_micros(3_929_200).unwrap().to_string(), "3.929200");
        assert_eq!(Amount::ZERO.to_string(), "0.000000");
        assert_eq!(Amount::MAX.to_string(), format!("{}.999999", "9".repeat(32)));
    }

    #[test]
    fn refuses_what_the_column_cannot_hold() {
        assert_eq!(Amount::from_micros(10u128.pow(38)), Err(AmountOutOfRange));
        assert_eq!(Amount::from_word(U256::MAX), Err(AmountOutOfRange));
        assert_eq!(Amount::from_word(U256::from(u128::MAX)), Err(AmountOutOfRange));
        for text in ["", ".", "1", "1.", ".000000", "1.00000", "1.0000000", "-1.000000", "+1.000000", "1e3.000000"] {
            assert_eq!(text.parse::<Amount>(), Err(AmountOutOfRange), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn text_round_trips(micros in 0..=Amount::MAX.0) {
            let amount = Amount::from_micros(micros).unwrap();
            prop_assert_eq!(amount.to_string().parse(), Ok(amount));
        }
    }
}
