//! Tests of one look-up, against registries of a few lines: which requests there are, with what, and
//! what is believed of the answers.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use serde_json::{Value, json};
use tower::util::BoxCloneSyncService;

use super::*;
use crate::registry::keyring::{self, PullSecret};

const SOURCE: &str = "https://github.com/acme/web";
const IMAGE: &str = "registry.test/acme/web:1";

/// What is answered: status, headers, body.
type Answer = (u16, Vec<(&'static str, String)>, Vec<u8>);

/// What was asked: address and `Authorization`.
type Asked = (String, Option<String>);

/// A network of hosts: what each address answers, and what was asked.
#[derive(Clone, Default)]
struct Net {
    answers: Arc<Mutex<BTreeMap<String, Vec<Answer>>>>,
    asked: Arc<Mutex<Vec<Asked>>>,
}

type Service = BoxCloneSyncService<Request<Bytes>, Response<Bytes>, BoxError>;

impl Net {
    /// This address answers so, one answer after the other; the last of them again and again.
    fn at(&self, url: &str, answers: Vec<Answer>) {
        self.answers.lock().unwrap().insert(url.to_owned(), answers);
    }

    /// A manifest or blob is there. Returns its digest.
    fn has(&self, kind: &str, content: &[u8]) -> Digest {
        let digest = Digest::of(content);
        let url = format!("https://registry.test/v2/acme/web/{kind}/{digest}");
        self.at(&url, vec![ok(content)]);
        digest
    }

    /// An image with these labels is there. Returns the digest of its manifest.
    fn image(&self, labels: &Value) -> Digest {
        let config = json!({"config": {"Labels": labels}}).to_string();
        let config = (self.has("blobs", config.as_bytes()), config.len());
        self.has(
            "manifests",
            manifest(&config.0.to_string(), config.1 as u64).as_bytes(),
        )
    }

    fn service(&self) -> Service {
        let net = self.clone();
        BoxCloneSyncService::new(tower::service_fn(move |request: Request<Bytes>| {
            let net = net.clone();
            let answer: BoxFuture<'_, Result<Response<Bytes>, BoxError>> =
                async move { net.answer(&request) }.boxed();
            answer
        }))
    }

    fn answer(&self, request: &Request<Bytes>) -> Result<Response<Bytes>, BoxError> {
        let url = request.uri().to_string();
        let header = |name| {
            request
                .headers()
                .get(name)
                .map(|it| it.to_str().unwrap().to_owned())
        };
        assert_eq!(header(USER_AGENT).as_deref(), Some(AGENT));
        let mut asked = self.asked.lock().unwrap();
        asked.push((url.clone(), header(AUTHORIZATION)));
        assert!(asked.len() < 60, "one look-up is bounded: {asked:#?}");
        let mut answers = self.answers.lock().unwrap();
        let answers = answers.get_mut(&url);
        let (status, headers, body) = match answers {
            None => (404, vec![], vec![]),
            Some(answers) if answers.len() > 1 => answers.remove(0),
            Some(answers) => answers[0].clone(),
        };
        if status == 0 {
            return Err("connection reset".into());
        }
        let mut answer = Response::builder().status(status);
        for (name, value) in headers {
            answer = answer.header(name, value);
        }
        Ok(answer.body(body.into()).unwrap())
    }

    /// What was asked so far, each as address and `Authorization`.
    fn asked(&self) -> Vec<Asked> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    fn client(&self) -> Client<Service> {
        Client::new(self.service(), PlainHosts::default())
    }

    async fn label(&self, digest: &Digest) -> Result<Option<String>, Failure> {
        self.client().label(IMAGE, digest, None).await
    }
}

fn ok(content: &[u8]) -> Answer {
    (200, vec![], content.to_vec())
}

fn plain(status: u16) -> Answer {
    (status, vec![], vec![])
}

fn redirect(to: &str) -> Answer {
    (307, vec![("Location", to.to_owned())], vec![])
}

fn challenge(text: &str) -> Answer {
    (401, vec![("WWW-Authenticate", text.to_owned())], vec![])
}

fn manifest(config: &str, size: u64) -> String {
    json!({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": {"mediaType": "x", "digest": config, "size": size}, "layers": [],
    })
    .to_string()
}

fn credential() -> Credential {
    let auths = json!({"registry.test": {"username": "me", "password": "pw"}});
    let secret = PullSecret::Json(json!({ "auths": auths }).to_string().into());
    keyring::credentials(&[secret], "registry.test/acme/web").remove(0)
}

/// `me:pw`, as the header has it.
const BASIC: &str = "Basic bWU6cHc=";
const BEARER: &str = r#"Bearer realm="https://auth.test/token",service="registry.test",scope="repository:acme/web:pull""#;
const TOKEN_URL: &str =
    "https://auth.test/token?service=registry.test&scope=repository%3Aacme%2Fweb%3Apull";

#[tokio::test]
async fn the_label_is_found_by_way_of_an_index_past_its_attestations() {
    let net = Net::default();
    let image = net.image(&json!({document_key(): SOURCE}));
    assert_eq!(net.label(&image).await, Ok(Some(SOURCE.to_owned())));
    let index = json!({"manifests": [
        {"digest": format!("sha256:{:064x}", 1), "size": 1, "platform": {"os": "unknown", "architecture": "unknown"}},
        {"digest": image.to_string(), "size": 1, "platform": {"os": "linux", "architecture": "arm64"}},
    ]});
    let index = net.has("manifests", index.to_string().as_bytes());
    assert_eq!(net.label(&index).await, Ok(Some(SOURCE.to_owned())));
    assert_eq!(net.asked().len(), 2 + 3);
    // What the index says of itself is enough.
    let said = json!({"manifests": [], "annotations": {document_key(): SOURCE}});
    let said = net.has("manifests", said.to_string().as_bytes());
    assert_eq!(net.label(&said).await, Ok(Some(SOURCE.to_owned())));
    assert_eq!(net.asked().len(), 1);
}

fn document_key() -> &'static str {
    crate::model::origin::LABEL
}

#[tokio::test]
async fn what_has_no_label_has_none_for_good() {
    let net = Net::default();
    let bare = net.image(&json!({"other": "x"}));
    assert_eq!(net.label(&bare).await, Ok(None));
    let huge = net.has(
        "manifests",
        manifest(&format!("sha256:{:064x}", 1), u64::MAX).as_bytes(),
    );
    let other = net.has(
        "manifests",
        manifest(&format!("sha512:{:0128x}", 1), 1).as_bytes(),
    );
    let odd = net.has("manifests", b"no JSON at all");
    for digest in [huge, other, odd] {
        assert_eq!(net.label(&digest).await, Ok(None));
    }
    // Indexes in indexes come to an end.
    let mut deep = bare;
    for _ in 0..9 {
        let index = json!({"manifests": [{"digest": deep.to_string(), "size": 1}]});
        deep = net.has("manifests", index.to_string().as_bytes());
    }
    net.asked();
    assert_eq!(net.label(&deep).await, Ok(None));
    assert_eq!(net.asked().len(), DEEPEST + 1);
}

#[tokio::test]
async fn what_does_not_have_its_digest_is_not_believed() {
    let net = Net::default();
    let image = net.image(&json!({document_key(): SOURCE}));
    let forged =
        json!({"annotations": {document_key(): SOURCE}, "config": {"digest": "x", "size": 1}});
    let url = format!("https://registry.test/v2/acme/web/manifests/{image}");
    net.at(&url, vec![ok(forged.to_string().as_bytes())]);
    assert_eq!(net.label(&image).await, Err(Failure::Untrue));
    // Nor the configuration.
    let image = net.image(&json!({document_key(): SOURCE, "x": "y"}));
    net.label(&image).await.unwrap();
    let blob = &net.asked().last().unwrap().0.clone();
    assert!(blob.contains("/blobs/"), "{blob}");
    net.at(blob, vec![ok(b"{}")]);
    assert_eq!(net.label(&image).await, Err(Failure::Untrue));
}

#[tokio::test]
async fn a_token_is_fetched_where_the_registry_says_and_used_until_it_ends() {
    let net = Net::default();
    let image = net.image(&json!({document_key(): SOURCE}));
    let url = format!("https://registry.test/v2/acme/web/manifests/{image}");
    let content = net.answers.lock().unwrap()[&url][0].clone();
    // The token ends between manifest and configuration, and before the second look-up.
    net.at(
        &url,
        vec![
            challenge(BEARER),
            content.clone(),
            challenge(BEARER),
            content,
        ],
    );
    let token = |token: &str| {
        ok(json!({"token": token, "expires_in": 300})
            .to_string()
            .as_bytes())
    };
    net.at(TOKEN_URL, vec![token("one"), token("two")]);
    let client = net.client();
    assert_eq!(
        client.label(IMAGE, &image, None).await,
        Ok(Some(SOURCE.to_owned()))
    );
    let sent: Vec<Option<String>> = net.asked().into_iter().map(|(_, with)| with).collect();
    let bearer = |token: &str| Some(format!("Bearer {token}"));
    assert_eq!(sent, [None, None, bearer("one"), bearer("one")]);
    assert_eq!(
        client.label(IMAGE, &image, None).await,
        Ok(Some(SOURCE.to_owned()))
    );
    let sent: Vec<Option<String>> = net.asked().into_iter().map(|(_, with)| with).collect();
    assert_eq!(sent, [bearer("one"), None, bearer("two"), bearer("two")]);
}

#[tokio::test]
async fn a_token_of_somebody_is_not_kept_for_others() {
    let net = Net::default();
    let image = net.image(&json!({document_key(): SOURCE}));
    let url = format!("https://registry.test/v2/acme/web/manifests/{image}");
    let content = net.answers.lock().unwrap()[&url][0].clone();
    net.at(
        &url,
        vec![
            challenge(BEARER),
            content.clone(),
            challenge(BEARER),
            plain(401),
        ],
    );
    net.at(
        TOKEN_URL,
        vec![ok(br#"{"token":"mine","expires_in":300}"#), plain(401)],
    );
    let client = net.client();
    let mine = credential();
    assert_eq!(
        client.label(IMAGE, &image, Some(&mine)).await,
        Ok(Some(SOURCE.to_owned()))
    );
    let asked = net.asked();
    assert_eq!(asked[0].1, None, "nothing is sent that is not asked for");
    assert_eq!(asked[1], (TOKEN_URL.to_owned(), Some(BASIC.to_owned())));
    assert_eq!(asked[2].1.as_deref(), Some("Bearer mine"));
    let denied = Err(Failure::Denied(StatusCode::UNAUTHORIZED));
    assert_eq!(client.label(IMAGE, &image, None).await, denied);
    for (url, with) in net.asked() {
        assert_eq!(with, None, "{url}");
    }
}

#[tokio::test]
async fn a_name_and_a_password_go_to_the_registry_alone() {
    let net = Net::default();
    let image = net.image(&json!({document_key(): SOURCE}));
    let urls: Vec<String> = net.answers.lock().unwrap().keys().cloned().collect();
    for url in urls {
        let content = net.answers.lock().unwrap()[&url][0].clone();
        if url.contains("/manifests/") {
            net.at(&url, vec![challenge("Basic realm=x"), content]);
        } else {
            let stored = "https://storage.test/blob?signature=x#part";
            net.at(&url, vec![redirect(stored)]);
            net.at(stored.split('#').next().unwrap(), vec![content]);
        }
    }
    let client = net.client();
    assert_eq!(
        client.label(IMAGE, &image, None).await,
        Err(Failure::Denied(StatusCode::UNAUTHORIZED))
    );
    net.asked();
    let mine = credential();
    // From the beginning: the first answer is a challenge only once.
    let url = format!("https://registry.test/v2/acme/web/manifests/{image}");
    let content = net.answers.lock().unwrap()[&url].last().unwrap().clone();
    net.at(&url, vec![challenge("Basic realm=x"), content]);
    assert_eq!(
        client.label(IMAGE, &image, Some(&mine)).await,
        Ok(Some(SOURCE.to_owned()))
    );
    let asked = net.asked();
    assert_eq!(asked.len(), 4);
    assert_eq!(asked[1].1.as_deref(), Some(BASIC));
    assert_eq!(asked[2].1.as_deref(), Some(BASIC));
    assert_eq!(
        asked[3],
        ("https://storage.test/blob?signature=x".to_owned(), None)
    );
}

#[tokio::test]
async fn redirects_lead_neither_to_plain_http_nor_to_this_machine_nor_on_for_ever() {
    let net = Net::default();
    let image = net.image(&json!({document_key(): SOURCE}));
    let url = format!("https://registry.test/v2/acme/web/manifests/{image}");
    for (to, expected) in [
        ("http://storage.test/x", Failure::Refused(Refused::Plain)),
        ("https://127.0.0.1/x", Failure::Refused(Refused::Local)),
        ("https://[::1]:8080/x", Failure::Refused(Refused::Local)),
        (
            "https://169.254.169.254/latest/meta-data",
            Failure::Refused(Refused::Local),
        ),
        (
            "https://me:pw@storage.test/x",
            Failure::Refused(Refused::User),
        ),
        ("", Failure::Lost),
        ("https://registry.test/loop", Failure::Lost),
    ] {
        net.at(&url, vec![redirect(to)]);
        net.at("https://registry.test/loop", vec![redirect("/loop")]);
        assert_eq!(net.label(&image).await, Err(expected), "{to}");
        assert!(net.asked().len() <= MOST_REDIRECTS + 1);
    }
    // Another host cannot ask for what is this registry's.
    net.at(&url, vec![redirect("https://other.test/x")]);
    net.at("https://other.test/x", vec![challenge("Basic realm=x")]);
    let mine = credential();
    let found = net.client().label(IMAGE, &image, Some(&mine)).await;
    assert_eq!(found, Err(Failure::Denied(StatusCode::UNAUTHORIZED)));
    assert!(net.asked().iter().all(|(_, with)| with.is_none()));
}

#[tokio::test]
async fn a_token_service_is_no_way_to_anywhere_else() {
    let net = Net::default();
    let image = net.image(&json!({document_key(): SOURCE}));
    let url = format!("https://registry.test/v2/acme/web/manifests/{image}");
    let mine = credential();
    for (realm, expected) in [
        ("http://auth.test/token", Failure::Refused(Refused::Plain)),
        ("https://localhost/token", Failure::Refused(Refused::Local)),
        ("https://[fe80::1]/token", Failure::Refused(Refused::Local)),
        ("token", Failure::Refused(Refused::NoAddress)),
        ("https://auth.test/none", Failure::NoToken),
        ("https://auth.test/moved", Failure::NoToken),
    ] {
        net.at(&url, vec![challenge(&format!("Bearer realm=\"{realm}\""))]);
        let query = "?scope=repository%3Aacme%2Fweb%3Apull";
        net.at(&format!("https://auth.test/none{query}"), vec![ok(b"{}")]);
        net.at(
            &format!("https://auth.test/moved{query}"),
            vec![redirect("https://other.test/")],
        );
        net.at("https://other.test/", vec![ok(b"{}")]);
        let found = net.client().label(IMAGE, &image, Some(&mine)).await;
        assert_eq!(found, Err(expected), "{realm}");
        for (url, with) in net.asked() {
            assert_eq!(
                with.is_some(),
                url.starts_with("https://auth.test/"),
                "{url}"
            );
        }
    }
}

#[tokio::test]
async fn what_the_registry_wants_is_told_apart() {
    let net = Net::default();
    let image = net.image(&json!({document_key(): SOURCE}));
    let url = format!("https://registry.test/v2/acme/web/manifests/{image}");
    let after = |status, seconds: &str| (status, vec![("Retry-After", seconds.to_owned())], vec![]);
    let seconds = Duration::from_secs;
    for (answer, expected) in [
        (plain(401), Failure::Denied(StatusCode::UNAUTHORIZED)),
        (plain(403), Failure::Denied(StatusCode::FORBIDDEN)),
        (plain(404), Failure::NotFound),
        (plain(429), Failure::Limited(None)),
        (after(429, "7"), Failure::Limited(Some(seconds(7)))),
        (after(429, "Fri, 31 Dec 1999"), Failure::Limited(None)),
        (after(503, "9"), Failure::Limited(Some(seconds(9)))),
        (plain(503), Failure::Status(StatusCode::SERVICE_UNAVAILABLE)),
        (
            plain(500),
            Failure::Status(StatusCode::INTERNAL_SERVER_ERROR),
        ),
        (plain(204), Failure::Status(StatusCode::NO_CONTENT)),
        (plain(0), Failure::Broken("connection reset".to_owned())),
        // It signs in no more often than is of use.
        (challenge(BEARER), Failure::Denied(StatusCode::UNAUTHORIZED)),
    ] {
        net.at(&url, vec![answer]);
        net.at(TOKEN_URL, vec![ok(br#"{"token":"t"}"#)]);
        assert_eq!(net.label(&image).await, Err(expected));
        assert!(net.asked().len() <= 3);
    }
}
