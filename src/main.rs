//! polytape, the program: a thin edge around the library.

#![forbid(unsafe_code)]

use std::process::ExitCode;

fn main() -> ExitCode {
    polytape::cli::main()
}
