//! `polytape completions` and `polytape man`: what shells and `man` read.

use std::io::stdout;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{args::Cli, error::CliError, print::print};

/// Prints the completions of a shell.
pub(super) fn completions(shell: Shell) {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "polytape", &mut text);
    print(&String::from_utf8_lossy(&text));
}

/// Prints the manual page, or writes one for every command into a directory.
pub(super) fn man(directory: Option<&std::path::Path>) -> Result<(), CliError> {
    match directory {
        None => clap_mangen::Man::new(Cli::command()).render(&mut stdout()).map_err(CliError::Output),
        Some(path) => clap_mangen::generate_to(Cli::command(), path)
            .map_err(|cause| CliError::ConfigUnwritable { path: path.to_owned(), cause }),
    }
}
