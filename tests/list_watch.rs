//! What an API server does when it is asked to list, watch and write, as far as the recorder and
//! its tests rely on it. Each behaviour is held against a real kube-apiserver and against the scripted
//! one of `support/apiserver.rs`, so that what is proved with the scripted one is proved of clusters.
//! A behaviour is a plain `async fn` over requests; which server it meets it does not know.

#![allow(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a failed test should say so loudly"
)]

#[cfg(test)]
#[path = "support"]
pub mod support {
    //! What tests share.
    pub mod apiserver;
}

#[path = "support/control_plane.rs"]
#[expect(dead_code, reason = "each test program uses its part")]
mod control_plane;

#[cfg(test)]
#[path = "list_watch"]
mod list_watch {
    //! The behaviours by what they are about, and the stage that they are shown on.
    mod custom;
    mod expiry;
    mod pages;
    mod refusals;
    mod selectors;
    mod stage;
    mod watches;
    mod writes;

    /// Makes of each behaviour a test for each server: `together` with others at the same real one,
    /// or `alone` there.
    macro_rules! behaviours {
        ($($how:ident $room:ident { $($behaviour:ident,)+ })+) => {
            mod scripted {
                use super::stage::Stage;

                $($(
                    #[tokio::test(start_paused = true)]
                    async fn $behaviour() {
                        super::$room::$behaviour(Stage::scripted().await).await;
                    }
                )+)+
            }

            mod real {
                use super::stage::Stage;

                $($(
                    #[tokio::test]
                    async fn $behaviour() {
                        super::$room::$behaviour(Stage::$how().await).await;
                    }
                )+)+
            }
        };
    }

    behaviours! {
        together pages {
            a_page_says_how_many_remain_and_how_to_go_on,
            later_pages_show_the_state_of_the_first_whatever_has_changed_since,
            a_page_can_be_asked_for_again,
            a_list_without_a_limit_is_whole,
            lists_are_in_the_order_of_their_keys_as_text,
            items_of_a_typed_list_do_not_say_their_kind_and_those_of_metadata_do,
            each_write_has_a_greater_version_and_a_list_has_the_newest,
            a_list_in_a_namespace_shows_nothing_of_others_and_one_of_the_cluster_shows_all,
        }
        together watches {
            a_watch_from_the_version_of_a_list_tells_exactly_what_came_later_in_order,
            a_watch_that_is_open_tells_the_same,
            a_deletion_shows_the_last_state_and_the_version_of_the_deletion,
            a_watch_from_nowhere_begins_with_what_is_there,
            a_watch_of_metadata_tells_nothing_else,
            a_watch_in_a_namespace_tells_nothing_of_others_and_one_of_the_cluster_tells_all,
            bookmarks_come_only_to_those_who_ask_and_can_be_gone_on_from,
            a_watch_ends_in_good_order_when_its_time_is_over,
        }
        together selectors {
            labels_select_in_lists,
            labels_select_in_watches_where_what_begins_to_match_comes_and_what_stops_goes,
            a_watch_that_goes_on_selects_by_what_was_then,
            fields_select_by_name_and_namespace,
            pages_of_a_selection_count_nothing_and_the_last_may_be_empty,
            a_selector_that_cannot_be_read_is_a_bad_request,
        }
        together writes {
            a_write_with_a_stale_version_is_a_conflict,
            a_write_without_a_version_wins,
            a_write_to_what_is_not_there_is_not_found,
            what_is_there_cannot_be_created_again,
            a_write_that_changes_nothing_is_none,
            an_object_that_is_created_again_is_another_one,
            a_write_to_another_uid_is_a_conflict,
            times_and_identities_are_the_servers_whatever_is_sent,
            a_deletion_may_be_bound_to_a_uid_and_a_version,
            names_in_path_and_object_agree,
            what_is_created_has_no_version_yet,
            nothing_is_created_in_a_namespace_that_is_not_there,
            a_lease_is_created_by_put_and_replaced_by_its_version_alone,
            a_lease_that_is_gone_is_not_created_by_who_held_it,
        }
        together refusals {
            a_resource_that_is_not_there_is_not_found,
            what_one_has_no_right_to_is_forbidden,
            a_malformed_token_is_a_bad_request,
        }
        together custom {
            items_of_a_list_of_custom_resources_say_their_kind,
            a_custom_resource_is_replaced_by_its_version_alone,
            a_custom_resource_that_is_not_defined_has_no_page,
        }
        alone expiry {
            a_watch_from_too_long_ago_is_told_that_it_is_and_ends,
            a_list_that_was_begun_too_long_ago_cannot_be_continued,
        }
    }
}
