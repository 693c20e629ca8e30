//! Rights: what the API server must allow so that a scope is seen, and asking it whether it does.
//! Which rights these are follows from what is watched and read; nothing is listed a second time.

use std::sync::Arc;

use futures::{StreamExt, TryStreamExt, stream};
use k8s_openapi::Resource;
use k8s_openapi::api::authorization::v1::{
    ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec,
};
use kube::api::PostParams;
use kube::{Api, Client};

use super::calls::{bounded, code, describe};
use super::place::Place;
use super::scope::Scope;
use super::{exact, identity, mirror, namespace_kind, pull_secrets};

/// How many questions are on their way at once.
const AT_ONCE: usize = 8;

/// A right to do one thing, as RBAC has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Right {
    /// The API group; empty for the core group.
    pub group: String,
    /// The plural of the kind.
    pub resource: String,
    /// The namespace; `None` for the whole cluster.
    pub namespace: Option<Arc<str>>,
    /// The one object that it is about; `None` for all.
    pub name: Option<Arc<str>>,
    /// What is done.
    pub verb: &'static str,
}

/// Why the API server does not say which rights there are.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Unasked {
    /// The HTTP status, if it answered.
    pub code: Option<u16>,
    /// What was said.
    message: String,
}

impl Scope {
    /// What must be allowed so that all of this is seen.
    pub fn rights(&self) -> Vec<Right> {
        let watched = self.watched().into_iter();
        let watched = watched.flat_map(|place| mirror::VERBS.map(|verb| Right::at(&place, verb)));
        let named = self.exact_namespaces().unwrap_or_default().into_iter();
        let named = named.map(|name| Right::to_read_namespace(&name));
        watched
            .chain(named)
            .chain(self.rights_to_pull_secrets())
            .collect()
    }

    /// Which secrets are read only a pod can say, so that no names can be given.
    fn rights_to_pull_secrets(&self) -> Vec<Right> {
        if !self.pull_secrets {
            return Vec::new();
        }
        let places = match self.exact_namespaces() {
            Some(names) => names.into_iter().map(Some).collect(),
            None => vec![None],
        };
        let in_each = |resource: &str| {
            let right = |namespace: &Option<Arc<str>>| Right {
                group: String::new(),
                resource: resource.to_owned(),
                namespace: namespace.clone(),
                name: None,
                verb: pull_secrets::VERB,
            };
            places.iter().map(right).collect::<Vec<_>>()
        };
        pull_secrets::RESOURCES
            .into_iter()
            .flat_map(in_each)
            .collect()
    }
}

impl Right {
    fn at(place: &Place, verb: &'static str) -> Self {
        let resource = place.resource();
        Self {
            group: resource.group,
            resource: resource.plural,
            namespace: place.namespace.clone(),
            name: None,
            verb,
        }
    }

    /// The API server takes a namespace for one that is in itself, so that a Role in it is enough.
    fn to_read_namespace(name: &Arc<str>) -> Self {
        let place = Place {
            kind: namespace_kind(),
            namespace: Some(Arc::clone(name)),
        };
        Self {
            name: Some(Arc::clone(name)),
            ..Self::at(&place, exact::VERB)
        }
    }

    /// What must be allowed so that a cluster is told from others: one of these.
    pub fn to_identify(fallback: &str) -> [Self; 2] {
        identity::namespaces(fallback).map(|name| Self::to_read_namespace(&name.into()))
    }

    /// What must be allowed to ask which rights there are.
    pub fn to_ask() -> Self {
        Self {
            group: SelfSubjectAccessReview::GROUP.to_owned(),
            resource: SelfSubjectAccessReview::URL_PATH_SEGMENT.to_owned(),
            namespace: None,
            name: None,
            verb: "create",
        }
    }

    /// Asks the API server which of `rights` whoever this is has: an answer for each, in their
    /// order. That every user who signs in may ask so is granted by `system:basic-user`:
    /// <https://kubernetes.io/docs/reference/access-authn-authz/rbac/#discovery-roles>.
    pub async fn ask(client: &Client, rights: &[Self]) -> Result<Vec<bool>, Unasked> {
        let api = Api::all(bounded(client.clone()));
        let answers = rights.iter().map(|right| right.is_granted(&api));
        stream::iter(answers).buffered(AT_ONCE).try_collect().await
    }

