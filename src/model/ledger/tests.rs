//! Tests of the ledger: the lives of entries from their first report to their second end.

mod claims;
mod ends;
mod promise;
mod reports;
mod storing;
mod takeovers;
