//! Jobs and the requests that read, to the byte, with their limits.

use super::super::super::job::JobId;
use super::*;

#[test]
fn a_job_has_the_body_of_a_set_without_its_switches() {
    let lines = [line("a"), line("b")];
    let job = create_job(&api(), &version(), &destination(), &lines).unwrap();
    assert_eq!(job.method(), Method::POST);
    assert_eq!(
        job.uri(),
        "https://api.github.com/orgs/octo/artifacts/metadata/deployment-record/cluster/prod-1/jobs"
    );
    let set = built(&destination(), &lines).unwrap();
    let set = std::str::from_utf8(set.body()).unwrap();
    let expected = set.replace(r#","partial_success":true,"return_records":false"#, "");
    assert_ne!(expected, set);
    assert_eq!(job.body(), expected.as_bytes());
}

#[test]
fn a_job_has_1_to_5000_lines_of_its_own_cluster() {
    let lines: Vec<Line> = (0..5001).map(|n| line(&format!("n{n}"))).collect();
    let job = |count: usize| create_job(&api(), &version(), &destination(), &lines[..count]);
    assert!(job(1).is_ok() && job(5000).is_ok());
    for count in [0, 5001] {
        let expected = RequestError::Count {
            field: "deployments",
            count,
            least: 1,
            most: 5000,
        };
        assert_eq!(job(count).unwrap_err(), expected);
    }
    let place = Destination {
        cluster: "".into(),
        ..destination()
    };
    let error = create_job(&api(), &version(), &place, &lines[..1]).unwrap_err();
    assert!(matches!(
        error,
        RequestError::Field {
            field: "cluster",
            ..
        }
    ));
}

#[test]
fn a_request_that_reads_has_no_body_and_names_the_version() {
    let digest = line("a").body.digest;
    let job = get_job(&api(), &version(), &destination(), JobId(7)).unwrap();
    let deployments = list_deployment_records(&api(), &version(), "o/c", &digest).unwrap();
    let storage = list_storage_records(&api(), &version(), "octo", &digest).unwrap();
    let of = format!("sha256%3A{}", "ab".repeat(32));
    for (request, path) in [
        (
            job,
            "octo/artifacts/metadata/deployment-record/cluster/prod-1/jobs/7".to_owned(),
        ),
        (
            deployments,
            format!("o%2Fc/artifacts/{of}/metadata/deployment-records"),
        ),
        (
            storage,
            format!("octo/artifacts/{of}/metadata/storage-records"),
        ),
    ] {
        let expected = format!("https://api.github.com/orgs/{path}");
        assert_eq!(request.uri().to_string(), expected);
        assert_eq!((request.method(), request.body().len()), (&Method::GET, 0));
        let headers = request.headers();
        assert_eq!(headers["x-github-api-version"], "2022-11-28");
        assert_eq!(headers["accept"], "application/vnd.github+json");
        assert_eq!(headers["user-agent"], AGENT);
        assert!(!headers.contains_key("content-type"));
    }
}

#[test]
fn what_reads_holds_its_limits_too() {
    let digest = line("a").body.digest;
    for organization in ["", ".", ".."] {
        for error in [
            list_deployment_records(&api(), &version(), organization, &digest),
            list_storage_records(&api(), &version(), organization, &digest),
        ] {
            assert_names(error, "org", organization);
        }
    }
    for cluster in ["", ".", "..", "a b"] {
        let place = Destination {
            cluster: cluster.into(),
            ..destination()
        };
        let error = get_job(&api(), &version(), &place, JobId(7));
        assert_names(error, "cluster", cluster);
    }
}
