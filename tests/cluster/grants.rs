//! The rights of a stage's recorder: those of `deploy/rbac.yaml`, for its user and its namespaces.

use serde_json::{Value, json};

use super::stage::Stage;

impl Stage {
    /// Gives the recorder the rights of `deploy/rbac.yaml`, and waits until they count.
    pub(crate) async fn grant(&self) {
        self.grant_cluster().await;
        self.grant_ledger().await;
    }

    /// Those to read the whole cluster.
    pub(crate) async fn grant_cluster(&self) {
        let mut role = deployed("ClusterRole");
        role["metadata"]["name"] = json!(self.user);
        self.api.create(&role).await;
        let mut binding = deployed("ClusterRoleBinding");
        binding["metadata"]["name"] = json!(self.user);
        binding["roleRef"]["name"] = json!(self.user);
        binding["subjects"] = self.subjects();
        self.api.create(&binding).await;
        self.wait_for_right(true, "", "pods", &self.ns).await;
    }

    /// Those to keep the ledger.
    pub(crate) async fn grant_ledger(&self) {
        self.grant_in_ledger(deployed("Role")).await;
    }

    /// Those of this Role.
    pub(crate) async fn grant_in_ledger(&self, mut role: Value) {
        role["metadata"]["namespace"] = json!(self.ledger());
        self.api.create(&role).await;
        let mut binding = deployed("RoleBinding");
        binding["metadata"]["namespace"] = json!(self.ledger());
        binding["subjects"] = self.subjects();
        self.api.create(&binding).await;
        let asked = json!({"verb": "create", "resource": "configmaps", "namespace": self.ledger()});
        self.api.wait_for_right(&self.user, true, &asked).await;
    }

    /// The user as the subject of a binding.
    pub(crate) fn subjects(&self) -> Value {
        json!([{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": self.user}])
    }

    /// Waits until the recorder may (or may not) list this.
    pub(crate) async fn wait_for_right(&self, may: bool, group: &str, resource: &str, ns: &str) {
        let asked = json!({"verb": "list", "group": group, "resource": resource, "namespace": ns});
        self.api.wait_for_right(&self.user, may, &asked).await;
    }
}

/// The object of this kind in `deploy/rbac.yaml`.
pub(crate) fn deployed(kind: &str) -> Value {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/deploy/rbac.yaml");
    let text = std::fs::read_to_string(file).expect("deploy/rbac.yaml");
    let documents: Vec<Value> = serde_saphyr::from_multiple(&text).expect("it is YAML");
    let mut of_kind = documents
        .into_iter()
        .filter(|object| object["kind"] == kind);
    of_kind
        .next()
        .unwrap_or_else(|| panic!("deploy/rbac.yaml has a {kind}"))
}
