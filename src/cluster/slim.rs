//! Slim types: the few fields of a Kubernetes object that are read, and nothing else of it. Each
//! field is soft, so that an odd one cannot fail a list. `managedFields`, which are often more than
//! half of an object, are skipped without being built.

use std::borrow::Cow;
use std::collections::BTreeMap;

use kube::api::{ApiResource, ObjectMeta};
use kube::core::DynamicResourceScope;
use serde::Deserialize;
use serde::de::MapAccess;

use super::soft::{AnyMap, Brief, Shape, Soft, map_as};
use crate::model::context::NO_TAGS;

/// The prefix of the annotation keys that this program reads.
pub(super) const ANNOTATION_PREFIX: &str = "metadata.github.com/";

/// A list of odd or even values.
pub(super) type SoftList<T> = Soft<Vec<Soft<T>>>;

/// Lets structs with soft fields be read softly themselves.
macro_rules! read_from_maps {
    ($($name:ty),+) => {$(
        impl Shape for $name {
            fn from_map<'de, A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
                map_as(map)
            }
        }
    )+};
}

read_from_maps!(
    PodParts,
    MetaParts,
    Meta,
    Owner,
    PodSpec,
    ContainerSpec,
    Reference,
    PodStatus,
    Condition,
    ContainerStatus,
    ContainerState
);

/// The metadata of any object.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Meta {
    pub(super) name: Soft<String>,
    pub(super) namespace: Soft<String>,
    pub(super) uid: Soft<String>,
    pub(super) resource_version: Soft<String>,
    pub(super) creation_timestamp: Soft<String>,
    pub(super) deletion_timestamp: Soft<String>,
    pub(super) owner_references: SoftList<Owner>,
    pub(super) labels: Soft<Labels>,
    pub(super) annotations: Soft<OurAnnotations>,
}

/// The labels of an object.
#[derive(Clone, Debug, Default)]
pub(super) struct Labels(pub(super) BTreeMap<String, String>);

impl Shape for Labels {
    fn from_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<Option<Self>, A::Error> {
        let mut labels = BTreeMap::new();
        while let Some((key, value)) = map.next_entry::<String, Soft<String>>()? {
            value.0.map(|value| labels.insert(key, value));
        }
        Ok(Some(Self(labels)))
    }
}

/// How many annotations of an object are kept that could be tags, the first ones by key. A record takes
/// five, and all of an object's annotations may be 256 KiB long.
pub(super) const MOST_TAGS: usize = 32;

/// The annotations whose keys begin with [`ANNOTATION_PREFIX`], by the rest of their keys.
#[derive(Clone, Debug, Default)]
pub(super) struct OurAnnotations(pub(super) Vec<(String, String)>);

impl Shape for OurAnnotations {
    fn from_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<Option<Self>, A::Error> {
        let mut ours = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            match key.strip_prefix(ANNOTATION_PREFIX) {
                Some(rest) => {
                    let value = map.next_value::<Soft<Brief>>()?;
                    let value = value.0.map(Brief::into_text);
                    ours.extend(value.map(|value| (rest.to_owned(), value)));
                }
                None => {
                    map.next_value::<serde::de::IgnoredAny>()?;
                }
            }
        }
        if ours.len() > MOST_TAGS {
            let is_tag = |(key, _): &(String, String)| !NO_TAGS.contains(&&**key);
            ours.sort_by(|one, other| (is_tag(one), &one.0).cmp(&(is_tag(other), &other.0)));
            let tags = ours.partition_point(|pair| !is_tag(pair));
            ours.truncate(tags + MOST_TAGS);
        }
        Ok(Some(Self(ours)))
    }
}

/// An owner reference.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Owner {
    pub(super) api_version: Soft<String>,
    pub(super) kind: Soft<String>,
    pub(super) name: Soft<String>,
    pub(super) uid: Soft<String>,
    pub(super) controller: Soft<bool>,
}

/// What is read of a pod's spec.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PodSpec {
    pub(super) containers: SoftList<ContainerSpec>,
    pub(super) init_containers: SoftList<ContainerSpec>,
    pub(super) restart_policy: Soft<String>,
    pub(super) service_account_name: Soft<String>,
    pub(super) image_pull_secrets: SoftList<Reference>,
}

/// An object that another one names.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Reference {
    pub(super) name: Soft<String>,
}

/// What is read of a container in a pod's spec.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ContainerSpec {
    pub(super) name: Soft<String>,
    pub(super) image: Soft<Brief>,
    pub(super) restart_policy: Soft<String>,
}

