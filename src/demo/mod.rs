//! The demo world: the outside, from a seed.
