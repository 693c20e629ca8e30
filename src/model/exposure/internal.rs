//! Which load balancers are internal: reached from private networks alone. By what their clouds
//! document, each rule beside its source; whatever no rule names counts as reached from outside.
//! `docs/risks.md` shows the same to people.

use std::fmt;
use std::sync::Arc;

use super::addresses::is_private;
use super::links::{Gateway, Ingress, Service};
use crate::model::text_map::TextMap;

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

/// How the value of an annotation says that something is internal. Letter case counts, as with those
/// who read it.
#[derive(Clone, Copy, Debug)]
enum Says {
    /// By being this.
    Exactly(&'static str),
    /// By being one of these, which Go's `strconv.ParseBool` takes for true:
    /// <https://pkg.go.dev/strconv#ParseBool>.
    True,
    /// By not being empty.
    Anything,
    /// By being neither empty nor `false`.
    NotFalse,
    /// By JSON with this text, spaces left out.
    Json(&'static str),
}

impl Says {
    fn internal(self, value: &str) -> bool {
        match self {
            Self::Exactly(word) => value == word,
            Self::True => ["1", "t", "T", "true", "TRUE", "True"].contains(&value),
            Self::Anything => !value.trim().is_empty(),
            Self::NotFalse => !value.is_empty() && value != "false",
            Self::Json(part) => value.split_whitespace().collect::<String>().contains(part),
        }
    }
}

type Rule = (&'static str, Says);

/// AWS: `internal` or `internet-facing`.
/// <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/#lb-scheme>
const AWS_SCHEME: &str = "service.beta.kubernetes.io/aws-load-balancer-scheme";
/// AWS, older: the controller takes `true`; the cloud provider anything but `false`.
/// <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/#lb-internal>
/// <https://github.com/kubernetes/cloud-provider-aws/blob/master/pkg/providers/v1/aws.go>
const AWS_INTERNAL: &str = "service.beta.kubernetes.io/aws-load-balancer-internal";
/// AWS: `external` and `nlb-ip` are for the controller, `nlb` and nothing for the cloud provider.
/// <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/#lb-type>
const AWS_TYPE: &str = "service.beta.kubernetes.io/aws-load-balancer-type";
/// Classes of AWS, internal unless the scheme says otherwise.
/// <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/nlb/>
/// <https://docs.aws.amazon.com/eks/latest/userguide/auto-configure-nlb.html>
const AWS_CLASSES: [&str; 2] = ["service.k8s.aws/nlb", "eks.amazonaws.com/nlb"];

/// Source ranges before there was a field for them:
/// <https://kubernetes.io/docs/reference/labels-annotations-taints/#service-beta-kubernetes-io-load-balancer-source-ranges>.
const SOURCE_RANGES: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";

/// Classes of Services that are internal, whatever else is said.
const SERVICE_CLASSES: [&str; 3] = [
    // https://cloud.google.com/kubernetes-engine/docs/how-to/internal-load-balancing
    "networking.gke.io/l4-regional-internal",
    // https://github.com/kubernetes/ingress-gce/blob/master/pkg/annotations/service.go
    "networking.gke.io/l4-regional-internal-legacy",
    // A tailnet: https://tailscale.com/kb/1439/kubernetes-operator-cluster-ingress
    "tailscale",
];

/// Annotations of Services, AWS apart.
const SERVICES: [Rule; 24] = [
    // Google: https://cloud.google.com/kubernetes-engine/docs/concepts/service-load-balancer-parameters
    (
        "networking.gke.io/load-balancer-type",
        Says::Exactly("Internal"),
    ),
    // Google, older: https://kubernetes.io/docs/concepts/services-networking/service/#internal-load-balancer
    // and in lower case: https://github.com/kubernetes/cloud-provider-gcp/blob/master/providers/gce/gce_annotations.go
    (
        "cloud.google.com/load-balancer-type",
        Says::Exactly("Internal"),
    ),
    (
        "cloud.google.com/load-balancer-type",
        Says::Exactly("internal"),
    ),
    // Azure: https://learn.microsoft.com/azure/aks/internal-lb
    (
        "service.beta.kubernetes.io/azure-load-balancer-internal",
        Says::Exactly("true"),
    ),
    // OpenStack, and OVHcloud's Octavia: https://github.com/kubernetes/cloud-provider-openstack/blob/master/docs/openstack-cloud-controller-manager/expose-applications-using-loadbalancer-type-service.md
    (
        "service.beta.kubernetes.io/openstack-internal-load-balancer",
        Says::True,
    ),
    // DigitalOcean: https://docs.digitalocean.com/products/kubernetes/how-to/configure-load-balancers/#network
    (
        "service.beta.kubernetes.io/do-loadbalancer-network",
        Says::Exactly("INTERNAL"),
    ),
    // Hetzner: https://github.com/hetznercloud/hcloud-cloud-controller-manager/blob/main/docs/reference/load_balancer_annotations.md
    (
        "load-balancer.hetzner.cloud/disable-public-network",
        Says::True,
    ),
    // Oracle: https://docs.oracle.com/iaas/Content/ContEng/Tasks/contengcreatingloadbalancer.htm
    (
        "service.beta.kubernetes.io/oci-load-balancer-internal",
        Says::True,
    ),
    (
        "oci-network-load-balancer.oraclecloud.com/internal",
        Says::True,
    ),
    // IBM: https://cloud.ibm.com/docs/containers?topic=containers-loadbalancer
    (
        "service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type",
        Says::Exactly("private"),
    ),
    // Alibaba: https://www.alibabacloud.com/help/en/ack/ack-managed-and-ack-dedicated/user-guide/add-annotations-to-the-yaml-file-of-a-service-to-configure-clb-instances
    (
        "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type",
        Says::Exactly("intranet"),
    ),
    (
        "service.beta.kubernetes.io/alicloud-loadbalancer-address-type",
        Says::Exactly("intranet"),
    ),
    // Tencent: https://kubernetes.io/docs/concepts/services-networking/service/#internal-load-balancer
    (
        "service.kubernetes.io/qcloud-loadbalancer-internal-subnetid",
        Says::Anything,
    ),
    // Baidu: likewise
    (
        "service.beta.kubernetes.io/cce-load-balancer-internal-vpc",
        Says::Exactly("true"),
    ),
    // Huawei: https://support.huaweicloud.com/intl/en-us/usermanual-cce/cce_10_0681.html
    (HUAWEI, Says::Json(HUAWEI_INNER)),
    // Yandex: https://yandex.cloud/en/docs/managed-kubernetes/operations/create-load-balancer
    ("yandex.cloud/load-balancer-type", Says::Exactly("internal")),
    // Scaleway: https://github.com/scaleway/scaleway-cloud-controller-manager/blob/master/docs/loadbalancer-annotations.md
    (
        "service.beta.kubernetes.io/scw-loadbalancer-private",
        Says::True,
    ),
    // STACKIT: https://github.com/stackitcloud/cloud-provider-stackit/blob/main/docs/load-balancer.md
    ("lb.stackit.cloud/internal-lb", Says::True),
    ("yawol.stackit.cloud/internalLB", Says::True),
    // Outscale: https://github.com/outscale/cloud-provider-osc/blob/main/docs/annotations.md
    (
        "service.beta.kubernetes.io/osc-load-balancer-internal",
        Says::NotFalse,
    ),
    // Volcengine: https://www.volcengine.com/docs/6460/143012
    (
        "service.beta.kubernetes.io/volcengine-loadbalancer-address-type",
        Says::Exactly("PRIVATE"),
    ),
    // Naver: https://guide.ncloud-docs.com/docs/en/k8s-k8suse-nlb
    (
        "service.beta.kubernetes.io/ncloud-load-balancer-internal",
        Says::Exactly("true"),
    ),
    // AWS, as Kubernetes has it: https://kubernetes.io/docs/concepts/services-networking/service/#internal-load-balancer
    (AWS_SCHEME, Says::Exactly("internal")),
    (AWS_INTERNAL, Says::NotFalse),
];

const HUAWEI: &str = "kubernetes.io/elb.autocreate";
const HUAWEI_INNER: &str = r#""type":"inner""#;

/// The class of an Ingress before there was a field for it, which some controllers still need:
/// <https://kubernetes.io/docs/concepts/services-networking/ingress/#deprecated-annotation>.
const INGRESS_CLASS: &str = "kubernetes.io/ingress.class";

/// Classes of Ingresses that are internal.
const INGRESS_CLASSES: [&str; 3] = [
    // https://cloud.google.com/kubernetes-engine/docs/how-to/internal-load-balance-ingress
    "gce-internal",
    // https://cloud.ibm.com/docs/containers?topic=containers-managed-ingress-about
    "private-iks-k8s-nginx",
    "private-iks-traefik",
];

/// AWS: <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#scheme>.
const ALB_SCHEME: &str = "alb.ingress.kubernetes.io/scheme";
/// OpenStack: <https://github.com/kubernetes/cloud-provider-openstack/blob/master/docs/octavia-ingress-controller/using-octavia-ingress-controller.md>.
const OCTAVIA_INTERNAL: &str = "octavia.ingress.kubernetes.io/internal";
/// Tailscale: <https://tailscale.com/kb/1439/kubernetes-operator-cluster-ingress>.
const TAILSCALE_FUNNEL: &str = "tailscale.com/funnel";

/// Classes of Ingresses that are internal unless an annotation has this value.
const INGRESS_UNLESS: [(&str, &str, &str); 3] = [
    ("alb", ALB_SCHEME, "internet-facing"),
    ("openstack", OCTAVIA_INTERNAL, "false"),
    ("tailscale", TAILSCALE_FUNNEL, "true"),
];

/// Annotations of Ingresses.
const INGRESSES: [Rule; 5] = [
    (ALB_SCHEME, Says::Exactly("internal")),
    // Azure: https://azure.github.io/application-gateway-kubernetes-ingress/annotations/#use-private-ip
    ("appgw.ingress.kubernetes.io/use-private-ip", Says::True),
    // Tencent: https://www.tencentcloud.com/document/product/457/38983
    ("kubernetes.io/ingress.subnetId", Says::Anything),
    // Yandex: https://yandex.cloud/en/docs/application-load-balancer/k8s-ref/ingress
    ("ingress.alb.yc.io/internal-ipv4-address", Says::Anything),
    // Huawei: https://support.huaweicloud.com/intl/en-us/usermanual-cce/cce_10_0252.html
    (HUAWEI, Says::Json(HUAWEI_INNER)),
];

/// Classes of Gateways that are internal.
const GATEWAY_CLASSES: [&str; 5] = [
    // https://cloud.google.com/kubernetes-engine/docs/concepts/gateway-api#gatewayclass
    "gke-l7-rilb",
    "gke-l7-rilb-mc",
    "gke-l7-cross-regional-internal-managed-mc",
    // Networks of one's own alone: https://www.gateway-api-controller.eks.aws.dev/latest/api-types/gateway/
    "amazon-vpc-lattice",
    // Between the workloads of a mesh: https://istio.io/latest/docs/ambient/usage/waypoint/
    "istio-waypoint",
];

/// Annotations of Gateways.
const GATEWAYS: [Rule; 1] = [
    // https://istio.io/latest/docs/tasks/traffic-management/ingress/gateway-api/#automated-deployment
    (
        "networking.istio.io/service-type",
        Says::Exactly("ClusterIP"),
    ),
];

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
