//! Tests of the ledger: the lives of entries from their first report to their second end.

mod claims;
mod ends;
mod life;
mod promise;
mod reports;
mod rivals;
mod storing;
mod takeovers;
