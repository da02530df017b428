//! Outcome tokens and where their ids come from.

use std::{fmt, str::FromStr};

use alloy_primitives::{Address, B256, U256, address, keccak256, uint};

/// The ERC-1155 id of an outcome token: 256 bits, up to 78 decimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId(pub U256);

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for TokenId {
    type Err = <U256 as FromStr>::Err;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        U256::from_str_radix(text, 10).map(Self)
    }
}

/// The token that backs an outcome token of a V1 or V2 market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collateral {
    /// USDC.e: standard markets.
    UsdcE,
    /// The wrapped collateral of neg-risk markets.
    NegRiskWrapped,
}

impl Collateral {
    /// The collateral's contract on Polygon.
    pub const fn address(self) -> Address {
        match self {
            Self::UsdcE => address!("2791Bca1f2de4661ED88A30C99A7a9449Aa84174"),
            Self::NegRiskWrapped => address!("3A3BD7bb9528E159577F7C2e685CC81A765002E2"),
        }
    }
}

/// The prime of the alt_bn128 base field.
const P: U256 = uint!(21888242871839275222246405745257275088696311157297823662689037894645226208583_U256);

/// The token id of one outcome of a V1 or V2 market, computed from nothing but the condition.
///
/// `outcome` counts from 0 (Yes, Up, …). This is `getPositionId(collateral, getCollectionId(0, condition, 1 << outcome))`
/// of the Gnosis Conditional Tokens contracts; it agrees with 651 of 651 real markets of 2020 to 2026.
pub fn derive_token_id(condition: B256, outcome: u8, collateral: Collateral) -> TokenId {
    token_of(&collection_id(condition, outcome), collateral)
}

/// The same of each collateral, for little more than one costs.
pub(super) fn derive_token_ids(condition: B256, outcome: u8) -> [TokenId; 2] {
    let collection = collection_id(condition, outcome);
    [Collateral::UsdcE, Collateral::NegRiskWrapped].map(|collateral| token_of(&collection, collateral))
}

fn token_of(collection: &[u8; 32], collateral: Collateral) -> TokenId {
    let mut bytes = [0u8; 52];
    bytes[..20].copy_from_slice(collateral.address().as_slice());
    bytes[20..].copy_from_slice(collection);
    TokenId(keccak256(bytes).into())
}

/// `CTHelpers.getCollectionId` with no parent: hash to a point of alt_bn128, then compress it.
fn collection_id(condition: B256, outcome: u8) -> [u8; 32] {
    let index_set = U256::ONE << usize::from(outcome);
    let mut bytes = [0u8; 64];
    bytes[..32].copy_from_slice(condition.as_slice());
    bytes[32..].copy_from_slice(&index_set.to_be_bytes::<32>());
    let hash = U256::from_be_bytes(keccak256(bytes).0);

    let wants_odd = hash.bit(255);
    let mut x = hash % P;
    let y = loop {
        x = x.add_mod(U256::ONE, P);
        let square = x.mul_mod(x, P).mul_mod(x, P).add_mod(uint!(3_U256), P);
        // P is 3 mod 4, so a square's root is its power of (P + 1) / 4; whether it is a square shows by squaring back.
        let root = power(square, (P + U256::ONE) >> 2);
        if root.mul_mod(root, P) == square {
            break if root.bit(0) == wants_odd { root } else { P - root };
        }
    };
    let odd = if y.bit(0) { U256::ONE << 254 } else { U256::ZERO };
    (x ^ odd).to_be_bytes()
}

/// What makes of a number below [`P`] its Montgomery form: the square of 2^256 modulo `P`.
const TO_MONTGOMERY: U256 = uint!(3096616502983703923843567936837374451735540968419076528771170197431451843209_U256);

/// The negated inverse of [`P`] modulo 2^64.
const INVERSE: u64 = 0x87d2_0782_e486_6389;

/// A power modulo [`P`], of a number below it. In Montgomery form, since without divisions it takes a tenth of the time.
fn power(base: U256, exponent: U256) -> U256 {
    let times = |a: U256, b: U256| a.mul_redc(b, P, INVERSE);
    let base = times(base, TO_MONTGOMERY);
    let mut result = times(U256::ONE, TO_MONTGOMERY);
    for bit in (0..exponent.bit_len()).rev() {
        result = times(result, result);
        if exponent.bit(bit) {
            result = times(result, base);
        }
    }
    times(result, U256::ONE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::b256;

    #[test]
    fn powers_are_those_of_the_library() {
        assert_eq!((U256::MAX % P).add_mod(U256::ONE, P).pow_mod(U256::from(2), P), TO_MONTGOMERY);
        assert_eq!(INVERSE.wrapping_mul(P.wrapping_to()), u64::MAX);
        for base in [U256::ZERO, U256::ONE, U256::from(7), P - U256::ONE, (P >> 1) + U256::from(9)] {
            for exponent in [U256::ZERO, U256::ONE, U256::from(10), (P + U256::ONE) >> 2] {
                assert_eq!(power(base, exponent), base.pow_mod(exponent, P), "{base}^{exponent}");
            }
        }
    }

    /// Public conditions and the token ids that the contracts gave them, standard and neg-risk.
    #[test]
    fn derives_the_ids_of_real_markets() {
        let vectors = include_str!("../../tests/vectors/token_ids.csv");
        let mut checked = 0;
        for line in vectors.lines().skip(1) {
            let [condition, neg_risk, first, second] = line.split(',').collect::<Vec<_>>()[..] else {
                panic!("four columns: {line}");
            };
            let collateral = if neg_risk == "true" { Collateral::NegRiskWrapped } else { Collateral::UsdcE };
            let condition = condition.parse().unwrap();
            assert_eq!(derive_token_id(condition, 0, collateral), first.parse().unwrap(), "{line}");
            assert_eq!(derive_token_id(condition, 1, collateral), second.parse().unwrap(), "{line}");
            checked += 1;
        }
        assert!(checked >= 20, "only {checked} vectors");
    }

    #[test]
    fn the_collateral_matters() {
        let condition = b256!("182390641d3b1b47cc64274b9da290efd04221c586651ba190880713da6347d9");
        let standard = derive_token_id(condition, 0, Collateral::UsdcE);
        assert_eq!(
            standard.to_string(),
            "102936224134271070189104847090829839924697394514566827387181305960175107677216"
        );
        assert_ne!(standard, derive_token_id(condition, 0, Collateral::NegRiskWrapped));
    }
}
