//! Objects as controllers would make them: what a person writes, and what follows from it.

use std::fmt::Write as _;

use aws_lc_rs::digest::{SHA256, digest as hash};
use serde_json::{Value, json};

/// A Deployment as a person writes it.
#[derive(Clone, Debug)]
pub struct Deployment {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Containers: name and image.
    pub containers: Vec<(String, String)>,
    /// How many pods it has.
    pub replicas: usize,
    /// Annotations of the Deployment.
    pub annotations: Value,
}

/// A Deployment with one container `main` of the image `ghcr.io/acme/<name>:1`.
pub fn deployment(namespace: &str, name: &str) -> Deployment {
    Deployment {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        containers: vec![("main".to_owned(), format!("ghcr.io/acme/{name}:1"))],
        replicas: 1,
        annotations: json!({}),
    }
}

impl Deployment {
    /// Its first container has another image.
    #[must_use]
    pub fn image(mut self, image: &str) -> Self {
        image.clone_into(&mut self.containers[0].1);
        self
    }

    /// It has one more container.
    #[must_use]
    pub fn container(mut self, name: &str, image: &str) -> Self {
        self.containers.push((name.to_owned(), image.to_owned()));
        self
    }

    /// It has that many pods.
    #[must_use]
    pub fn replicas(mut self, replicas: usize) -> Self {
        self.replicas = replicas;
        self
    }

    /// It has that annotation under `metadata.github.com/`.
    #[must_use]
    pub fn annotation(mut self, key: &str, value: &str) -> Self {
        self.annotations[format!("metadata.github.com/{key}")] = json!(value);
        self
    }

    /// The records that it is to have: name and digest.
    pub fn records(&self) -> Vec<(String, String)> {
        let name = |container: &str| format!("{}-{}-{container}", self.namespace, self.name);
        let record = |(container, image): &(String, String)| (name(container), digest(image));
        self.containers.iter().map(record).collect()
    }

    /// The Deployment.
    pub fn object(&self) -> Value {
        json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": self.metadata(&self.name, &self.annotations, None),
            "spec": {"replicas": self.replicas}
        })
    }

    /// Its ReplicaSet of now; `owner` is the Deployment's uid.
    pub fn replica_set(&self, owner: &str) -> Value {
        let owner = ("apps/v1", "Deployment", &*self.name, owner);
        json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": self.metadata(&self.revision(), &json!({}), Some(owner)),
            "spec": {"replicas": self.replicas}
        })
    }

    /// Its pods of now, all running and ready; `owner` is the ReplicaSet's uid.
    pub fn pods(&self, owner: &str) -> Vec<Value> {
        let revision = self.revision();
        let pod = |number| {
            let name = format!("{revision}-{number}");
            let owner = ("apps/v1", "ReplicaSet", &*revision, owner);
            let metadata = self.metadata(&name, &json!({}), Some(owner));
            running_pod(&metadata, &self.containers)
        };
        (0..self.replicas).map(pod).collect()
    }

    /// The name of its ReplicaSet of now.
    pub fn revision(&self) -> String {
        format!(
            "{}-{}",
            self.name,
            &hex(&format!("{:?}", self.containers))[..8]
        )
    }

    fn metadata(
        &self,
        name: &str,
        annotations: &Value,
        owner: Option<(&str, &str, &str, &str)>,
    ) -> Value {
        let mut metadata = json!({
            "namespace": self.namespace, "name": name,
            "labels": {"app": self.name}, "annotations": annotations
        });
        if let Some(owner) = owner {
            metadata["ownerReferences"] = owned_by(owner);
        }
        metadata
    }
}

/// The reference to a controller: API version, kind, name, uid.
pub fn owned_by((api_version, kind, name, uid): (&str, &str, &str, &str)) -> Value {
    json!([{
        "apiVersion": api_version, "kind": kind, "name": name, "uid": uid, "controller": true
    }])
}

/// A pod that runs and is ready.
pub fn running_pod(metadata: &Value, containers: &[(String, String)]) -> Value {
    let pod = metadata["name"].as_str().unwrap();
    let spec = |(name, image): &(String, String)| json!({"name": name, "image": image});
    let status = |(name, image): &(String, String)| {
        let repository = image
            .rsplit_once(':')
            .map_or(&**image, |(repository, _)| repository);
        json!({
            "name": name, "state": {"running": {}},
            "containerID": format!("containerd://{pod}-{name}"),
            "imageID": format!("{repository}@{}", digest(image)),
        })
    };
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": metadata,
        "spec": {
            "restartPolicy": "Always",
            "containers": containers.iter().map(spec).collect::<Vec<_>>()
        },
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": containers.iter().map(status).collect::<Vec<_>>()
        }
    })
}

/// A Namespace.
pub fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

/// The digest that an image has in these tests.
pub fn digest(image: &str) -> String {
    format!("sha256:{}", hex(image))
}

/// The SHA-256 of a text, in hexadecimal digits.
pub fn hex(text: &str) -> String {
    let digest = hash(&SHA256, text.as_bytes());
    digest.as_ref().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
