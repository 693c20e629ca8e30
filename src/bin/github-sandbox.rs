//! github-sandbox: a stand-in for GitHub over the contract in `contract/`.

fn main() {}
