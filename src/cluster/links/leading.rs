//! What a mirror keeps of the objects that lead traffic: each kind as the core has it.

use std::fmt::Debug;
use std::marker::PhantomData;
use std::sync::Arc;

use kube::api::ApiResource;
use serde::de::DeserializeOwned;

use crate::cluster::convert::Converter;
use crate::cluster::index::{Kept, Key};
use crate::cluster::keep::{Keep, Shared};
use crate::cluster::slim::links::{LinkMeta, SlimGateway, SlimIngress, SlimRoute, SlimService};
use crate::model::exposure::links::{Gateway, Ingress, Link, Route, Service};

/// An object that leads traffic, as it is kept.
pub(in crate::cluster) trait Leads:
    Debug + PartialEq + Send + Sync + Sized + 'static
{
    /// As it comes over the wire.
    type Wire: kube::Resource<DynamicType = ApiResource, Scope = kube::core::DynamicResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + Sync
        + 'static;

    /// The metadata of `wire`.
    fn meta(wire: &Self::Wire) -> &LinkMeta;

    /// What `wire` says; `None` if it cannot be read.
    fn read(converter: &Converter, link: Link, wire: &Self::Wire) -> Option<Self>;

    /// Its name.
    fn name(&self) -> &Arc<str>;

    /// Whether it leads nowhere.
    fn leads_nowhere(&self) -> bool;
}

macro_rules! leads {
    ($($object:ty, $wire:ty, $read:expr, nowhere: $nowhere:expr;)+) => {$(
        impl Leads for $object {
            type Wire = $wire;

            fn meta(wire: &$wire) -> &LinkMeta {
                &wire.meta
            }

            fn read(converter: &Converter, link: Link, wire: &$wire) -> Option<Self> {
                let read: fn(&Converter, Link, &$wire) -> Option<Self> = $read;
                read(converter, link, wire)
            }

            fn name(&self) -> &Arc<str> {
                &self.name
            }

            fn leads_nowhere(&self) -> bool {
                let nowhere: fn(&Self) -> bool = $nowhere;
                nowhere(self)
            }
        }
    )+};
}

leads!(
    Service, SlimService, |converter, _, wire| converter.service(wire),
        nowhere: |it| it.selector.is_empty();
    Ingress, SlimIngress, |converter, _, wire| converter.ingress(wire),
        nowhere: |it| it.backends.is_empty();
    Gateway, SlimGateway, |converter, _, wire| converter.gateway(wire),
        nowhere: |_| false;
    Route, SlimRoute, |converter, link, wire| converter.route(link, wire),
        nowhere: |it| it.parents.is_empty() || it.backends.is_empty();
);

/// Keeps objects of one kind that lead traffic.
#[derive(Debug)]
pub(in crate::cluster) struct Leading<T> {
    link: Link,
    shared: Arc<Shared>,
    kept: PhantomData<fn() -> T>,
}

impl<T> Leading<T> {
    /// Keeps those of that kind.
    pub(super) fn new(link: Link, shared: Arc<Shared>) -> Self {
        Self {
            link,
            shared,
            kept: PhantomData,
        }
    }

    /// Their kind.
    pub(super) fn link(&self) -> Link {
        self.link
    }
}

impl<T: Leads> Keep for Leading<T> {
    type Wire = T::Wire;
    type Kept = Arc<T>;

    fn key(&self, wire: &T::Wire) -> Key {
        let meta = T::meta(wire);
        let namespace = self.shared.converter.intern(meta.namespace.text());
        (namespace, meta.name.text().into())
    }

    fn read(&self, wire: &T::Wire, before: Option<&Arc<T>>) -> Option<Arc<T>> {
        let object = T::read(&self.shared.converter, self.link, wire)?;
        Some(match before {
            Some(before) if **before == object => Arc::clone(before),
            _ => Arc::new(object),
        })
    }

    fn gone(&self, _kept: &Arc<T>) {}
}

impl<T: Leads> Kept for Arc<T> {
    fn name(&self) -> &Arc<str> {
        Leads::name(&**self)
    }

    /// One of the same name is the same here.
    fn uid(&self) -> &str {
        Leads::name(&**self)
    }

    fn is_same_as(&self, earlier: &Self) -> bool {
        self == earlier
    }

    fn is_idle(&self) -> bool {
        self.leads_nowhere()
    }
}
