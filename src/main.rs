//! polytape, the program.

#![forbid(unsafe_code)]

fn main() {}
