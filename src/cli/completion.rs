//! `completion`: completion scripts for shells, made from the flags themselves.

use std::io::{self, Write};

use clap_complete::Shell;

use super::args;

/// Writes the script for `shell`.
pub fn write(shell: Shell, out: &mut dyn Write) -> io::Result<()> {
    let mut command = args::command();
    let name = command.get_name().to_owned();
    // The generator takes a writer that never fails, so the script is made in memory.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    out.write_all(&script)
}
