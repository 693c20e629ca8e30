//! Which load balancers are internal: reached from private networks alone. By what their clouds
//! document, each rule beside its source; whatever no rule names counts as reached from outside.
//! `docs/risks.md` shows the same to people.

mod rules;

use std::fmt;
use std::sync::Arc;

use super::addresses::is_private;
use super::links::{Gateway, Ingress, Service};
use crate::model::text_map::TextMap;

use rules::{
    AWS_CLASSES, AWS_INTERNAL, AWS_SCHEME, AWS_TYPE, GATEWAY_CLASSES, GATEWAYS, INGRESS_CLASS,
    INGRESS_CLASSES, INGRESS_UNLESS, INGRESSES, Rule, SERVICE_CLASSES, SERVICES, SOURCE_RANGES,
};

/// Why an object is internal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Internal {
    /// An annotation says so.
    Annotation {
        /// Its whole key.
        key: &'static str,
        /// Its value.
        value: Arc<str>,
    },
    /// Its class is always internal.
    Class(Arc<str>),
    /// Its class is internal unless an annotation says otherwise, and that does not.
    Unless {
        /// The class.
        class: Arc<str>,
        /// The whole key of the annotation.
        key: &'static str,
    },
    /// It takes nothing but what comes from private addresses.
    SourceRanges,
}

impl fmt::Display for Internal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Annotation { key, value } => {
                write!(f, "internal by its annotation {key}: {value}")
            }
            Self::Class(class) => write!(f, "internal by its class {class}"),
            Self::Unless { class, key } => {
                write!(
                    f,
                    "internal by its class {class} as long as the annotation {key} does not say otherwise"
                )
            }
            Self::SourceRanges => f.write_str("open to private addresses alone"),
        }
    }
}

/// Whether an annotation of a Service says anything here.
pub fn reads_of_service(key: &str) -> bool {
    key == AWS_TYPE || key == SOURCE_RANGES || SERVICES.iter().any(|(known, _)| *known == key)
}

/// Whether an annotation of an Ingress says anything here.
pub fn reads_of_ingress(key: &str) -> bool {
    let unless = INGRESS_UNLESS.iter().any(|(_, known, _)| *known == key);
    key == INGRESS_CLASS || unless || INGRESSES.iter().any(|(known, _)| *known == key)
}

/// Whether an annotation of a Gateway says anything here.
pub fn reads_of_gateway(key: &str) -> bool {
    GATEWAYS.iter().any(|(known, _)| *known == key)
}

/// Why a Service of type LoadBalancer is internal, if it is.
pub(super) fn of_service(service: &Service) -> Option<Internal> {
    if let Some(class) = &service.class
        && SERVICE_CLASSES.contains(&&**class)
    {
        return Some(Internal::Class(class.clone()));
    }
    let by_annotation = annotated_service(service.class.as_ref(), &service.annotations);
    let ranges = || {
        let annotation = service.annotations.get(SOURCE_RANGES);
        let older = annotation.iter().flat_map(|ranges| ranges.split(','));
        // Who fills in the field means it: the annotation does not count then.
        let ranges: Vec<&str> = match &*service.source_ranges {
            [] => older.collect(),
            ranges => ranges.iter().map(|range| &**range).collect(),
        };
        let private = !ranges.is_empty() && ranges.into_iter().all(is_private);
        private.then_some(Internal::SourceRanges)
    };
    by_annotation.or_else(ranges)
}

/// Why what is made with these annotations is internal.
fn annotated_service(class: Option<&Arc<str>>, annotations: &TextMap) -> Option<Internal> {
    let text = |key: &str| annotations.get(key).map(|value| &**value);
    let of_controller = class.filter(|class| AWS_CLASSES.contains(&&***class));
    let of_type = annotations.get(AWS_TYPE);
    let of_type = of_type.filter(|kind| matches!(&***kind, "external" | "nlb-ip"));
    let Some(class) = of_controller.or(of_type) else {
        return by(&SERVICES, annotations);
    };
    // The AWS Load Balancer Controller: what is not said to face the internet is internal.
    match (text(AWS_SCHEME), text(AWS_INTERNAL)) {
        (Some("internet-facing"), _) | (None, Some("false")) => None,
        _ => by(&SERVICES, annotations).or_else(|| {
            Some(Internal::Unless {
                class: class.clone(),
                key: AWS_SCHEME,
            })
        }),
    }
}

/// Why an Ingress is internal, if it is.
pub(super) fn of_ingress(ingress: &Ingress) -> Option<Internal> {
    let annotations = &ingress.annotations;
    let classes = [annotations.get(INGRESS_CLASS), ingress.class.as_ref()];
    for class in classes.into_iter().flatten() {
        if INGRESS_CLASSES.contains(&&**class) {
            return Some(Internal::Class(class.clone()));
        }
        let mut unless = INGRESS_UNLESS.iter();
        if let Some((_, key, outside)) = unless.find(|(known, ..)| *known == &**class) {
            let says = annotations.get(key).map(|value| &**value);
            return (says != Some(*outside)).then(|| Internal::Unless {
                class: class.clone(),
                key,
            });
        }
    }
    by(&INGRESSES, annotations)
}

/// Why a Gateway is internal, if it is. What it hands on to the Service that is made for it counts
/// as if that had it: <https://gateway-api.sigs.k8s.io/reference/spec/#gatewayinfrastructure>.
pub(super) fn of_gateway(gateway: &Gateway) -> Option<Internal> {
    if GATEWAY_CLASSES.contains(&&*gateway.class) {
        return Some(Internal::Class(gateway.class.clone()));
    }
    by(&GATEWAYS, &gateway.annotations)
        .or_else(|| by(&GATEWAYS, &gateway.infrastructure))
        .or_else(|| annotated_service(None, &gateway.infrastructure))
}

/// The first of `rules` that holds.
fn by(rules: &[Rule], annotations: &TextMap) -> Option<Internal> {
    rules.iter().find_map(|(key, says)| {
        let value = annotations.get(key)?;
        says.internal(value).then(|| Internal::Annotation {
            key,
            value: value.clone(),
        })
    })
}

#[cfg(test)]
mod tests;
