//! The events of the exchanges: those that are no fills, by their signatures.

use std::sync::LazyLock;

use alloy_primitives::{B256, b256, keccak256};

use crate::model::{ORDER_FILLED_V1, ORDER_FILLED_V2};

/// `Upgraded(address)`, of a proxy whose implementation was replaced.
pub(super) const UPGRADED: B256 = b256!("bc7cd75a20ee27fd9adebab32041f755214dbc6bffa90cc0225b39da2e5c2d3b");

/// The events of the exchanges that are no fills and need nobody's attention.
const KNOWN: [&str; 21] = [
    "OrdersMatched(bytes32,address,uint256,uint256,uint256,uint256)",
    "OrdersMatched(bytes32,address,uint8,uint256,uint256,uint256)",
    "FeeCharged(address,uint256,uint256)",
    "FeeCharged(address,uint256)",
    "TokenRegistered(uint256,uint256,bytes32)",
    "OrderCancelled(bytes32)",
    "NewAdmin(address,address)",
    "NewOperator(address,address)",
    "RemovedAdmin(address,address)",
    "RemovedOperator(address,address)",
    "TradingPaused(address)",
    "TradingUnpaused(address)",
    "ProxyFactoryUpdated(address,address)",
    "SafeFactoryUpdated(address,address)",
    "Initialized(uint64)",
    "AdminChanged(address,address)",
    "OwnershipTransferred(address,address)",
    "RoleGranted(bytes32,address,address)",
    "RoleRevoked(bytes32,address,address)",
    "Paused(address)",
    "Unpaused(address)",
];

static SIGNATURES: LazyLock<Vec<B256>> = LazyLock::new(|| {
    let known = KNOWN.iter().map(keccak256);
    known.chain([UPGRADED, ORDER_FILLED_V1, ORDER_FILLED_V2]).collect()
});

/// Whether a signature is that of an event that is read, or needs nobody's attention.
pub(super) fn is_known(signature: &B256) -> bool {
    SIGNATURES.contains(signature)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hashes that stand in other sources pin how signatures are written here.
    #[test]
    fn signatures_are_those_of_the_contracts() {
        let known: Vec<String> = SIGNATURES.iter().map(|hash| format!("{hash:#x}")).collect();
        for hash in [
            "0x63bf4d16b7fa898ef4c4b2b6d90fd201e9c56313b65638af6088d149d2ce956c",
            "0x174b3811690657c217184f89418266767c87e4805d09680c39fc9c031c0cab7c",
            "0xacffcc86834d0f1a64b0d5a675798deed6ff0bcfc2231edd3480e7288dba7ff4",
            "0x55bb3cade9d43b798a4fe5ffdd05024b2d7870df53920673bfc7e68047cd0ab1",
            "0xbc9a2432e8aeb48327246cddd6e872ef452812b4243c04e6bfb786a2cd8faf0d",
            "0x5152abf959f6564662358c2e52b702259b78bac5ee7842a0f01937e670efcc7d",
            "0xbc7cd75a20ee27fd9adebab32041f755214dbc6bffa90cc0225b39da2e5c2d3b",
        ] {
            assert!(known.iter().any(|it| it == hash), "{hash}");
        }
    }
}
