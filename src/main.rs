//! The program: parses the arguments, runs the command, prints what went wrong.

use std::process::ExitCode;

/// What a cycle needs for a moment goes back when it is over; glibc's keeps most of it, in a heap
/// for each thread. `.cargo/config.toml` has its settings.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    deployment_recorder::cli::main()
}
