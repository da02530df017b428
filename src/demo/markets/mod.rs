//! Markets and wallets: who and what there is.

pub(super) mod calendar;
pub(super) mod market;
pub(super) mod roles;
pub(super) mod series;
pub(super) mod wallets;
