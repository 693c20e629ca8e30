//! The Gateway API, as definitions of our own writing that carry its group, kinds, plurals, scope, served
//! versions and status subresource: <https://github.com/kubernetes-sigs/gateway-api/tree/v1.6.0/config/crd/standard>.
//! And its objects with the fields that people write, and the statuses that controllers leave.

use serde_json::{Value, json};

use super::api::{Api, Cascade, eventually};

const GROUP: &str = "gateway.networking.k8s.io";

/// Kind, plural and short name.
const KINDS: [(&str, &str); 6] = [
    ("Gateway", "gateways"),
    ("HTTPRoute", "httproutes"),
    ("GRPCRoute", "grpcroutes"),
    ("TLSRoute", "tlsroutes"),
    ("TCPRoute", "tcproutes"),
    ("UDPRoute", "udproutes"),
];

fn definition(kind: &str, plural: &str) -> Value {
    let name = format!("{plural}.{GROUP}");
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {
            "name": name,
            // Whoever defines kinds of Kubernetes' own groups says where that was agreed upon.
            "annotations": {"api-approved.kubernetes.io": "https://github.com/kubernetes-sigs/gateway-api/pull/3328"}
        },
        "spec": {
            "group": GROUP, "scope": "Namespaced",
            "names": {
                "kind": kind, "listKind": format!("{kind}List"),
                "plural": plural, "singular": kind.to_lowercase()
            },
            "versions": [{
                "name": "v1", "served": true, "storage": true, "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {
                    "type": "object", "x-kubernetes-preserve-unknown-fields": true
                }}
            }]
        }
    })
}

/// Installs the Gateway API, unless it is there, and waits until it is served.
pub(crate) async fn install(api: &Api) {
    for (kind, plural) in KINDS {
        api.ensure(&definition(kind, plural)).await;
    }
    for (kind, plural) in KINDS {
        let name = format!("{plural}.{GROUP}");
        eventually(&format!("{kind} is served"), async || {
            let definition = api.get("CustomResourceDefinition", "", &name).await;
            let conditions = definition
                .as_ref()
                .map(|it| it["status"]["conditions"].clone());
            let conditions = conditions.unwrap_or_default();
            let mut conditions = conditions.as_array().into_iter().flatten();
            conditions.any(|it| it["type"] == "Established" && it["status"] == "True")
        })
        .await;
    }
}

/// Removes it again, with all objects.
pub(crate) async fn remove(api: &Api) {
    for (_, plural) in KINDS {
        let name = format!("{plural}.{GROUP}");
        let kind = "CustomResourceDefinition";
        api.delete(kind, "", &name, Cascade::Background).await;
        eventually(&format!("{name} is gone"), async || {
            api.get(kind, "", &name).await.is_none()
        })
        .await;
    }
}

/// As in <https://gateway-api.sigs.k8s.io/guides/getting-started/simple-gateway/>.
pub(crate) fn gateway(ns: &str, class: &str) -> Value {
    json!({
        "apiVersion": format!("{GROUP}/v1"), "kind": "Gateway",
        "metadata": {"namespace": ns, "name": "prod-web"},
        "spec": {
            "gatewayClassName": class,
            "listeners": [{
                "name": "http", "protocol": "HTTP", "port": 80,
                "allowedRoutes": {"namespaces": {"from": "All"}}
            }]
        }
    })
}

/// A route of that kind to the Service `web`, for the Gateway of [`gateway`].
pub(crate) fn route(kind: &str, ns: &str, gateway_in: &str) -> Value {
    json!({
        "apiVersion": format!("{GROUP}/v1"), "kind": kind,
        "metadata": {"namespace": ns, "name": "web"},
        "spec": {
            "parentRefs": [{
                "group": GROUP, "kind": "Gateway", "namespace": gateway_in, "name": "prod-web",
                "sectionName": "http"
            }],
            "rules": [{"backendRefs": [
                {"group": "", "kind": "Service", "name": "web", "port": 80, "weight": 1}
            ]}]
        }
    })
}

/// The status that a controller gives a route: one entry for each parent, with the reference as it was
/// written. <https://gateway-api.sigs.k8s.io/reference/spec/#routeparentstatus>
pub(crate) fn status(route: &Value, accepted: bool) -> Value {
    let (status, reason) = if accepted {
        ("True", "Accepted")
    } else {
        ("False", "NotAllowedByListeners")
    };
    let condition = |kind: &str, status: &str, reason: &str| {
        json!({
            "type": kind, "status": status, "reason": reason, "message": "", "observedGeneration": 1,
            "lastTransitionTime": "2026-01-01T00:00:00Z"
        })
    };
    json!({"parents": [{
        "controllerName": "gateway.envoyproxy.io/gatewayclass-controller",
        "parentRef": route["spec"]["parentRefs"][0],
        "conditions": [
            condition("Accepted", status, reason),
            condition("ResolvedRefs", "True", "ResolvedRefs")
        ]
    }]})
}
