//! The rules by which load balancers are internal, each beside its source: tables and nothing else.
//! Those who read these words are known by their documentation and not by trying.

/// How the value of an annotation says that something is internal. Letter case counts, as with those
/// who read it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Says {
    /// By being this.
    Exactly(&'static str),
    /// By being one of these, which Go's `strconv.ParseBool` takes for true:
    /// <https://pkg.go.dev/strconv#ParseBool>.
    True,
    /// By not being empty.
    Anything,
    /// By being neither empty nor `false`.
    NotFalse,
    /// By JSON without this text, spaces left out.
    JsonWithout(&'static str),
}

impl Says {
    pub(super) fn internal(self, value: &str) -> bool {
        match self {
            Self::Exactly(word) => value == word,
            Self::True => ["1", "t", "T", "true", "TRUE", "True"].contains(&value),
            Self::Anything => !value.trim().is_empty(),
            Self::NotFalse => !value.is_empty() && value != "false",
            Self::JsonWithout(part) => {
                let dense: String = value.split_whitespace().collect();
                !dense.is_empty() && !dense.contains(part)
            }
        }
    }
}

/// An annotation and what it has to say.
pub(super) type Rule = (&'static str, Says);

/// AWS: `internal` or `internet-facing`.
/// <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/#lb-scheme>
pub(super) const AWS_SCHEME: &str = "service.beta.kubernetes.io/aws-load-balancer-scheme";
/// AWS, older: the controller takes `true`; the cloud provider anything but `false`.
/// <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/#lb-internal>
/// <https://github.com/kubernetes/cloud-provider-aws/blob/master/pkg/providers/v1/aws.go>
pub(super) const AWS_INTERNAL: &str = "service.beta.kubernetes.io/aws-load-balancer-internal";
/// AWS: `external` and `nlb-ip` are for the controller, `nlb` and nothing for the cloud provider.
/// <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/#lb-type>
pub(super) const AWS_TYPE: &str = "service.beta.kubernetes.io/aws-load-balancer-type";
/// Classes of AWS, internal unless the scheme says otherwise.
/// <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/nlb/>
/// <https://docs.aws.amazon.com/eks/latest/userguide/auto-configure-nlb.html>
pub(super) const AWS_CLASSES: [&str; 2] = ["service.k8s.aws/nlb", "eks.amazonaws.com/nlb"];

/// Source ranges before there was a field for them:
/// <https://kubernetes.io/docs/reference/labels-annotations-taints/#service-beta-kubernetes-io-load-balancer-source-ranges>.
pub(super) const SOURCE_RANGES: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";

/// Classes of Services that are internal, whatever else is said.
pub(super) const SERVICE_CLASSES: [&str; 3] = [
    // https://cloud.google.com/kubernetes-engine/docs/how-to/internal-load-balancing
    "networking.gke.io/l4-regional-internal",
    // https://github.com/kubernetes/ingress-gce/blob/master/pkg/l4annotations/service.go
    "networking.gke.io/l4-regional-internal-legacy",
    // A tailnet: https://tailscale.com/docs/kubernetes-operator/ingress
    "tailscale",
];

/// Annotations of Services, AWS apart.
pub(super) const SERVICES: [Rule; 24] = [
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
    // Tencent: https://cloud.tencent.com/document/product/457/51258
    (
        "service.kubernetes.io/qcloud-loadbalancer-internal-subnetid",
        Says::Anything,
    ),
    // Baidu: https://kubernetes.io/docs/concepts/services-networking/service/#internal-load-balancer
    (
        "service.beta.kubernetes.io/cce-load-balancer-internal-vpc",
        Says::Exactly("true"),
    ),
    // Huawei: https://support.huaweicloud.com/intl/en-us/usermanual-cce/cce_10_0385.html
    (HUAWEI, Says::JsonWithout(HUAWEI_PUBLIC)),
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
    // Volcengine: https://docs.byteplus.com/en/docs/vke/Configuring-a-LoadBalancer-Service-using-annotations
    (
        "service.beta.kubernetes.io/volcengine-loadbalancer-address-type",
        Says::Exactly("PRIVATE"),
    ),
    // Naver: https://guide.ncloud-docs.com/docs/k8s-k8suse-loadbalancer
    (
        "service.beta.kubernetes.io/ncloud-load-balancer-internal",
        Says::Exactly("true"),
    ),
    // AWS, as Kubernetes has it: https://kubernetes.io/docs/concepts/services-networking/service/#internal-load-balancer
    (AWS_SCHEME, Says::Exactly("internal")),
    (AWS_INTERNAL, Says::NotFalse),
];

/// Huawei: JSON, in which the type is `public` or `inner`, and `inner` if it is not named.
const HUAWEI: &str = "kubernetes.io/elb.autocreate";
const HUAWEI_PUBLIC: &str = r#""type":"public""#;

/// The class of an Ingress before there was a field for it, which some controllers still need:
/// <https://kubernetes.io/docs/concepts/services-networking/ingress/#deprecated-annotation>.
pub(super) const INGRESS_CLASS: &str = "kubernetes.io/ingress.class";

/// Classes of Ingresses that are internal.
pub(super) const INGRESS_CLASSES: [&str; 3] = [
    // https://cloud.google.com/kubernetes-engine/docs/how-to/internal-load-balance-ingress
    "gce-internal",
    // https://cloud.ibm.com/docs/containers?topic=containers-managed-ingress-about
    "private-iks-k8s-nginx",
    "private-iks-traefik",
];

/// AWS: <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#scheme>.
pub(super) const ALB_SCHEME: &str = "alb.ingress.kubernetes.io/scheme";
/// OpenStack: <https://github.com/kubernetes/cloud-provider-openstack/blob/master/docs/octavia-ingress-controller/using-octavia-ingress-controller.md>.
pub(super) const OCTAVIA_INTERNAL: &str = "octavia.ingress.kubernetes.io/internal";
/// Tailscale: <https://tailscale.com/docs/kubernetes-operator/ingress>.
pub(super) const TAILSCALE_FUNNEL: &str = "tailscale.com/funnel";

/// Classes of Ingresses that are internal unless an annotation has this value.
pub(super) const INGRESS_UNLESS: [(&str, &str, &str); 3] = [
    ("alb", ALB_SCHEME, "internet-facing"),
    ("openstack", OCTAVIA_INTERNAL, "false"),
    ("tailscale", TAILSCALE_FUNNEL, "true"),
];

/// Annotations of Ingresses.
pub(super) const INGRESSES: [Rule; 5] = [
    (ALB_SCHEME, Says::Exactly("internal")),
    // Azure: https://azure.github.io/application-gateway-kubernetes-ingress/annotations/#use-private-ip
    ("appgw.ingress.kubernetes.io/use-private-ip", Says::True),
    // Tencent: https://www.tencentcloud.com/document/product/457/38983
    ("kubernetes.io/ingress.subnetId", Says::Anything),
    // Yandex: https://yandex.cloud/en/docs/application-load-balancer/k8s-ref/ingress
    ("ingress.alb.yc.io/internal-ipv4-address", Says::Anything),
    // Huawei: https://huaweicloud.com/guide/productsdesc-bms_c4a55d00f0c340138565b55904522496support4
    (HUAWEI, Says::JsonWithout(HUAWEI_PUBLIC)),
];

/// Classes of Gateways that are internal.
pub(super) const GATEWAY_CLASSES: [&str; 5] = [
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
pub(super) const GATEWAYS: [Rule; 1] = [
    // https://istio.io/latest/docs/tasks/traffic-management/ingress/gateway-api/#automated-deployment
    (
        "networking.istio.io/service-type",
        Says::Exactly("ClusterIP"),
    ),
];
