//! What clouds document, as tables: annotations with their values as spelled there, each with its
//! source, and what is close to it and means something else.

use super::rules::{ALB_SCHEME, TAILSCALE_FUNNEL};
use super::*;
use crate::model::exposure::links::Sort;

fn annotations(text: &str) -> TextMap {
    let pairs = text.split("; ").filter(|pair| !pair.is_empty());
    let pairs = pairs.map(|pair| pair.split_once(": ").expect("a key and a value"));
    pairs
        .map(|(key, value)| (key.into(), value.into()))
        .collect()
}

fn service(class: &str, given: &str, ranges: &[&str]) -> Service {
    Service {
        namespace: "shop".into(),
        name: "web".into(),
        sort: Sort::LoadBalancer,
        selector: TextMap::default(),
        class: (!class.is_empty()).then(|| class.into()),
        source_ranges: ranges.iter().map(|range| (*range).into()).collect(),
        annotations: annotations(given),
    }
}

fn ingress(class: &str, given: &str) -> Ingress {
    Ingress {
        namespace: "shop".into(),
        name: "web".into(),
        class: (!class.is_empty()).then(|| class.into()),
        annotations: annotations(given),
        backends: Box::default(),
    }
}

fn gateway(class: &str, given: &str, infrastructure: &str) -> Gateway {
    Gateway {
        namespace: "shop".into(),
        name: "web".into(),
        class: class.into(),
        annotations: annotations(given),
        infrastructure: annotations(infrastructure),
    }
}

