//! Gamma and the Data API, as they answer.

pub(super) mod cursor;
pub(super) mod data_api;
pub(super) mod listing;
pub(super) mod query;
