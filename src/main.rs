//! The program: parses the arguments, runs the command, prints what went wrong.

use std::process::ExitCode;

fn main() -> ExitCode {
    deployment_recorder::cli::main()
}
