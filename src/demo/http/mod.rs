//! What requests and answers are made of.

pub(super) mod params;
pub(super) mod reply;
