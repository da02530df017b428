//! The five contracts that emit fills on Polygon (chain id 137).

use std::fmt;

use alloy_primitives::{Address, address};

/// A Polymarket exchange contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Exchange {
    /// CTF Exchange, 2022-11-21 to 2026-04-28.
    CtfV1,
    /// Neg-risk CTF Exchange, to 2026-04-28.
    NegRiskV1,
    /// CTF Exchange V2, from block 84,902,353.
    CtfV2,
    /// Neg-risk CTF Exchange V2, from block 84,902,353.
    NegRiskV2,
    /// Exchange V3, "protocol v2": position ids instead of token hashes.
    V3,
}

/// How a contract lays out `OrderFilled`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    /// Two asset ids, of which the collateral is 0; five data words.
    V1,
    /// A side and a token id; seven data words. V2 and V3 share it.
    V2,
}

impl Exchange {
    /// All of them, oldest first.
    pub const ALL: [Self; 5] = [Self::CtfV1, Self::NegRiskV1, Self::CtfV2, Self::NegRiskV2, Self::V3];

    /// The block in which the first of them was deployed.
    pub const FIRST_BLOCK: u64 = 33_605_403;

    /// The address of the contract.
    ///
    /// Source: `networks.yaml` of Polymarket/polymarket-subgraph and the constants of the official SDKs.
    pub const fn address(self) -> Address {
        match self {
            Self::CtfV1 => address!("4bFb41d5B3570DeFd03C39a9A4D8dE6Bd8B8982E"),
            Self::NegRiskV1 => address!("C5d563A36AE78145C45a50134d48A1215220f80a"),
            Self::CtfV2 => address!("E111180000d2663C0091e4f400237545B87B996B"),
            Self::NegRiskV2 => address!("e2222d279d744050d28e00520010520000310F59"),
            Self::V3 => address!("e3333700cA9d93003F00f0F71f8515005F6c00Aa"),
        }
    }

    /// The exchange at an address, if there is one.
    pub fn at(address: Address) -> Option<Self> {
        Self::ALL.into_iter().find(|exchange| exchange.address() == address)
    }

    /// The layout of its `OrderFilled`.
    pub const fn layout(self) -> Layout {
        match self {
            Self::CtfV1 | Self::NegRiskV1 => Layout::V1,
            Self::CtfV2 | Self::NegRiskV2 | Self::V3 => Layout::V2,
        }
    }

    /// The name in the `exchange` column.
    pub const fn label(self) -> &'static str {
        match self {
            Self::CtfV1 => "ctf_v1",
            Self::NegRiskV1 => "neg_risk_v1",
            Self::CtfV2 => "ctf_v2",
            Self::NegRiskV2 => "neg_risk_v2",
            Self::V3 => "v3",
        }
    }
}

impl fmt::Display for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Invented addresses are in circulation: these five are pinned here as text.
    #[test]
    fn the_five_contracts() {
        let table: Vec<_> = Exchange::ALL.iter().map(|e| (e.label(), format!("{:#x}", e.address()))).collect();
        let expected = [
            ("ctf_v1", "0x4bfb41d5b3570defd03c39a9a4d8de6bd8b8982e"),
            ("neg_risk_v1", "0xc5d563a36ae78145c45a50134d48a1215220f80a"),
            ("ctf_v2", "0xe111180000d2663c0091e4f400237545b87b996b"),
            ("neg_risk_v2", "0xe2222d279d744050d28e00520010520000310f59"),
            ("v3", "0xe3333700ca9d93003f00f0f71f8515005f6c00aa"),
        ];
        assert_eq!(table, expected.map(|(label, address)| (label, address.to_owned())));
        for exchange in Exchange::ALL {
            assert_eq!(Exchange::at(exchange.address()), Some(exchange));
        }
        assert_eq!(Exchange::at(Address::ZERO), None);
    }
}
