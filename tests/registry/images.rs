//! Images, pushed by the registry's HTTP API alone.

use aws_lc_rs::digest::{SHA256, digest as hash};
use deployment_recorder::model::image::Digest;
use reqwest::{Client, RequestBuilder, StatusCode};
use serde_json::{Value, json};

use super::process::Registry;

const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";

/// Whoever pushes into a repository.
pub struct Pusher<'a> {
    client: Client,
    registry: &'a Registry,
    repository: &'a str,
    authorization: String,
}

/// The digest of this content.
fn digest_of(content: &[u8]) -> String {
    let digest = hash(&SHA256, content);
    let hex: Vec<String> = digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("sha256:{}", hex.join(""))
}

fn parsed(digest: &str) -> Digest {
    Digest::parse(digest).expect("a digest")
}

impl<'a> Pusher<'a> {
    /// `authorization`: the header, empty where none is needed.
    pub fn new(registry: &'a Registry, repository: &'a str, authorization: &str) -> Self {
        Self {
            client: Client::builder().no_proxy().build().expect("a client"),
            registry,
            repository,
            authorization: authorization.to_owned(),
        }
    }

    /// The image as a pod's spec writes it.
    pub fn image(&self) -> String {
        format!("{}/{}:1", self.registry.address, self.repository)
    }

    fn url(&self, path: &str) -> String {
        format!(
            "http://{}/v2/{}/{path}",
            self.registry.address, self.repository
        )
    }

    async fn send(&self, request: RequestBuilder, expected: StatusCode) -> reqwest::Response {
        let request = match &*self.authorization {
            "" => request,
            header => request.header("Authorization", header),
        };
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), expected, "{}", answer.url());
        answer
    }

    async fn blob(&self, content: &[u8]) -> String {
        let begun = self.client.post(self.url("blobs/uploads/"));
        let begun = self.send(begun, StatusCode::ACCEPTED).await;
        let place = begun.headers()["location"]
            .to_str()
            .expect("a place")
            .to_owned();
        let digest = digest_of(content);
        let separator = if place.contains('?') { '&' } else { '?' };
        let put = self
            .client
            .put(format!("{place}{separator}digest={digest}"));
        let put = put.header("Content-Type", "application/octet-stream");
        self.send(put.body(content.to_vec()), StatusCode::CREATED)
            .await;
        digest
    }

    async fn document(&self, media: &str, document: &Value) -> String {
        let content = document.to_string();
        let digest = digest_of(content.as_bytes());
        let put = self.client.put(self.url(&format!("manifests/{digest}")));
        let put = put.header("Content-Type", media).body(content);
        self.send(put, StatusCode::CREATED).await;
        digest
    }

    async fn manifest(&self, architecture: &str, labels: &Value, annotations: &Value) -> Value {
        let layer = b"not read by anybody";
        let config = json!({
            "architecture": architecture, "os": "linux", "config": {"Labels": labels},
            "rootfs": {"type": "layers", "diff_ids": []},
        });
        let config = config.to_string();
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "annotations": annotations,
            "config": {"mediaType": CONFIG, "digest": self.blob(config.as_bytes()).await,
                "size": config.len()},
            "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar",
                "digest": self.blob(layer).await, "size": layer.len()}],
        });
        let digest = self.document(MANIFEST, &manifest).await;
        json!({"mediaType": MANIFEST, "digest": digest, "size": manifest.to_string().len(),
            "platform": {"os": "linux", "architecture": architecture}})
    }

    /// An image for one platform.
    pub async fn single(&self, labels: &Value, annotations: &Value) -> Digest {
        let entry = self.manifest("amd64", labels, annotations).await;
        parsed(entry["digest"].as_str().expect("its digest"))
    }

    /// An image for two platforms with an attestation of each, as `BuildKit` pushes it.
    pub async fn multi(&self, labels: &Value, annotations: &Value) -> Digest {
        let mut entries = Vec::new();
        for architecture in ["arm64", "amd64"] {
            let image = self.manifest(architecture, labels, &json!({})).await;
            let mut attestation = self.manifest("unknown", &json!({}), &json!({})).await;
            attestation["platform"] = json!({"os": "unknown", "architecture": "unknown"});
            attestation["annotations"] = json!({
                "vnd.docker.reference.type": "attestation-manifest",
                "vnd.docker.reference.digest": image["digest"],
            });
            entries.insert(0, attestation);
            entries.push(image);
        }
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries,
            "annotations": annotations});
        parsed(&self.document(INDEX, &index).await)
    }
}