    /// A review is created, and stored nowhere.
    async fn is_granted(&self, api: &Api<SelfSubjectAccessReview>) -> Result<bool, Unasked> {
        let asked = ResourceAttributes {
            group: Some(self.group.clone()),
            resource: Some(self.resource.clone()),
            namespace: self.namespace.as_deref().map(str::to_owned),
            name: self.name.as_deref().map(str::to_owned),
            verb: Some(self.verb.to_owned()),
            ..ResourceAttributes::default()
        };
        let review = SelfSubjectAccessReview {
            spec: SelfSubjectAccessReviewSpec {
                resource_attributes: Some(asked),
                ..SelfSubjectAccessReviewSpec::default()
            },
            ..SelfSubjectAccessReview::default()
        };
        match api.create(&PostParams::default(), &review).await {
            Ok(answer) => Ok(answer.status.is_some_and(|status| status.allowed)),
            Err(error) => Err(Unasked {
                code: code(&error),
                message: describe(&error),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::exposure::Way;
    use crate::model::selection::{KindGroup, Pattern, Selection};

    fn said(scope: &Scope) -> Vec<String> {
        let rights = scope.rights().into_iter();
        let said = rights.map(|right| {
            let place = right.namespace.as_deref().unwrap_or("*");
            let name = right.name.as_deref().unwrap_or_default();
            format!(
                "{} {}/{} {place} {name}",
                right.verb, right.group, right.resource
            )
        });
        said.collect()
    }

    fn scope(kinds: &[KindGroup], namespaces: &[&str]) -> Scope {
        let selection = Selection {
            kinds: kinds.to_vec(),
            namespaces: namespaces.iter().map(|name| Pattern::new(name)).collect(),
            ..Selection::default()
        };
        Scope {
            selection,
            ..Scope::default()
        }
    }

    #[test]
    fn what_is_watched_in_the_whole_cluster_is_listed_and_watched_there() {
        let expected = [
            "list /pods * ",
            "watch /pods * ",
            "list apps/daemonsets * ",
            "watch apps/daemonsets * ",
            "list /namespaces * ",
            "watch /namespaces * ",
        ];
        assert_eq!(said(&scope(&[KindGroup::DaemonSets], &[])), expected);
        assert_eq!(said(&scope(&[KindGroup::DaemonSets], &["a*"])), expected);
    }

    #[test]
    fn what_leads_traffic_in_is_listed_and_watched_only_where_somebody_asks_for_its_way() {
        let of = |ways: &[Way], namespaces: &[&str]| {
            let mut scope = scope(&[KindGroup::Pods], namespaces);
            scope.selection.ways = ways.to_vec();
            let mut said = said(&scope);
            said.retain(|right| right.starts_with("list") && !right.contains("/pods"));
            said
        };
        let namespaces = "list /namespaces * ";
        assert_eq!(of(&[], &[]), [namespaces]);
        let services = "list /services * ";
        assert_eq!(
            of(&[Way::LoadBalancer, Way::NodePort], &[]),
            [services, namespaces]
        );
        let ingresses = "list networking.k8s.io/ingresses * ";
        assert_eq!(of(&[Way::Ingress], &[]), [services, ingresses, namespaces]);
        let kinds = [
            "gateways",
            "httproutes",
            "grpcroutes",
            "tlsroutes",
            "tcproutes",
            "udproutes",
        ];
        let gateways = kinds.map(|kind| format!("list gateway.networking.k8s.io/{kind} a "));
        let services = "list /services a ".to_owned();
        let expected: Vec<String> = std::iter::once(services).chain(gateways).collect();
        assert_eq!(of(&[Way::Gateway], &["a"]), expected);
    }

    #[test]
    fn in_named_namespaces_rights_there_are_enough() {
        let expected = [
            "list /pods a ",
            "watch /pods a ",
            "list /pods b ",
            "watch /pods b ",
            "get /namespaces a a",
            "get /namespaces b b",
        ];
        assert_eq!(said(&scope(&[KindGroup::Pods], &["b", "a"])), expected);
    }

    #[test]
    fn pull_secrets_are_read_where_pods_are_and_only_if_that_is_said() {
        let everywhere = scope(&[KindGroup::Pods], &[]);
        let in_two = scope(&[KindGroup::Pods], &["b", "a"]);
        for (scope, expected) in [
            (
                everywhere,
                vec!["get /secrets * ", "get /serviceaccounts * "],
            ),
            (
                in_two,
                vec![
                    "get /secrets a ",
                    "get /secrets b ",
                    "get /serviceaccounts a ",
                    "get /serviceaccounts b ",
                ],
            ),
        ] {
            let without = said(&scope);
            let with = said(&Scope {
                pull_secrets: true,
                ..scope
            });
            assert_eq!(with[..without.len()], without[..]);
            assert_eq!(with[without.len()..], expected);
        }
    }

    #[test]
    fn a_cluster_is_told_by_kube_system_or_by_the_namespace_of_the_ledger() {
        let names = Right::to_identify("recorder").map(|right| right.name);
        assert_eq!(names, [Some("kube-system".into()), Some("recorder".into())]);
    }
}
