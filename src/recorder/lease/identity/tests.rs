//! Tests of who can be told to be gone, and of names that are read whole or not at all.

use proptest::prelude::*;

use super::*;

const MINE: u64 = 4_026_531_836;

fn pod(uid: &str, namespace: u64, id: u32) -> String {
    format!("pod/recorder-0/{uid}/{namespace}/{id}/4711/tag")
}

fn host(name: &str, boot: &str, namespace: u64, id: u32) -> String {
    format!("host/{name}/{boot}/{namespace}/{id}/4711/tag")
}

#[test]
fn a_holder_is_gone_only_where_that_can_be_told_from_here() {
    let in_pod = pod("uid-1", MINE, 1);
    let on_host = host("mill", "boot-1", MINE, 300);
    let unknown_boot = host("mill", "-", MINE, 300);
    // Who looks, at whom, whether it is gone if the process that is asked for is, and if it lives.
    let table: [(&str, &str, bool, bool); 18] = [
        (&in_pod, &pod("uid-1", MINE, 57), true, false),
        (&in_pod, &pod("uid-1", MINE, 1), true, false),
        (&in_pod, &pod("uid-1", MINE + 1, 1), true, true),
        (&in_pod, &pod("uid-2", MINE, 1), false, false),
        (&in_pod, &pod("uid-2", MINE + 1, 1), false, false),
        (&in_pod, "pod/recorder-0/uid-1/-/-/-/tag", false, false),
        (&in_pod, &host("mill", "boot-1", MINE, 1), false, false),
        (&on_host, &host("mill", "boot-1", MINE, 299), true, false),
        (
            &on_host,
            &host("mill", "boot-1", MINE + 1, 299),
            false,
            false,
        ),
        (&on_host, &host("mill", "boot-2", MINE, 299), false, false),
        (&on_host, &host("wind", "boot-1", MINE, 299), false, false),
        (&on_host, "host/mill/boot-1/-/-/-/tag", false, false),
        (&on_host, &pod("uid-1", MINE, 1), false, false),
        (&unknown_boot, &host("mill", "-", MINE, 299), false, false),
        (&on_host, "recorder-0_0c2f", false, false),
        (&on_host, "", false, false),
        (&on_host, &on_host[1..], false, false),
        (&on_host, &on_host[..on_host.len() - 4], false, false),
    ];
    for (me, holder, if_gone, if_alive) in table {
        let me: Identity = me.parse().unwrap();
        let sees = |fate| me.sees_gone(holder, |_| fate);
        assert_eq!(sees(Fate::Gone), if_gone, "{me} sees {holder}");
        assert_eq!(sees(Fate::Alive), if_alive, "{me} sees {holder}");
        assert_eq!(sees(Fate::Unknown), if_alive, "{me} sees {holder}");
    }
}

#[test]
fn the_pod_of_a_holder_is_known_where_it_runs_in_one() {
    let name = "recorder-0".to_owned();
    assert_eq!(pod_of(&pod("uid-1", MINE, 1)), Some(name));
    for other in [&*host("mill", "boot-1", MINE, 300), "recorder-0", ""] {
        assert_eq!(pod_of(other), None, "{other}");
    }
}

#[test]
fn the_process_that_is_looked_up_is_the_holders() {
    let me: Identity = host("mill", "boot-1", MINE, 300).parse().unwrap();
    let mut asked = None;
    me.sees_gone(&host("mill", "boot-1", MINE, 299), |process| {
        asked = Some(*process);
        Fate::Unknown
    });
    let expected = Process {
        namespace: MINE,
        id: 299,
        start: 4711,
    };
    assert_eq!(asked, Some(expected));
}

#[test]
fn what_is_not_written_as_this_program_does_is_not_read() {
    for text in [
        "",
        "a",
        "pod/a/b/1/2/3",
        "pod/a/b/1/2/3/t/more",
        "pod/a/b/01/2/3/t",
        "pod/a/b/+1/2/3/t",
        "pod/a/b/1/-/3/t",
        "pod/a/b/1/2/99999999999999999999999/t",
        "pod//b/1/2/3/t",
        "pod/a/b/1/2/3/",
        "pod/a b/c/1/2/3/t",
        "node/a/b/1/2/3/t",
        "Pod/a/b/1/2/3/t",
        "pod/a/b/1/2/3/t ",
    ] {
        assert_eq!(text.parse::<Identity>(), Err(UnknownForm), "{text:?}");
    }
}

#[test]
fn people_are_told_the_pod_or_the_process_and_the_whole_name() {
    for (holder, said) in [
        (
            pod("uid-1", 1, 2),
            "pod recorder-0 (pod/recorder-0/uid-1/1/2/4711/tag)",
        ),
        (
            host("mill", "b", 1, 2),
            "process 2 on mill (host/mill/b/1/2/4711/tag)",
        ),
        (
            "host/mill/-/-/-/-/tag".to_owned(),
            "a process on mill (host/mill/-/-/-/-/tag)",
        ),
        (String::new(), "nobody"),
        (
            "vault\n1".to_owned(),
            "\"vault\\n1\", which is no name that this program gives itself",
        ),
    ] {
        assert_eq!(described(&holder), said);
    }
}

fn identities() -> impl Strategy<Value = Identity> {
    let process = (any::<u64>(), any::<u32>(), any::<u64>());
    let process = process.prop_map(|(namespace, id, start)| Process {
        namespace,
        id,
        start,
    });
    let homes = (
        any::<bool>(),
        any::<String>(),
        proptest::option::of(any::<String>()),
    );
    let homes = homes.prop_map(|(pod, name, whole)| {
        if pod {
            let uid = whole.unwrap_or_default();
            Home::Pod { name, uid }
        } else {
            Home::Host { name, boot: whole }
        }
    });
    (homes, proptest::option::of(process), "[0-9a-f]{8}")
        .prop_map(|(home, process, tag)| Identity::new(home, process, &tag))
}

proptest! {
    #[test]
    fn a_name_is_read_as_the_process_that_it_was_written_for(identity in identities()) {
        let text = identity.to_string();
        prop_assert_eq!(text.parse(), Ok(identity));
    }

    #[test]
    fn whatever_is_read_is_written_in_the_same_way(text in "(pod|host)(/[-a-c0-3]{1,2}){6}|\\PC{0,40}") {
        if let Ok(identity) = text.parse::<Identity>() {
            prop_assert_eq!(identity.to_string(), text);
        }
    }
}
