//! The key's file: in another form, replaced, missing, and not a key.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use deployment_recorder::github::auth::CredentialsError;
use deployment_recorder::sandbox::AppChange;
use tokio::time::sleep;

use crate::stage::{MINUTE, SECOND, Stage};

/// A key in PKCS#8, made of one in PKCS#1: around it stand a version and the algorithm (RFC 5208).
fn pkcs8(pkcs1: &str) -> String {
    let body: String = pkcs1
        .lines()
        .filter(|line| !line.starts_with('-'))
        .collect();
    let der = BASE64_STANDARD.decode(body).unwrap();
    let element = |tag: u8, content: &[u8]| {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82], &length[..], content].concat()
    };
    let version = [0x02, 0x01, 0x00];
    let rsa = [
        0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01, 0x05, 0x00,
    ];
    let whole = element(0x30, &[&version[..], &rsa, &element(0x04, &der)].concat());
    let body = BASE64_STANDARD.encode(whole);
    format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")
}

#[tokio::test(start_paused = true)]
async fn a_key_signs_in_in_every_form_that_people_have_it_in() {
    let stage = Stage::default();
    let pkcs1 = Stage::first_key().to_owned();
    let pkcs8 = pkcs8(&pkcs1);
    for text in [
        pkcs1.clone(),
        pkcs8.clone(),
        BASE64_STANDARD.encode(&pkcs1),
        BASE64_STANDARD.encode(&pkcs8),
    ] {
        stage.key.write(&text);
        let header = stage.sign_in().await;
        assert_eq!(stage.list(&header).await, 200);
        stage.credentials.accepted(&header);
        assert!(stage.credentials.refused(&header).await);
    }
    assert_eq!(stage.mints(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_replaced_is_used_at_once() {
    let stage = Stage::default();
    let first = stage.sign_in().await;
    stage.change(AppChange {
        rotate: true,
        ..AppChange::default()
    });
    sleep(56 * MINUTE).await;
    // The renewal fails, and the last token is used for as long as it holds.
    assert_eq!(stage.sign_in().await, first);
    assert_eq!(stage.statuses(), [200, 201, 401]);
    sleep(30 * SECOND).await;
    assert_eq!(stage.sign_in().await, first);
    assert_eq!(stage.statuses(), [200, 201, 401]);
    sleep(5 * MINUTE).await;
    let said = stage.fail().await;
    assert_eq!(
        said,
        "no token for installation 1001 of the App 7: GitHub answered 401 Unauthorized: A JSON web \
         token could not be decoded"
    );
    let asked = stage.mints();
    assert!(!stage.credentials.are_renewed(None).await);
    stage.key.write(&stage.github.app_key().unwrap());
    assert!(stage.credentials.are_renewed(None).await);
    let second = stage.sign_in().await;
    assert_eq!((stage.list(&second).await, stage.mints()), (200, asked + 1));
    assert!(!stage.credentials.are_renewed(Some(&second)).await);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_key_is_named_by_its_file_and_asks_nothing() {
    let stage = Stage::default();
    let key = Stage::first_key();
    let place = stage.key.0.display().to_string();
    for (content, problem) in [
        ("", "is empty"),
        ("hunter2!", "is neither PEM nor base64"),
        (&key[..400], "holds no private key in PEM"),
    ] {
        stage.key.write(content);
        for error in [
            stage.credentials.check().await.unwrap_err(),
            stage.credentials.authorization().await.unwrap_err(),
        ] {
            let said = format!("{error} {error:?}");
            assert!(matches!(error, CredentialsError::NotAKey { .. }), "{said}");
            assert!(said.contains(&place) && said.contains(problem), "{said}");
            assert!(
                !said.contains("hunter2") && !said.contains(&key[40..60]),
                "{said}"
            );
        }
        assert!(!stage.credentials.are_renewed(None).await);
    }
    std::fs::remove_file(&stage.key.0).unwrap();
    let error = stage.credentials.authorization().await.unwrap_err();
    let said = format!("the private key file {place} cannot be read: ");
    assert!(error.to_string().starts_with(&said), "{error}");
    assert_eq!(stage.errands().len(), 0);
    stage.key.write(key);
    assert!(stage.credentials.are_renewed(None).await);
    assert!(stage.credentials.check().await.is_ok());
    stage.sign_in().await;
}
