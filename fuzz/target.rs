//! One target of `src/fuzz.rs`: that of this program's name.

#![no_main]

use std::sync::LazyLock;

use deployment_recorder::fuzz::{TARGETS, Target};

static RUN: LazyLock<Target> = LazyLock::new(|| {
    let name = env!("CARGO_BIN_NAME");
    let found = TARGETS.iter().find(|(target, _)| *target == name);
    found.expect("a target of this program's name").1
});

libfuzzer_sys::fuzz_target!(|input: &[u8]| RUN(input));
