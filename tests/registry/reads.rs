//! What is read from a registry of each kind, by whom.

use std::sync::Arc;
use std::time::Duration;

use deployment_recorder::model::facts::Pull;
use deployment_recorder::model::image::Digest;
use deployment_recorder::model::origin::{Account, Place, Unread};
use deployment_recorder::registry::{
    LookUps, Outcome, PlainHosts, PullSecret, Reader, Secrets, Transport,
};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::images::Pusher;
use super::process::{Auth, Registry};
use super::tokens;

const SOURCE: &str = "https://github.com/acme/web";

fn labels() -> Value {
    json!({"org.opencontainers.image.source": SOURCE, "other": "x"})
}

/// Reads these images with that pull secret, if one may be used, and says what came of each.
async fn read(
    plain: &[&str],
    secret: Option<&Value>,
    images: &[(&str, Digest)],
) -> Vec<Result<Option<String>, Outcome>> {
    let look_ups = LookUps::default();
    let plain = PlainHosts::parse(plain.iter().copied()).expect("hosts");
    let secrets = secret.map(|auths| {
        let config = json!({ "auths": auths }).to_string();
        let secrets: Secrets = Arc::new(move |account: Account| {
            assert_eq!(&*account.namespace, "shop");
            let secret = PullSecret::Json(config.clone().into());
            Box::pin(async move { Ok(vec![secret]) })
        });
        secrets
    });
    let transport = Transport::new(&plain, |_| None).expect("certificate authorities");
    let stop = CancellationToken::new();
    let reader = Reader::new(transport, plain, look_ups.clone(), secrets);
    let reading = tokio::spawn(reader.run(stop.clone()));
    let mut found = Vec::new();
    for (image, digest) in images {
        let account = Account {
            namespace: "shop".into(),
            pull: Arc::new(Pull::default()),
        };
        let place = Place {
            image: (*image).into(),
            account: Some(account),
        };
        let before = look_ups.shown().outcomes;
        look_ups.want(&Unread::from([(*digest, [place].into())]));
        found.push(came(&look_ups, digest, &before).await);
    }
    stop.cancel();
    reading.await.expect("it ends");
    found
}

type Outcomes = std::collections::BTreeMap<Outcome, u64>;

async fn came(
    look_ups: &LookUps,
    digest: &Digest,
    before: &Outcomes,
) -> Result<Option<String>, Outcome> {
    let began = Instant::now();
    loop {
        if let Some(known) = look_ups.known().get(digest) {
            return Ok(known.as_deref().map(str::to_owned));
        }
        let after = look_ups.shown().outcomes;
        let new = after
            .iter()
            .find(|(outcome, count)| before.get(outcome) != Some(count));
        if let Some((outcome, _)) = new {
            return Err(*outcome);
        }
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "{:?}",
            look_ups.shown()
        );
        sleep(Duration::from_millis(20)).await;
    }
}

fn auth(user: &str, password: &str) -> Value {
    json!({"username": user, "password": password})
}

#[tokio::test]
async fn labels_of_images_for_one_platform_and_for_several_are_read_by_everybody() {
    let registry = Registry::start("anonymous", &Auth::Nobody).await;
    let pusher = Pusher::new(&registry, "acme/web", "");
    let image = pusher.image();
    let none = json!({});
    let (single, multi) = (
        pusher.single(&labels(), &none).await,
        pusher.multi(&labels(), &none).await,
    );
    let annotated = pusher.single(&none, &labels()).await;
    let index = pusher.multi(&none, &labels()).await;
    let bare = pusher.multi(&json!({"other": "x"}), &none).await;
    let unknown = Digest::of(b"nobody pushed this");
    let images = [single, multi, annotated, index, bare, unknown].map(|digest| (&*image, digest));
    let source = || Ok(Some(SOURCE.to_owned()));
    let expected = [
        source(),
        source(),
        source(),
        source(),
        Ok(None),
        Err(Outcome::NotFound),
    ];
    assert_eq!(read(&[&registry.address], None, &images).await, expected);
    // Nobody listed it: it is this machine's own, and speaks plain HTTP.
    assert_eq!(read(&[], None, &images[..1]).await, [Err(Outcome::Refused)]);
}

#[tokio::test]
async fn a_registry_with_passwords_is_read_with_the_pull_secret_that_names_it() {
    let registry = Registry::start("basic", &Auth::Basic).await;
    let pusher = Pusher::new(&registry, "acme/web", tokens::BASIC);
    let digest = pusher.multi(&labels(), &json!({})).await;
    let image = pusher.image();
    let images = [(&*image, digest)];
    let (plain, host) = ([&*registry.address], &*registry.address);
    let right = auth("me", "word");
    for (secret, expected) in [
        (None, Err(Outcome::Denied)),
        (Some(json!({host: right})), Ok(Some(SOURCE.to_owned()))),
        (
            Some(json!({format!("http://{host}/v2/acme"): right})),
            Ok(Some(SOURCE.to_owned())),
        ),
        // What is tried first is wrong.
        (
            Some(json!({format!("{host}/acme"): auth("me", "old"), host: right})),
            Ok(Some(SOURCE.to_owned())),
        ),
        (
            Some(json!({host: auth("me", "wrong")})),
            Err(Outcome::Denied),
        ),
        (
            Some(json!({format!("{host}/other"): right})),
            Err(Outcome::Denied),
        ),
        (Some(json!({"ghcr.io": right})), Err(Outcome::Denied)),
    ] {
        let found = read(&plain, secret.as_ref(), &images).await;
        assert_eq!(found, std::slice::from_ref(&expected), "{secret:?}");
    }
}

#[tokio::test]
async fn a_registry_with_tokens_is_read_with_those_of_the_service_that_it_names() {
    let (service, asked) = tokens::start().await;
    let realm = format!("http://{service}/token");
    let registry = Registry::start("token", &Auth::Token(realm)).await;
    let push = |name: &str| format!("Bearer {}", tokens::token(name, &["pull", "push"]));
    let private = Pusher::new(&registry, "acme/web", &push("acme/web"));
    let public = Pusher::new(&registry, "public/web", &push("public/web"));
    let in_private = private.multi(&labels(), &json!({})).await;
    let in_public = public.single(&labels(), &json!({})).await;
    let (private, public) = (private.image(), public.image());
    let plain = [&*registry.address, &*service];
    let both = [(&*public, in_public), (&*private, in_private)];
    let source = || Ok(Some(SOURCE.to_owned()));
    assert_eq!(
        read(&plain, None, &both).await,
        [source(), Err(Outcome::Denied)]
    );
    assert!(asked.lock().unwrap().iter().all(|(who, _)| who.is_empty()));
    let host = &*registry.address;
    let secret = json!({host: auth("me", "word")});
    assert_eq!(
        read(&plain, Some(&secret), &both).await,
        [source(), source()]
    );
    let last = asked.lock().unwrap().last().cloned().unwrap();
    assert_eq!(
        last,
        (
            tokens::BASIC.to_owned(),
            "repository:acme/web:pull".to_owned()
        )
    );
    let wrong = json!({host: auth("me", "wrong")});
    assert_eq!(
        read(&plain, Some(&wrong), &both[1..]).await,
        [Err(Outcome::Denied)]
    );
    // Where the service may not be asked nobody is let in.
    assert_eq!(
        read(&plain[..1], None, &both[..1]).await,
        [Err(Outcome::Refused)]
    );
}
