//! `man`: manual pages, made from the flags themselves.

use std::io::{self, Write};

use clap::Command;

use super::args::command;

/// Writes the page of the program, or that of one of its commands.
pub fn write(of: Option<&str>, out: &mut dyn Write) -> io::Result<()> {
    let mut program = command().disable_help_subcommand(true);
    program.build();
    let page = match of.and_then(|page| find(&program, page)) {
        Some(command) => command.clone().version(env!("CARGO_PKG_VERSION")),
        None => program,
    };
    clap_mangen::Man::new(page).render(out)
}

/// The command of that page: its words, joined by dashes.
fn find<'a>(command: &'a Command, page: &str) -> Option<&'a Command> {
    command.get_subcommands().find_map(|below| {
        let rest = page.strip_prefix(below.get_name())?;
        match rest.strip_prefix('-') {
            Some(rest) => find(below, rest),
            None => rest.is_empty().then_some(below),
        }
    })
}
