//! Promises 3 and 7 under random faults, in random worlds.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::model::fixtures::minutes;
use crate::model::fixtures::worlds::{cases, history};

use super::life::{Life, fates};

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn promise_3_what_github_may_hold_as_deployed_is_in_the_ledger_and_in_its_store(
        worlds in history(8), fates in fates(), pauses in vec(0..15u64, 1..10),
    ) {
        let mut life = Life::new();
        let mut fates = fates.into_iter().cycle();
        let mut pauses = pauses.into_iter().cycle();
        for world in &worlds {
            life.live_in(world);
            for pause in pauses.by_ref().take(3) {
                life.cycle(&mut fates);
                prop_assert!(life.forgotten().is_empty(), "{:?}", life.forgotten());
                if pause % 2 == 0 {
                    life.scene.ledger.take_back_unsent();
                    life.store();
                }
                life.wait(minutes(pause));
                prop_assert!(life.forgotten().is_empty(), "{:?}", life.forgotten());
            }
        }
    }

    #[test]
    fn promise_7_after_the_faults_github_holds_what_runs_and_nothing_else(
        worlds in history(5), fates in fates(), pauses in vec(0..15u64, 1..10),
    ) {
        let mut life = Life::new();
        let mut fates = fates.into_iter().cycle();
        let mut pauses = pauses.into_iter().cycle();
        for world in &worlds {
            life.live_in(world);
            for pause in pauses.by_ref().take(3) {
                life.cycle(&mut fates);
                life.wait(minutes(pause));
            }
        }
        let plan = life.comes_to_rest();
        life.is_right_by(&plan)?;
    }
}
