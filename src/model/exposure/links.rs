//! Links: the objects that lead traffic to pods, reduced to what says where it comes from and where
//! it goes. Plain values; whoever makes them decides nothing.

use std::fmt;
use std::sync::Arc;

use super::Named;
use crate::model::text_map::TextMap;
use crate::model::workload::Kind;

/// A kind of object that leads traffic to pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Link {
    /// Service of the core group.
    Service,
    /// `networking.k8s.io` Ingress.
    Ingress,
    /// `gateway.networking.k8s.io` Gateway.
    Gateway,
    /// `gateway.networking.k8s.io` HTTPRoute, in `v1` as of Gateway API 1.0:
    /// <https://github.com/kubernetes-sigs/gateway-api/releases/tag/v1.0.0>.
    HttpRoute,
    /// `gateway.networking.k8s.io` GRPCRoute, in `v1` as of Gateway API 1.1:
    /// <https://kubernetes.io/blog/2024/05/09/gateway-api-v1-1/>.
    GrpcRoute,
    /// `gateway.networking.k8s.io` TLSRoute, in `v1` as of Gateway API 1.5:
    /// <https://kubernetes.io/blog/2026/04/21/gateway-api-v1-5/>.
    TlsRoute,
    /// `gateway.networking.k8s.io` TCPRoute, in `v1` as of Gateway API 1.6, before in `v1alpha2`:
    /// <https://kubernetes.io/blog/2026/08/03/gateway-api-v1-6-release/>.
    TcpRoute,
    /// `gateway.networking.k8s.io` UDPRoute, likewise.
    UdpRoute,
}

impl Link {
    /// Every kind.
    pub const ALL: [Self; 8] = [
        Self::Service,
        Self::Ingress,
        Self::Gateway,
        Self::HttpRoute,
        Self::GrpcRoute,
        Self::TlsRoute,
        Self::TcpRoute,
        Self::UdpRoute,
    ];

    /// The kinds that are attached to Gateways.
    pub const ROUTES: [Self; 5] = [
        Self::HttpRoute,
        Self::GrpcRoute,
        Self::TlsRoute,
        Self::TcpRoute,
        Self::UdpRoute,
    ];

    /// The API group, empty for the core group.
    pub fn group(self) -> &'static str {
        match self {
            Self::Service => "",
            Self::Ingress => "networking.k8s.io",
            Self::Gateway
            | Self::HttpRoute
            | Self::GrpcRoute
            | Self::TlsRoute
            | Self::TcpRoute
            | Self::UdpRoute => "gateway.networking.k8s.io",
        }
    }

    /// The kind as written in `kind:`.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Service => "Service",
            Self::Ingress => "Ingress",
            Self::Gateway => "Gateway",
            Self::HttpRoute => "HTTPRoute",
            Self::GrpcRoute => "GRPCRoute",
            Self::TlsRoute => "TLSRoute",
            Self::TcpRoute => "TCPRoute",
            Self::UdpRoute => "UDPRoute",
        }
    }

    /// What `kubectl` calls all of its objects: other groups may have the same kind.
    pub fn resource(self) -> String {
        let plural = match self {
            Self::Ingress => "ingresses".to_owned(),
            other => format!("{}s", other.kind().to_lowercase()),
        };
        match self.group() {
            "" => plural,
            group => format!("{plural}.{group}"),
        }
    }

    /// The link of that kind.
    pub fn of(kind: &Kind) -> Option<Self> {
        let is_it = |link: &Self| (link.group(), link.kind()) == (kind.group(), kind.kind());
        Self::ALL.into_iter().find(is_it)
    }

    /// Whether every API server has it. The others are there where somebody installed their
    /// definitions.
    pub fn is_built_in(self) -> bool {
        matches!(self, Self::Service | Self::Ingress)
    }

    /// Whether such an object leads to pods of its own namespace alone, and nothing else leads to it.
    pub(super) fn leads_nowhere_else(self) -> bool {
        matches!(self, Self::Service | Self::Ingress)
    }
}

impl From<Link> for Kind {
    fn from(link: Link) -> Self {
        Self::new(link.group(), link.kind())
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}

/// Every link that was read, in any order.
#[derive(Clone, Debug, Default)]
pub struct Links {
    /// Services.
    pub services: Vec<Arc<Service>>,
    /// Ingresses.
    pub ingresses: Vec<Arc<Ingress>>,
    /// Gateways.
    pub gateways: Vec<Arc<Gateway>>,
    /// Routes of every kind.
    pub routes: Vec<Arc<Route>>,
}

/// What of a Service's type matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// LoadBalancer.
    LoadBalancer,
    /// NodePort.
    NodePort,
    /// Any other: reached from inside the cluster alone.
    #[default]
    Other,
}

/// A Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Its type.
    pub sort: Sort,
    /// The labels of its pods; empty where it has no selector, or names a host in place of pods.
    pub selector: TextMap,
    /// Its `loadBalancerClass`.
    pub class: Option<Arc<str>>,
    /// Its `loadBalancerSourceRanges`.
    pub source_ranges: Box<[Arc<str>]>,
    /// Those of its annotations that say whether it is internal, by their whole keys.
    pub annotations: TextMap,
}

/// An Ingress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ingress {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Its `ingressClassName`.
    pub class: Option<Arc<str>>,
    /// Those of its annotations that say whether it is internal, by their whole keys.
    pub annotations: TextMap,
    /// The names of the Services that it leads to, each once and in order.
    pub backends: Box<[Arc<str>]>,
}

/// A Gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gateway {
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// Its `gatewayClassName`.
    pub class: Arc<str>,
    /// Those of its annotations that say whether it is internal, by their whole keys.
    pub annotations: TextMap,
    /// Likewise those that it gives to what is made for it: `infrastructure.annotations`.
    pub infrastructure: TextMap,
}

/// A route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Route {
    /// Its kind.
    pub link: Link,
    /// Its namespace.
    pub namespace: Arc<str>,
    /// Its name.
    pub name: Arc<str>,
    /// The Gateways that it is to be attached to.
    pub parents: Box<[Parent]>,
    /// Namespace and name of the Services that it leads to, each once and in order.
    pub backends: Box<[(Arc<str>, Arc<str>)]>,
}

/// A Gateway that a route is to be attached to, and what became of that.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Parent {
    /// The Gateway's namespace.
    pub namespace: Arc<str>,
    /// The Gateway's name.
    pub name: Arc<str>,
    /// Whether the Gateway has accepted the route.
    pub accepted: bool,
    /// Whether some Service of another namespace may not be referred to from the route's.
    pub not_permitted: bool,
}

macro_rules! named {
    ($($object:ty => $link:expr),+) => {$(
        impl $object {
            /// Its kind and names.
            pub fn named(&self) -> Named {
                let link: fn(&Self) -> Link = $link;
                Named {
                    link: link(self),
                    namespace: self.namespace.clone(),
                    name: self.name.clone(),
                }
            }
        }
    )+};
}

named!(
    Service => |_| Link::Service,
    Ingress => |_| Link::Ingress,
    Gateway => |_| Link::Gateway,
    Route => |route| route.link
);
