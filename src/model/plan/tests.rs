//! Tests of the plan: every row of the truth table, the guard, and what holds of every plan.

mod guard;
mod rows_to_11;
mod rows_to_16;
mod rows_to_6;