/// Class, annotations (`KEY: VALUE; KEY: VALUE`), whether it is internal, and where that is said.
type Line = (&'static str, &'static str, bool, &'static str);

const SERVICES: &[Line] = &[
    ("", "", false, KUBERNETES),
    (
        "",
        "networking.gke.io/load-balancer-type: Internal",
        true,
        GKE,
    ),
    (
        "",
        "networking.gke.io/load-balancer-type: External",
        false,
        GKE,
    ),
    (
        "",
        "networking.gke.io/load-balancer-type: internal",
        false,
        GKE,
    ),
    (
        "",
        "cloud.google.com/load-balancer-type: Internal",
        true,
        GCE,
    ),
    (
        "",
        "cloud.google.com/load-balancer-type: internal",
        true,
        GCE,
    ),
    (
        "",
        "cloud.google.com/load-balancer-type: INTERNAL",
        false,
        GCE,
    ),
    ("networking.gke.io/l4-regional-internal", "", true, GKE),
    (
        "networking.gke.io/l4-regional-internal-legacy",
        "",
        true,
        GKE_CLASSES,
    ),
    ("networking.gke.io/l4-regional-external", "", false, GKE),
    (
        "",
        "service.beta.kubernetes.io/aws-load-balancer-internal: true",
        true,
        AWS,
    ),
    (
        "",
        "service.beta.kubernetes.io/aws-load-balancer-internal: 0.0.0.0/0",
        true,
        AWS,
    ),
    (
        "",
        "service.beta.kubernetes.io/aws-load-balancer-internal: false",
        false,
        AWS,
    ),
    (
        "",
        "service.beta.kubernetes.io/aws-load-balancer-internal: ",
        false,
        AWS,
    ),
    (
        "",
        "service.beta.kubernetes.io/aws-load-balancer-type: nlb",
        false,
        AWS,
    ),
    (
        "",
        "service.beta.kubernetes.io/aws-load-balancer-scheme: internal",
        true,
        KUBERNETES,
    ),
    (
        "",
        "service.beta.kubernetes.io/aws-load-balancer-scheme: internet-facing",
        false,
        AWS_NLB,
    ),
    (
        "",
        "service.beta.kubernetes.io/aws-load-balancer-type: external",
        true,
        AWS_NLB,
    ),
    (
        "",
        "service.beta.kubernetes.io/aws-load-balancer-type: nlb-ip",
        true,
        AWS_NLB,
    ),
    ("service.k8s.aws/nlb", "", true, AWS_NLB),
    ("eks.amazonaws.com/nlb", "", true, EKS_AUTO),
    (
        "service.k8s.aws/nlb",
        "service.beta.kubernetes.io/aws-load-balancer-scheme: internet-facing",
        false,
        AWS_NLB,
    ),
    (
        "eks.amazonaws.com/nlb",
        "service.beta.kubernetes.io/aws-load-balancer-scheme: internet-facing",
        false,
        EKS_AUTO,
    ),
    (
        "service.k8s.aws/nlb",
        "service.beta.kubernetes.io/aws-load-balancer-scheme: internal",
        true,
        AWS_NLB,
    ),
    (
        "service.k8s.aws/nlb",
        "service.beta.kubernetes.io/aws-load-balancer-internal: true",
        true,
        AWS_NLB,
    ),
    (
        "service.k8s.aws/nlb",
        "service.beta.kubernetes.io/aws-load-balancer-internal: false",
        false,
        AWS_NLB,
    ),
    (
        "",
        "service.beta.kubernetes.io/aws-load-balancer-type: external; service.beta.kubernetes.io/aws-load-balancer-scheme: internet-facing",
        false,
        AWS_NLB,
    ),
    (
        "",
        "service.beta.kubernetes.io/azure-load-balancer-internal: true",
        true,
        AZURE,
    ),
    (
        "",
        "service.beta.kubernetes.io/azure-load-balancer-internal: True",
        false,
        AZURE,
    ),
    (
        "",
        "service.beta.kubernetes.io/azure-load-balancer-internal: false",
        false,
        AZURE,
    ),
    (
        "",
        "service.beta.kubernetes.io/openstack-internal-load-balancer: true",
        true,
        OPENSTACK,
    ),
    (
        "",
        "service.beta.kubernetes.io/openstack-internal-load-balancer: True",
        true,
        OPENSTACK,
    ),
    (
        "",
        "service.beta.kubernetes.io/openstack-internal-load-balancer: false",
        false,
        OPENSTACK,
    ),
    (
        "",
        "loadbalancer.ovhcloud.com/class: octavia; service.beta.kubernetes.io/openstack-internal-load-balancer: true",
        true,
        OVH,
    ),
    (
        "",
        "service.beta.kubernetes.io/do-loadbalancer-network: INTERNAL",
        true,
        DIGITALOCEAN,
    ),
    (
        "",
        "service.beta.kubernetes.io/do-loadbalancer-network: EXTERNAL",
        false,
        DIGITALOCEAN,
    ),
    (
        "",
        "service.beta.kubernetes.io/do-loadbalancer-network: internal",
        false,
        DIGITALOCEAN,
    ),
    (
        "",
        "load-balancer.hetzner.cloud/disable-public-network: true",
        true,
        HETZNER,
    ),
    (
        "",
        "load-balancer.hetzner.cloud/use-private-ip: true",
        false,
        HETZNER,
    ),
    (
        "",
        "service.beta.kubernetes.io/oci-load-balancer-internal: true",
        true,
        ORACLE,
    ),
    (
        "",
        "service.beta.kubernetes.io/oci-load-balancer-internal: false",
        false,
        ORACLE,
    ),
    (
        "",
        "oci.oraclecloud.com/load-balancer-type: nlb; oci-network-load-balancer.oraclecloud.com/internal: true",
        true,
        ORACLE,
    ),
    (
        "",
        "service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type: private",
        true,
        IBM,
    ),
    (
        "",
        "service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type: public",
        false,
        IBM,
    ),
    (
        "",
        "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type: intranet",
        true,
        KUBERNETES,
    ),
    (
        "",
        "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type: internet",
        false,
        KUBERNETES,
    ),
    (
        "",
        "service.beta.kubernetes.io/alicloud-loadbalancer-address-type: intranet",
        true,
        ALIBABA,
    ),
    (
        "",
        "service.kubernetes.io/qcloud-loadbalancer-internal-subnetid: subnet-k57njt70",
        true,
        KUBERNETES,
    ),
    (
        "",
        "service.kubernetes.io/qcloud-loadbalancer-internal-subnetid: ",
        false,
        KUBERNETES,
    ),
    (
        "",
        "service.beta.kubernetes.io/cce-load-balancer-internal-vpc: true",
        true,
        KUBERNETES,
    ),
    (
        "",
        r#"kubernetes.io/elb.class: union; kubernetes.io/elb.autocreate: { "type": "inner", "name": "a" }"#,
        true,
        HUAWEI_ELB,
    ),
    (
        "",
        r#"kubernetes.io/elb.autocreate: {"type":"public","bandwidth_size":5}"#,
        false,
        HUAWEI_ELB,
    ),
    (
        "",
        "kubernetes.io/elb.id: 3c7caa5a-a641-4bff-801a-feace27424b6",
        false,
        HUAWEI_ELB,
    ),
    (
        "",
        "yandex.cloud/load-balancer-type: internal; yandex.cloud/subnet-id: e1b23q26ab1c",
        true,
        YANDEX,
    ),
    (
        "",
        "yandex.cloud/load-balancer-type: external",
        false,
        YANDEX,
    ),
    (
        "",
        "service.beta.kubernetes.io/scw-loadbalancer-private: true",
        true,
        SCALEWAY,
    ),
    (
        "",
        "service.beta.kubernetes.io/scw-loadbalancer-private: false",
        false,
        SCALEWAY,
    ),
    ("", "lb.stackit.cloud/internal-lb: true", true, STACKIT),
    ("", "lb.stackit.cloud/internal-lb: false", false, STACKIT),
    ("", "yawol.stackit.cloud/internalLB: true", true, STACKIT),
    (
        "",
        "service.beta.kubernetes.io/osc-load-balancer-internal: true",
        true,
        OUTSCALE,
    ),
    (
        "",
        "service.beta.kubernetes.io/osc-load-balancer-internal: false",
        false,
        OUTSCALE,
    ),
    (
        "",
        "service.beta.kubernetes.io/volcengine-loadbalancer-address-type: PRIVATE",
        true,
        VOLCENGINE,
    ),
    (
        "",
        "service.beta.kubernetes.io/volcengine-loadbalancer-address-type: PUBLIC",
        false,
        VOLCENGINE,
    ),
    (
        "",
        "service.beta.kubernetes.io/ncloud-load-balancer-internal: true",
        true,
        NAVER,
    ),
    (
        "",
        "service.beta.kubernetes.io/ncloud-load-balancer-internal: false",
        false,
        NAVER,
    ),
    ("tailscale", "", true, TAILSCALE),
    // None of these has a word for internal: what they make counts.
    (
        "",
        "service.beta.kubernetes.io/linode-loadbalancer-throttle: 4",
        false,
        LINODE,
    ),
    (
        "",
        "service.beta.kubernetes.io/vultr-loadbalancer-protocol: tcp",
        false,
        VULTR,
    ),
    ("", "metallb.io/address-pool: private", false, METALLB),
    ("io.cilium/l2-announcer", "", false, CILIUM),
    (
        "kube-vip.io/kube-vip-class",
        "kube-vip.io/loadbalancerIPs: 10.0.0.7",
        false,
        KUBE_VIP,
    ),
];

const INGRESSES: &[Line] = &[
    ("", "", false, KUBERNETES_INGRESS),
    ("nginx", "", false, KUBERNETES_INGRESS),
    ("alb", "", true, ALB),
    ("", "kubernetes.io/ingress.class: alb", true, ALB),
    (
        "alb",
        "alb.ingress.kubernetes.io/scheme: internet-facing",
        false,
        ALB,
    ),
    (
        "alb",
        "alb.ingress.kubernetes.io/scheme: internal",
        true,
        ALB,
    ),
    (
        "awesome-class",
        "alb.ingress.kubernetes.io/scheme: internal",
        true,
        ALB,
    ),
    (
        "awesome-class",
        "alb.ingress.kubernetes.io/scheme: internet-facing",
        false,
        ALB,
    ),
    (
        "",
        "kubernetes.io/ingress.class: gce-internal",
        true,
        GKE_INGRESS,
    ),
    ("", "kubernetes.io/ingress.class: gce", false, GKE_INGRESS),
    (
        "azure-application-gateway",
        "appgw.ingress.kubernetes.io/use-private-ip: true",
        true,
        AGIC,
    ),
    (
        "azure-application-gateway",
        "appgw.ingress.kubernetes.io/use-private-ip: false",
        false,
        AGIC,
    ),
    (
        "",
        "kubernetes.io/ingress.class: qcloud; kubernetes.io/ingress.subnetId: subnet-k57njt70",
        true,
        TENCENT,
    ),
    ("", "kubernetes.io/ingress.class: qcloud", false, TENCENT),
    (
        "",
        "ingress.alb.yc.io/internal-ipv4-address: auto",
        true,
        YANDEX_INGRESS,
    ),
    (
        "",
        "ingress.alb.yc.io/external-ipv4-address: auto",
        false,
        YANDEX_INGRESS,
    ),
    (
        "",
        "kubernetes.io/ingress.class: private-iks-k8s-nginx",
        true,
        IBM_INGRESS,
    ),
    ("private-iks-traefik", "", true, IBM_INGRESS),
    ("public-iks-k8s-nginx", "", false, IBM_INGRESS),
    ("", "kubernetes.io/ingress.class: openstack", true, OCTAVIA),
    (
        "openstack",
        "octavia.ingress.kubernetes.io/internal: true",
        true,
        OCTAVIA,
    ),
    (
        "openstack",
        "octavia.ingress.kubernetes.io/internal: false",
        false,
        OCTAVIA,
    ),
    ("tailscale", "", true, TAILSCALE),
    ("tailscale", "tailscale.com/funnel: true", false, TAILSCALE),
    (
        "cce",
        r#"kubernetes.io/elb.autocreate: {"type":"inner","name":"a"}"#,
        true,
        HUAWEI_ELB,
    ),
    (
        "cce",
        r#"kubernetes.io/elb.autocreate: {"type":"public","name":"a"}"#,
        false,
        HUAWEI_ELB,
    ),
];

/// Class, annotations of its own, whether it is internal, source.
const GATEWAYS: &[Line] = &[
    ("gke-l7-rilb", "", true, GKE_GATEWAY),
    ("gke-l7-rilb-mc", "", true, GKE_GATEWAY),
    (
        "gke-l7-cross-regional-internal-managed-mc",
        "",
        true,
        GKE_GATEWAY,
    ),
    ("gke-l7-global-external-managed", "", false, GKE_GATEWAY),
    ("gke-l7-regional-external-managed", "", false, GKE_GATEWAY),
    ("gke-l7-gxlb", "", false, GKE_GATEWAY),
    ("amazon-vpc-lattice", "", true, LATTICE),
    ("istio-waypoint", "", true, ISTIO),
    ("istio", "", false, ISTIO),
    (
        "istio",
        "networking.istio.io/service-type: ClusterIP",
        true,
        ISTIO,
    ),
    (
        "istio",
        "networking.istio.io/service-type: NodePort",
        false,
        ISTIO,
    ),
    ("eg", "", false, GATEWAY_API),
];

/// Class, annotations that it hands on, whether it is internal, source.
const INFRASTRUCTURES: &[Line] = &[
    (
        "cilium",
        "service.beta.kubernetes.io/azure-load-balancer-internal: true",
        true,
        GATEWAY_API,
    ),
    (
        "istio",
        "networking.istio.io/service-type: ClusterIP",
        true,
        ISTIO,
    ),
    (
        "istio",
        "service.beta.kubernetes.io/aws-load-balancer-type: external",
        true,
        AWS_NLB,
    ),
    (
        "istio",
        "service.beta.kubernetes.io/aws-load-balancer-type: external; service.beta.kubernetes.io/aws-load-balancer-scheme: internet-facing",
        false,
        AWS_NLB,
    ),
    (
        "cilium",
        "service.beta.kubernetes.io/do-loadbalancer-network: EXTERNAL",
        false,
        DIGITALOCEAN,
    ),
];

const KUBERNETES: &str =
    "https://kubernetes.io/docs/concepts/services-networking/service/#internal-load-balancer";
const KUBERNETES_INGRESS: &str = "https://kubernetes.io/docs/concepts/services-networking/ingress/";
const GKE: &str = "https://cloud.google.com/kubernetes-engine/docs/how-to/internal-load-balancing";
const GKE_CLASSES: &str =
    "https://github.com/kubernetes/ingress-gce/blob/master/pkg/l4annotations/service.go";
const GCE: &str =
    "https://github.com/kubernetes/cloud-provider-gcp/blob/master/providers/gce/gce_annotations.go";
const GKE_INGRESS: &str =
    "https://cloud.google.com/kubernetes-engine/docs/how-to/internal-load-balance-ingress";
const GKE_GATEWAY: &str =
    "https://cloud.google.com/kubernetes-engine/docs/concepts/gateway-api#gatewayclass";
const AWS: &str =
    "https://github.com/kubernetes/cloud-provider-aws/blob/master/pkg/providers/v1/aws.go";
const AWS_NLB: &str = "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/service/annotations/";
const EKS_AUTO: &str = "https://docs.aws.amazon.com/eks/latest/userguide/auto-configure-nlb.html";
const ALB: &str = "https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#scheme";
const LATTICE: &str = "https://www.gateway-api-controller.eks.aws.dev/latest/api-types/gateway/";
const AZURE: &str = "https://learn.microsoft.com/azure/aks/internal-lb";
const AGIC: &str =
    "https://azure.github.io/application-gateway-kubernetes-ingress/annotations/#use-private-ip";
const OPENSTACK: &str = "https://github.com/kubernetes/cloud-provider-openstack/blob/master/docs/openstack-cloud-controller-manager/expose-applications-using-loadbalancer-type-service.md";
const OCTAVIA: &str = "https://github.com/kubernetes/cloud-provider-openstack/blob/master/docs/octavia-ingress-controller/using-octavia-ingress-controller.md";
const OVH: &str = "https://support.us.ovhcloud.com/hc/en-us/articles/32583163140755-Expose-your-applications-using-OVHcloud-Public-Cloud-Load-Balancer";
const DIGITALOCEAN: &str =
    "https://docs.digitalocean.com/products/kubernetes/how-to/configure-load-balancers/";
const HETZNER: &str = "https://github.com/hetznercloud/hcloud-cloud-controller-manager/blob/main/docs/reference/load_balancer_annotations.md";
const ORACLE: &str =
    "https://docs.oracle.com/iaas/Content/ContEng/Tasks/contengcreatingloadbalancer.htm";
const IBM: &str = "https://cloud.ibm.com/docs/containers?topic=containers-loadbalancer";
const IBM_INGRESS: &str =
    "https://cloud.ibm.com/docs/containers?topic=containers-managed-ingress-about";
const ALIBABA: &str = "https://github.com/kubernetes/cloud-provider-alibaba-cloud";
const TENCENT: &str = "https://www.tencentcloud.com/document/product/457";
const HUAWEI_ELB: &str =
    "https://support.huaweicloud.com/intl/en-us/usermanual-cce/cce_10_0385.html";
const YANDEX: &str =
    "https://yandex.cloud/en/docs/managed-kubernetes/operations/create-load-balancer";
const YANDEX_INGRESS: &str =
    "https://yandex.cloud/en/docs/application-load-balancer/k8s-ref/ingress";
const SCALEWAY: &str = "https://github.com/scaleway/scaleway-cloud-controller-manager/blob/master/docs/loadbalancer-annotations.md";
const STACKIT: &str =
    "https://github.com/stackitcloud/cloud-provider-stackit/blob/main/docs/load-balancer.md";
const OUTSCALE: &str =
    "https://github.com/outscale/cloud-provider-osc/blob/main/docs/annotations.md";
const VOLCENGINE: &str =
    "https://docs.byteplus.com/en/docs/vke/Configuring-a-LoadBalancer-Service-using-annotations";
const NAVER: &str = "https://guide.ncloud-docs.com/docs/k8s-k8suse-loadbalancer";
const TAILSCALE: &str = "https://tailscale.com/docs/kubernetes-operator/ingress";
const LINODE: &str = "https://github.com/linode/linode-cloud-controller-manager/blob/main/docs/configuration/annotations.md";
const VULTR: &str =
    "https://github.com/vultr/vultr-cloud-controller-manager/blob/master/docs/load-balancers.md";
const METALLB: &str = "https://metallb.io/usage/";
const CILIUM: &str = "https://docs.cilium.io/en/stable/network/l2-announcements/";
const KUBE_VIP: &str = "https://kube-vip.io/docs/usage/kubernetes-services/";
const ISTIO: &str = "https://istio.io/latest/docs/tasks/traffic-management/ingress/gateway-api/#automated-deployment";
const GATEWAY_API: &str = "https://gateway-api.sigs.k8s.io/reference/spec/#gatewayinfrastructure";

fn judged(lines: &[Line], of: impl Fn(&str, &str) -> Option<Internal>) {
    for (class, annotations, expected, source) in lines {
        let found = of(class, annotations);
        assert_eq!(
            found.is_some(),
            *expected,
            "class {class:?}, {annotations:?}: {found:?}; {source}"
        );
    }
}

#[test]
fn services_are_internal_as_their_clouds_document_it() {
    judged(SERVICES, |class, annotations| {
        of_service(&service(class, annotations, &[]))
    });
}

#[test]
fn ingresses_are_internal_as_their_controllers_document_it() {
    judged(INGRESSES, |class, annotations| {
        of_ingress(&ingress(class, annotations))
    });
}

#[test]
fn gateways_are_internal_by_their_class_and_by_what_they_hand_on() {
    judged(GATEWAYS, |class, annotations| {
        of_gateway(&gateway(class, annotations, ""))
    });
    judged(INFRASTRUCTURES, |class, annotations| {
        of_gateway(&gateway(class, "", annotations))
    });
}

/// Whoever reads objects keeps no annotation but these: one that is missing would say nothing.
#[test]
fn every_annotation_that_decides_is_read() {
    for (lines, reads) in [
        (SERVICES, reads_of_service as fn(&str) -> bool),
        (INGRESSES, reads_of_ingress),
        (GATEWAYS, reads_of_gateway),
    ] {
        for (_, given, internal, _) in lines {
            let keys = annotations(given);
            let mut keys = keys.iter().map(|(key, _)| reads(key));
            assert!(
                !internal || given.is_empty() || keys.any(|read| read),
                "{given}"
            );
        }
    }
    assert!(reads_of_service(AWS_TYPE) && reads_of_service(SOURCE_RANGES));
    assert!(reads_of_ingress(ALB_SCHEME) && reads_of_ingress(TAILSCALE_FUNNEL));
    assert!(!reads_of_service("example.com/owner") && !reads_of_ingress(AWS_SCHEME));
}

#[test]
fn a_service_that_takes_private_addresses_alone_is_internal() {
    let ranges = |field: &[&str], annotation: &str| {
        let given = match annotation {
            "" => String::new(),
            ranges => format!("{SOURCE_RANGES}: {ranges}"),
        };
        of_service(&service("", &given, field)) == Some(Internal::SourceRanges)
    };
    for (field, annotation, expected) in [
        (&[][..], "", false),
        (&["10.0.0.0/8"], "", true),
        (&["10.0.0.0/8", "fd00::/8"], "", true),
        (&["10.0.0.0/8", "203.0.113.0/24"], "", false),
        (&["0.0.0.0/0"], "", false),
        (&[], "10.0.0.0/8, 192.168.0.0/16", true),
        (&[], "10.0.0.0/8,203.0.113.0/24", false),
        // The field wins, whatever it says.
        (&["203.0.113.0/24"], "10.0.0.0/8", false),
        (&["10.0.0.0/8"], "203.0.113.0/24", true),
        (&["not a range"], "", false),
    ] {
        assert_eq!(
            ranges(field, annotation),
            expected,
            "{field:?} {annotation}"
        );
    }
}

#[test]
fn the_reason_is_said_in_words() {
    let said = |internal: Option<Internal>| internal.map(|it| it.to_string()).unwrap_or_default();
    assert_eq!(
        said(of_service(&service(
            "",
            "service.beta.kubernetes.io/azure-load-balancer-internal: true",
            &[]
        ))),
        "internal by its annotation service.beta.kubernetes.io/azure-load-balancer-internal: true"
    );
    assert_eq!(
        said(of_gateway(&gateway("gke-l7-rilb", "", ""))),
        "internal by its class gke-l7-rilb"
    );
    assert_eq!(
        said(of_ingress(&ingress("alb", ""))),
        "internal by its class alb as long as the annotation alb.ingress.kubernetes.io/scheme does \
         not say otherwise"
    );
    assert_eq!(
        said(of_service(&service("", "", &["10.0.0.0/8"]))),
        "open to private addresses alone"
    );
}