/// What is read of a pod's status.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct PodStatus {
    pub(super) phase: Soft<String>,
    pub(super) conditions: SoftList<Condition>,
    pub(super) container_statuses: SoftList<ContainerStatus>,
    pub(super) init_container_statuses: SoftList<ContainerStatus>,
}

/// A condition of a pod.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Condition {
    #[serde(rename = "type")]
    pub(super) kind: Soft<String>,
    pub(super) status: Soft<String>,
}

/// What is read of a container in a pod's status.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ContainerStatus {
    pub(super) name: Soft<String>,
    pub(super) image: Soft<Brief>,
    #[serde(rename = "imageID")]
    pub(super) image_id: Soft<Brief>,
    #[serde(rename = "containerID")]
    pub(super) container_id: Soft<Brief>,
    pub(super) restart_count: Soft<i64>,
    pub(super) state: Soft<ContainerState>,
    pub(super) last_state: Soft<ContainerState>,
}

/// Which state a container is in: the one that stands there.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ContainerState {
    pub(super) running: Soft<AnyMap>,
    pub(super) terminated: Soft<AnyMap>,
}

/// The part of [`ObjectMeta`] that a watch needs.
fn object_meta(meta: &Meta) -> ObjectMeta {
    ObjectMeta {
        resource_version: meta.resource_version.0.clone(),
        ..ObjectMeta::default()
    }
}

/// A pod as it comes over the wire.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "Soft<PodParts>")]
pub(super) struct SlimPod {
    object_meta: ObjectMeta,
    pub(super) meta: Meta,
    pub(super) spec: PodSpec,
    pub(super) status: PodStatus,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct PodParts {
    metadata: Soft<Meta>,
    spec: Soft<PodSpec>,
    status: Soft<PodStatus>,
}

impl From<Soft<PodParts>> for SlimPod {
    fn from(parts: Soft<PodParts>) -> Self {
        let parts = parts.or_default();
        let meta = parts.metadata.or_default();
        let object_meta = object_meta(&meta);
        Self {
            object_meta,
            meta,
            spec: parts.spec.or_default(),
            status: parts.status.or_default(),
        }
    }
}

/// An object of which only the metadata is asked for (`PartialObjectMetadata`).
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(from = "Soft<MetaParts>")]
pub(super) struct SlimMeta {
    object_meta: ObjectMeta,
    pub(super) meta: Meta,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct MetaParts {
    metadata: Soft<Meta>,
}

impl From<Soft<MetaParts>> for SlimMeta {
    fn from(parts: Soft<MetaParts>) -> Self {
        let meta = parts.or_default().metadata.or_default();
        Self {
            object_meta: object_meta(&meta),
            meta,
        }
    }
}

/// Lets kube list and watch a slim type. Which resource it is stands in an [`ApiResource`].
macro_rules! watchable {
    ($({$($part:ident),+})? $name:ty, metadata only: $metadata_only:literal) => {
        impl$(<$($part),+>)? kube::Resource for $name {
            type DynamicType = ApiResource;
            type Scope = DynamicResourceScope;

            fn kind(resource: &ApiResource) -> Cow<'_, str> {
                Cow::Borrowed(&resource.kind)
            }
            fn group(resource: &ApiResource) -> Cow<'_, str> {
                Cow::Borrowed(&resource.group)
            }
            fn version(resource: &ApiResource) -> Cow<'_, str> {
                Cow::Borrowed(&resource.version)
            }
            fn api_version(resource: &ApiResource) -> Cow<'_, str> {
                Cow::Borrowed(&resource.api_version)
            }
            fn plural(resource: &ApiResource) -> Cow<'_, str> {
                Cow::Borrowed(&resource.plural)
            }
            fn metadata_api() -> bool {
                $metadata_only
            }
            fn meta(&self) -> &ObjectMeta {
                &self.object_meta
            }
            fn meta_mut(&mut self) -> &mut ObjectMeta {
                &mut self.object_meta
            }
        }
    };
}

watchable!(SlimPod, metadata only: false);
watchable!(SlimMeta, metadata only: true);

pub(super) mod links;

/// What the API server calls the resource of `kind`.
pub(super) fn resource(group: &str, version: &str, kind: &str) -> ApiResource {
    ApiResource::from_gvk(&kube::core::GroupVersionKind::gvk(group, version, kind))
}
