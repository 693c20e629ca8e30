//! Every row of what answers mean, on bytes.

use http::header::{HeaderMap, HeaderName, HeaderValue};

use super::super::samples::{line, received, version};
use super::*;

/// What a status, headers and a body mean for lines named `a`, `b` and `C`.
fn read(status: u16, headers: &[(&'static str, &str)], body: &str) -> Answer {
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| {
            (
                HeaderName::from_static(name),
                value.parse::<HeaderValue>().unwrap(),
            )
        })
        .collect();
    let status = StatusCode::from_u16(status).unwrap();
    let lines = [line("a"), line("b"), line("C")];
    let received = Received {
        status,
        rate: &Rate::read(&headers),
        body: body.as_bytes(),
        version: &version(),
    };
    Taken::read(received, &lines)
}

/// The body of a 207 with these items as its errors.
fn partial(items: &str) -> Answer {
    read(
        207,
        &[],
        &format!(r#"{{"total_count":2,"errors":[{items}]}}"#),
    )
}

/// One item of a 207's errors.
fn item(cause: &str, name: &str) -> String {
    format!(r#"{{"cause":"{cause}","deployment":{{"deployment_name":"{name}"}}}}"#)
}

#[test]
fn a_200_of_the_contracts_shape_acknowledges_all() {
    for body in [
        r#"{"total_count":3}"#,
        r#"{"total_count":0}"#,
        r#"{"total_count":3,"deployment_records":[{"id":1}],"new":{"field":[]}}"#,
        " {\"total_count\" : 3 }\n",
        r#"{"total_count":3,"errors":[]}"#,
        r#"{"total_count":3,"errors":null}"#,
    ] {
        assert_eq!(read(200, &[], body), Ok(Taken::default()), "{body}");
    }
}

#[test]
fn a_success_outside_of_the_contracts_shape_tells_nothing() {
    for body in [
        "",
        "ok",
        "<html>Sign in to the Wi-Fi</html>",
        "null",
        "[]",
        "[3]",
        "[3,[]]",
        "3",
        "{}",
        r#"{"total_count":"3"}"#,
        r#"{"total_count":null}"#,
        r#"{"total_count":1.5}"#,
        r#"{"total_count":1e300}"#,
        r#"{"total_count":99999999999999999999999}"#,
        r#"{"total_count":3"#,
        r#"{"total_count":3} trailing"#,
        r#"{"total_count":3,"errors":"none"}"#,
        "\u{feff}{\"total_count\":3}",
    ] {
        for status in [200, 207] {
            let answer = read(status, &[], body);
            assert!(
                matches!(
                    answer,
                    Err(Failure::Unknown {
                        why: Doubt::Body { .. }
                    })
                ),
                "{body}"
            );
        }
    }
    let bytes = b"{\"total_count\":3,\"x\":\"\xff\"}";
    let answer = received(200, bytes, |received| Taken::read(received, &[line("a")]));
    assert!(matches!(answer, Err(Failure::Unknown { .. })));
}

#[test]
fn a_207_refuses_the_records_it_names_and_no_other() {
    let expected = |refused: &[(usize, Refusal)], unknown: &[usize]| {
        Ok(Taken {
            refused: refused.to_vec(),
            unknown: unknown.to_vec(),
        })
    };
    let digest = format!("sha256:{}", "ab".repeat(32));
    let with_digest = format!(
        r#"{{"cause":"not_found","deployment":{{"deployment_name":"a","digest":"{digest}"}}}}"#
    );
    let null_digest = r#"{"cause":"not_found","deployment":{"deployment_name":"a","digest":null}}"#;
    let no_cause = r#"{"deployment":{"deployment_name":"a"}}"#;
    let table = [
        (
            item("not_found", "a"),
            expected(&[(0, Refusal::NotFound)], &[]),
        ),
        (
            item("unauthorized", "b"),
            expected(&[(1, Refusal::Unauthorized)], &[]),
        ),
        (
            item("not_found", "c"),
            expected(&[(2, Refusal::NotFound)], &[]),
        ),
        (with_digest, expected(&[(0, Refusal::NotFound)], &[])),
        (
            null_digest.to_owned(),
            expected(&[(0, Refusal::NotFound)], &[]),
        ),
        (item("internal_error", "b"), expected(&[], &[1])),
        (no_cause.to_owned(), expected(&[], &[0])),
        (
            [
                item("unauthorized", "C"),
                item("odd", "b"),
                item("not_found", "A"),
            ]
            .join(","),
            expected(&[(0, Refusal::NotFound), (2, Refusal::Unauthorized)], &[1]),
        ),
        (
            [item("not_found", "a"), item("odd", "a")].join(","),
            expected(&[], &[0]),
        ),
        (
            [item("odd", "a"), item("not_found", "a")].join(","),
            expected(&[], &[0]),
        ),
        (
            [item("not_found", "a"), item("not_found", "A")].join(","),
            expected(&[(0, Refusal::NotFound)], &[]),
        ),
    ];
    for (items, expected) in table {
        assert_eq!(partial(&items), expected, "{items}");
    }
}

#[test]
fn a_207_that_does_not_name_a_record_of_the_batch_tells_nothing_of_any() {
    let other_digest = format!(
        r#"{{"cause":"not_found","deployment":{{"deployment_name":"a","digest":"sha256:{}"}}}}"#,
        "cd".repeat(32)
    );
    for items in [
        String::new(),
        item("not_found", "stranger"),
        item("not_found", ""),
        [item("not_found", "a"), item("not_found", "stranger")].join(","),
        other_digest,
        r#"{"cause":"not_found"}"#.to_owned(),
        r#"{"cause":"not_found","deployment":{}}"#.to_owned(),
        r#"{"cause":"not_found","deployment":null}"#.to_owned(),
        r#"{"cause":"not_found","deployment":"a"}"#.to_owned(),
        r#"{"cause":7,"deployment":{"deployment_name":"a"}}"#.to_owned(),
        "{}".to_owned(),
        "null".to_owned(),
        r#"["not_found",{"deployment_name":"a"}]"#.to_owned(),
        r#"{"cause":"not_found","deployment":["a"]}"#.to_owned(),
    ] {
        let answer = partial(&items);
        assert!(
            matches!(
                answer,
                Err(Failure::Unknown {
                    why: Doubt::Body { .. }
                })
            ),
            "{items}"
        );
    }
    let without_errors = read(207, &[], r#"{"total_count":3}"#);
    assert!(matches!(without_errors, Err(Failure::Unknown { .. })));
}

#[test]
fn more_errors_than_a_request_has_lines_tell_nothing_of_any_and_as_many_are_all_heeded() {
    let items = |count: usize| vec![item("not_found", "b"); count].join(",");
    let all = partial(&items(1000)).unwrap();
    assert_eq!(all.refused, [(1, Refusal::NotFound)]);
    // The last one is heeded too.
    let odd = [items(999), item("odd", "a")].join(",");
    assert_eq!(partial(&odd).unwrap().unknown, [0]);
    for status in [200, 207] {
        let body = format!(r#"{{"total_count":2,"errors":[{}]}}"#, items(1001));
        let failure = read(status, &[], &body).unwrap_err();
        assert!(failure.to_string().contains("more errors"), "{failure}");
        assert_eq!(failure.kind(), "unknown");
    }
}

#[test]
fn what_github_says_at_uncommon_length_is_told_by_its_beginning() {
    let long = format!(r#"{{"message":["a", "{}"]}}"#, "x".repeat(1 << 20));
    let Err(Failure::Invalid { message, .. }) = read(422, &[], &long) else {
        panic!()
    };
    assert!(message.starts_with(r#"["a", "xx"#), "{message}");
    assert_eq!(message.chars().count(), 500);
}

#[test]
fn errors_in_a_200_are_not_overlooked() {
    let body = |name| {
        format!(
            r#"{{"total_count":3,"errors":[{}]}}"#,
            item("not_found", name)
        )
    };
    let refused = vec![(1, Refusal::NotFound)];
    assert_eq!(
        read(200, &[], &body("b")),
        Ok(Taken {
            refused,
            unknown: Vec::new()
        })
    );
    assert!(matches!(
        read(200, &[], &body("stranger")),
        Err(Failure::Unknown { .. })
    ));
}

#[test]
fn statuses_that_say_nothing_about_the_lines_leave_them_unknown() {
    let odd = [
        201, 202, 204, 206, 300, 303, 304, 402, 405, 406, 407, 408, 409, 411, 415, 418, 421,
    ];
    for status in odd
        .into_iter()
        .chain([423, 425, 426, 428, 431, 451, 500, 501, 502, 503, 504, 599])
    {
        let answer = read(status, &[], r#"{"message":"busy","total_count":3}"#);
        let status = StatusCode::from_u16(status).unwrap();
        let why = Doubt::Status {
            status,
            message: "busy".to_owned(),
        };
        assert_eq!(answer, Err(Failure::Unknown { why }));
    }
}

#[test]
fn statuses_that_refuse_the_whole_batch_are_told_apart() {
    let body = r#"{"message":"Why"}"#;
    let message = "Why".to_owned();
    for status in [StatusCode::BAD_REQUEST, StatusCode::UNPROCESSABLE_ENTITY] {
        let expected = Failure::Invalid {
            status,
            message: message.clone(),
        };
        assert_eq!(read(status.as_u16(), &[], body), Err(expected));
    }
    assert_eq!(
        read(401, &[], body),
        Err(Failure::BadToken {
            message: message.clone()
        })
    );
    assert_eq!(read(413, &[], body), Err(Failure::Oversized));
}

#[test]
fn a_403_or_404_that_names_repositories_is_about_them_even_with_rate_headers() {
    let body =
        r#"{"message":{"cause":"write permission required","repositories":[12,"octo/web"]}}"#;
    for status in [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND] {
        for headers in [
            &[][..],
            &[("x-ratelimit-remaining", "0")],
            &[("retry-after", "9")],
        ] {
            let expected = Failure::NamesRepositories {
                status,
                repositories: vec!["12".to_owned(), "octo/web".to_owned()],
                message: "write permission required".to_owned(),
            };
            assert_eq!(read(status.as_u16(), headers, body), Err(expected));
        }
    }
}

#[test]
fn of_many_repositories_the_first_are_named_and_the_others_counted() {
    for (count, last) in [(20, "19"), (21, "and 1 more"), (100_000, "and 99980 more")] {
        let all: Vec<usize> = (0..count).collect();
        let body = serde_json::json!({"message": {"cause": "gone", "repositories": all}});
        let Err(Failure::NamesRepositories { repositories, .. }) =
            read(404, &[], &body.to_string())
        else {
            panic!("{count}");
        };
        assert_eq!(repositories.len(), count.min(21));
        assert_eq!(repositories.last().unwrap(), last);
    }
}

#[test]
fn any_other_404_and_a_403_without_a_limit_are_about_access() {
    for (body, text) in [
        (r#"{"message":"Not Found"}"#, "Not Found"),
        (r#"{"message":{"cause":"gone","repositories":[]}}"#, "gone"),
        (r#"{"message":{"cause":"gone"}}"#, r#"{"cause":"gone"}"#),
        (
            r#"{"message":{"repositories":12}}"#,
            r#"{"repositories":12}"#,
        ),
        ("<html>", "no message"),
        ("", "no message"),
        (r#"{"message":42}"#, "42"),
    ] {
        for status in [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND] {
            let expected = Failure::NoAccess {
                status,
                message: text.to_owned(),
            };
            let headers = [("x-ratelimit-remaining", "4999")];
            assert_eq!(read(status.as_u16(), &headers, body), Err(expected));
        }
    }
}

#[test]
fn a_404_is_no_limit_whatever_its_headers_say() {
    let answer = read(
        404,
        &[("x-ratelimit-remaining", "0"), ("retry-after", "9")],
        "",
    );
    assert!(matches!(answer, Err(Failure::NoAccess { .. })));
}

#[test]
fn a_429_is_a_limit_and_a_403_is_one_by_its_headers_or_its_words() {
    let secondary = r#"{"message":"You have exceeded a secondary rate limit."}"#;
    let documented = r#"{"message":"Slow down","documentation_url":"https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api"}"#;
    for (status, headers, body) in [
        (429, &[][..], ""),
        (429, &[("retry-after", "-1")], "<html>"),
        (403, &[("retry-after", "60")], ""),
        (403, &[("retry-after", "soon")], ""),
        (403, &[("x-ratelimit-remaining", "0")], ""),
        (403, &[("x-ratelimit-remaining", "17")], secondary),
        (403, &[], documented),
    ] {
        let answer = read(status, headers, body);
        assert!(
            matches!(answer, Err(Failure::Limited { .. })),
            "{status} {headers:?} {body}"
        );
    }
}

#[test]
fn what_github_says_fits_one_line_of_a_log() {
    let long = format!(r#"{{"message":"two\nlines\u001b[2J{}"}}"#, "x".repeat(9000));
    let Err(Failure::Invalid { message, .. }) = read(422, &[], &long) else {
        panic!()
    };
    assert!(message.starts_with("two lines [2Jx"));
    assert_eq!(message.chars().count(), 500);
    let detailed = r#"{"message":"Validation Failed","errors":[{"field":"tags"}]}"#;
    let Err(Failure::Invalid { message, .. }) = read(422, &[], detailed) else {
        panic!()
    };
    assert_eq!(message, r#"Validation Failed [{"field":"tags"}]"#);
}

#[test]
fn one_record_is_acknowledged_by_200_and_201_and_refused_by_what_denies_access() {
    let read = |status, body: &str| received(status, body.as_bytes(), Taken::read_one);
    for status in [200, 201] {
        assert_eq!(read(status, r#"{"total_count":1}"#), Ok(Taken::default()));
        for body in ["", "[]", "{}", r#"{"total_count":"1"}"#] {
            let answer = read(status, body);
            assert!(matches!(answer, Err(Failure::Unknown { .. })), "{body}");
        }
    }
    for status in [StatusCode::FORBIDDEN, StatusCode::NOT_FOUND] {
        let refused = Failure::Refused {
            status,
            message: "no artifacts found".to_owned(),
        };
        let body = r#"{"message":"no artifacts found"}"#;
        assert_eq!(read(status.as_u16(), body), Err(refused));
    }
    for (status, body, kind) in [
        (202, "", "unknown"),
        (207, r#"{"total_count":1}"#, "unknown"),
        (
            403,
            r#"{"message":"You have exceeded a secondary rate limit."}"#,
            "limited",
        ),
        (
            404,
            r#"{"message":{"cause":"x","repositories":["web"]}}"#,
            "names-repositories",
        ),
        (401, "", "bad-token"),
        (409, "", "unknown"),
        (422, "", "invalid"),
        (503, "", "unknown"),
    ] {
        assert_eq!(read(status, body).unwrap_err().kind(), kind, "{status}");
    }
}

#[test]
fn a_withdrawn_version_is_named_with_the_flag_that_names_another() {
    let failure = read(410, &[], r#"{"message":"Gone"}"#).unwrap_err();
    let text = failure.to_string();
    for part in ["2022-11-28", "--github-api-version", "Gone", "410"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn only_what_passes_by_itself_may_be_sent_again_as_it_was() {
    for (status, passes) in [
        (400, false),
        (401, false),
        (403, false),
        (404, false),
        (408, true),
        (409, true),
        (410, false),
        (413, false),
        (422, false),
        (429, true),
        (500, true),
        (502, true),
    ] {
        let failure = read(status, &[], "").unwrap_err();
        assert_eq!(failure.is_passing(), passes, "{status}");
        assert!(!failure.to_string().contains('\n'));
    }
}

#[test]
fn what_is_named_is_taken_neither_whole_nor_counted() {
    let refused = vec![(1, Refusal::NotFound)];
    let unknown = vec![2, 4];
    for (refused, unknown, count, kind) in [
        (vec![], vec![], 9, "acknowledged"),
        (refused.clone(), vec![], 8, "partial"),
        (vec![], unknown.clone(), 7, "partial"),
        (refused, unknown, 6, "partial"),
    ] {
        let taken = Taken { refused, unknown };
        assert_eq!(taken.count(9), count, "{taken:?}");
        assert_eq!(taken.is_whole(), count == 9, "{taken:?}");
        assert_eq!(taken.kind(), kind, "{taken:?}");
    }
}
