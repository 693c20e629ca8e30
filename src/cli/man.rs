//! `man`: manual pages, made from the flags themselves.

use std::io::{self, Write};

use super::args::command;

/// Writes the page of the program, or that of one of its commands.
pub fn write(of: Option<&str>, out: &mut dyn Write) -> io::Result<()> {
    let mut program = command().disable_help_subcommand(true);
    program.build();
    let page = match of.and_then(|name| program.find_subcommand(name)) {
        Some(command) => command.clone().version(env!("CARGO_PKG_VERSION")),
        None => program,
    };
    clap_mangen::Man::new(page).render(out)
}
