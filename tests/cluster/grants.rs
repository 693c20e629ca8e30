//! The rights of a stage's recorder: those of `deploy/rbac.yaml`, for its user and its namespaces.

use serde_json::{Value, json};

use super::stage::Stage;

impl Stage {
    /// Gives the recorder the rights of `deploy/rbac.yaml`, and waits until they count.
    pub(crate) async fn grant(&self) {
        self.grant_cluster().await;
        self.grant_ledger().await;
    }

    /// Those to read the whole cluster, and to read by name the namespaces that are named one by one.
    pub(crate) async fn grant_cluster(&self) {
        let mut role = deployed("ClusterRole");
        role["metadata"]["name"] = json!(self.user);
        role["rules"] = whole_cluster_and(self.named());
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
    pub(crate) async fn grant_in_ledger(&self, role: Value) {
        let name = role["metadata"]["name"].clone();
        self.api.create(&self.placed(role)).await;
        let mut binding = deployed("RoleBinding");
        binding["metadata"]["namespace"] = json!(self.ledger());
        binding["roleRef"]["name"] = name;
        binding["subjects"] = self.subjects();
        self.api.create(&binding).await;
        let asked = json!({"verb": "create", "resource": "configmaps", "namespace": self.ledger()});
        self.api.wait_for_right(&self.user, true, &asked).await;
    }

    /// The rights of `deploy/rbac-namespaced.yaml`, which are none in the whole cluster.
    pub(crate) async fn grant_namespaced(&self) {
        for object in documents("rbac-namespaced.yaml") {
            let object = match object["kind"].as_str().expect("its kind") {
                "Role" => self.placed(object),
                "RoleBinding" => {
                    let mut binding = self.placed(object);
                    binding["subjects"] = self.subjects();
                    binding
                }
                // The stage has its own.
                "Namespace" | "ServiceAccount" => continue,
                kind => panic!("a {kind} is for the whole cluster"),
            };
            self.api.create(&object).await;
        }
        self.wait_for_right(true, "", "pods", &self.ns).await;
        let asked = json!({"verb": "create", "resource": "configmaps", "namespace": self.ledger()});
        self.api.wait_for_right(&self.user, true, &asked).await;
    }

    /// A Role or a binding for this stage's namespaces in place of those in the files.
    pub(crate) fn placed(&self, mut object: Value) -> Value {
        let place = |name: &mut Value| match name.as_str() {
            Some("shop") => *name = json!(self.ns),
            Some("deployment-recorder") => *name = json!(self.ledger()),
            name => panic!("{name:?} is no namespace of the file"),
        };
        place(&mut object["metadata"]["namespace"]);
        for rule in object["rules"].as_array_mut().into_iter().flatten() {
            if rule["resources"] == json!(["namespaces"]) {
                let names = rule["resourceNames"].as_array_mut().expect("names");
                names.iter_mut().for_each(place);
            }
        }
        object
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
    let mut of_kind = documents("rbac.yaml")
        .into_iter()
        .filter(|object| object["kind"] == kind);
    of_kind
        .next()
        .unwrap_or_else(|| panic!("deploy/rbac.yaml has a {kind}"))
}

/// The rules for the whole cluster, where these namespaces too may be read by name.
pub(crate) fn whole_cluster_and<'a>(named: impl Iterator<Item = &'a str>) -> Value {
    let mut rules = deployed("ClusterRole")["rules"].take();
    let all = rules.as_array_mut().expect("rules").iter_mut();
    let mut by_name = all.filter_map(|rule| rule.get_mut("resourceNames")?.as_array_mut());
    let names = by_name.next().expect("kube-system is read by name");
    names.extend(named.map(Value::from));
    drop(by_name);
    rules
}

/// The objects of a file in `deploy`.
pub(crate) fn documents(file: &str) -> Vec<Value> {
    let file = format!("{}/deploy/{file}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(file).expect("a file in deploy");
    serde_saphyr::from_multiple(&text).expect("it is YAML")
}

/// A Role with the rules of all Roles of `deploy/rbac-namespaced.yaml`, and its binding: for one who
/// has workloads and ledger in the namespace `ns`.
pub(crate) fn all_in_one(ns: &str, subjects: &Value) -> [Value; 2] {
    let roles = documents("rbac-namespaced.yaml").into_iter();
    let roles = roles.filter(|object| object["kind"] == "Role");
    let mut rules: Vec<Value> = roles
        .filter_map(|mut role| role["rules"].as_array_mut().map(std::mem::take))
        .flatten()
        .collect();
    for rule in &mut rules {
        if rule["resources"] == json!(["namespaces"]) {
            rule["resourceNames"] = json!([ns]);
        }
    }
    let rbac = "rbac.authorization.k8s.io";
    let metadata = json!({"name": "recorder", "namespace": ns});
    let role = json!({
        "apiVersion": format!("{rbac}/v1"), "kind": "Role", "metadata": metadata, "rules": rules,
    });
    let binding = json!({
        "apiVersion": format!("{rbac}/v1"), "kind": "RoleBinding", "metadata": metadata,
        "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "recorder"},
        "subjects": subjects,
    });
    [role, binding]
}
