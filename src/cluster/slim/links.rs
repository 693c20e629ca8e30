//! Slim types of what leads traffic to pods: Services, Ingresses, Gateways and routes. Unlike owners
//! they are read with their spec, of which nothing is kept but what says where traffic goes.

use kube::api::{ApiResource, ObjectMeta};
use kube::core::DynamicResourceScope;
use serde::Deserialize;
use serde::de::MapAccess;
use std::borrow::Cow;

use super::{Labels, Shape, Soft, SoftList, map_as};

read_from_maps!(
    LinkMeta,
    ServiceSpec,
    IngressSpec,
    IngressRule,
    HttpRule,
    HttpPath,
    IngressBackend,
    BackendService,
    GatewaySpec,
    Infrastructure,
    RouteSpec,
    RouteRule,
    RouteFilter,
    Mirrored,
    Reference,
    RouteStatus,
    RouteParent,
    RouteCondition,
    Nothing
);

/// The metadata of such an object, with all its annotations.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::cluster) struct LinkMeta {
    pub(in crate::cluster) name: Soft<String>,
    pub(in crate::cluster) namespace: Soft<String>,
    pub(in crate::cluster) resource_version: Soft<String>,
    pub(in crate::cluster) annotations: Soft<Labels>,
}

/// What is read of a Service's spec.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::cluster) struct ServiceSpec {
    #[serde(rename = "type")]
    pub(in crate::cluster) kind: Soft<String>,
    pub(in crate::cluster) selector: Soft<Labels>,
    pub(in crate::cluster) load_balancer_class: Soft<String>,
    pub(in crate::cluster) load_balancer_source_ranges: SoftList<String>,
}

/// What is read of an Ingress' spec.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::cluster) struct IngressSpec {
    pub(in crate::cluster) ingress_class_name: Soft<String>,
    pub(in crate::cluster) default_backend: Soft<IngressBackend>,
    pub(in crate::cluster) rules: SoftList<IngressRule>,
}

/// A rule of an Ingress.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cluster) struct IngressRule {
    pub(in crate::cluster) http: Soft<HttpRule>,
}

/// The paths of a rule.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cluster) struct HttpRule {
    pub(in crate::cluster) paths: SoftList<HttpPath>,
}

/// A path.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cluster) struct HttpPath {
    pub(in crate::cluster) backend: Soft<IngressBackend>,
}

/// Where a path leads: to a Service, or to a resource, which leads to no pods.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cluster) struct IngressBackend {
    pub(in crate::cluster) service: Soft<BackendService>,
}

/// A Service by its name.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cluster) struct BackendService {
    pub(in crate::cluster) name: Soft<String>,
}

/// What is read of a Gateway's spec.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::cluster) struct GatewaySpec {
    pub(in crate::cluster) gateway_class_name: Soft<String>,
    pub(in crate::cluster) infrastructure: Soft<Infrastructure>,
}

/// What a Gateway hands on to what is made for it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cluster) struct Infrastructure {
    pub(in crate::cluster) annotations: Soft<Labels>,
}

/// What is read of a route's spec.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::cluster) struct RouteSpec {
    pub(in crate::cluster) parent_refs: SoftList<Reference>,
    pub(in crate::cluster) rules: SoftList<RouteRule>,
}

/// A rule of a route.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::cluster) struct RouteRule {
    pub(in crate::cluster) backend_refs: SoftList<Reference>,
    pub(in crate::cluster) filters: SoftList<RouteFilter>,
}

/// A filter of a rule, of which only copies of requests matter.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::cluster) struct RouteFilter {
    pub(in crate::cluster) request_mirror: Soft<Mirrored>,
}

/// Where copies of requests go.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::cluster) struct Mirrored {
    pub(in crate::cluster) backend_ref: Soft<Reference>,
}

/// A reference to another object.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::cluster) struct Reference {
    pub(in crate::cluster) group: Soft<String>,
    pub(in crate::cluster) kind: Soft<String>,
    pub(in crate::cluster) namespace: Soft<String>,
    pub(in crate::cluster) name: Soft<String>,
    pub(in crate::cluster) section_name: Soft<String>,
    pub(in crate::cluster) port: Soft<i64>,
    pub(in crate::cluster) weight: Soft<i64>,
}

/// What is read of a route's status.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cluster) struct RouteStatus {
    pub(in crate::cluster) parents: SoftList<RouteParent>,
}

/// What became of one reference to a parent.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(in crate::cluster) struct RouteParent {
    pub(in crate::cluster) parent_ref: Soft<Reference>,
    pub(in crate::cluster) conditions: SoftList<RouteCondition>,
}

/// A condition of that.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cluster) struct RouteCondition {
    #[serde(rename = "type")]
    pub(in crate::cluster) kind: Soft<String>,
    pub(in crate::cluster) status: Soft<String>,
    pub(in crate::cluster) reason: Soft<String>,
}

/// In place of a status that nobody reads.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::cluster) struct Nothing {}

/// An object as it comes over the wire.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(
    from = "Soft<LinkParts<P, S>>",
    bound = "P: Shape + Default, S: Shape + Default"
)]
pub(in crate::cluster) struct SlimLink<P, S> {
    object_meta: ObjectMeta,
    pub(in crate::cluster) meta: LinkMeta,
    pub(in crate::cluster) spec: P,
    pub(in crate::cluster) status: S,
}

/// A Service.
pub(in crate::cluster) type SlimService = SlimLink<ServiceSpec, Nothing>;
/// An Ingress.
pub(in crate::cluster) type SlimIngress = SlimLink<IngressSpec, Nothing>;
/// A Gateway.
pub(in crate::cluster) type SlimGateway = SlimLink<GatewaySpec, Nothing>;
/// A route of any kind.
pub(in crate::cluster) type SlimRoute = SlimLink<RouteSpec, RouteStatus>;

#[derive(Clone, Debug, Deserialize)]
#[serde(default, bound = "P: Shape, S: Shape")]
struct LinkParts<P, S> {
    metadata: Soft<LinkMeta>,
    spec: Soft<P>,
    status: Soft<S>,
}

impl<P, S> Default for LinkParts<P, S> {
    fn default() -> Self {
        Self {
            metadata: Soft::default(),
            spec: Soft::default(),
            status: Soft::default(),
        }
    }
}

impl<P: Shape, S: Shape> Shape for LinkParts<P, S> {
    fn from_map<'de, A: MapAccess<'de>>(map: A) -> Result<Option<Self>, A::Error> {
        map_as(map)
    }
}

impl<P: Shape + Default, S: Shape + Default> From<Soft<LinkParts<P, S>>> for SlimLink<P, S> {
    fn from(parts: Soft<LinkParts<P, S>>) -> Self {
        let parts = parts.or_default();
        let meta = parts.metadata.or_default();
        let object_meta = ObjectMeta {
            resource_version: meta.resource_version.0.clone(),
            ..ObjectMeta::default()
        };
        Self {
            object_meta,
            meta,
            spec: parts.spec.or_default(),
            status: parts.status.or_default(),
        }
    }
}

watchable!({P, S} SlimLink<P, S>, metadata only: false);
