//! Rights in words: several of them as one rule of RBAC, and where it belongs.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::cluster::Right;

/// Rights that one rule can give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Rule {
    group: String,
    resource: String,
    verbs: Vec<&'static str>,
    /// Only these objects; all if empty.
    names: Vec<Arc<str>>,
    /// In each of these namespaces; in the whole cluster if empty.
    namespaces: Vec<Arc<str>>,
}

impl Rule {
    /// As few rules as give all of `rights` and nothing else.
    pub(super) fn all(rights: &[Right]) -> Vec<Self> {
        type Object<'a> = (&'a str, &'a str, Option<&'a Arc<str>>, Option<&'a Arc<str>>);
        let mut verbs: BTreeMap<Object<'_>, Vec<&'static str>> = BTreeMap::new();
        for right in rights {
            // A Role in a namespace reaches no other one, so it need not be named.
            let of_namespaces = is_of_namespaces(&right.group, &right.resource);
            let named =
                |name: &&Arc<str>| !(of_namespaces && right.namespace.as_ref() == Some(*name));
            let name = right.name.as_ref().filter(named);
            let object = (
                &*right.group,
                &*right.resource,
                right.namespace.as_ref(),
                name,
            );
            verbs.entry(object).or_default().push(right.verb);
        }
        let mut rules: Vec<Self> = Vec::new();
        for ((group, resource, namespace, name), verbs) in verbs {
            let rule = Self {
                group: group.to_owned(),
                resource: resource.to_owned(),
                verbs,
                names: name.into_iter().cloned().collect(),
                namespaces: namespace.into_iter().cloned().collect(),
            };
            if !rules.iter_mut().any(|known| known.takes_name_of(&rule)) {
                rules.push(rule);
            }
        }
        let mut merged: Vec<Self> = Vec::new();
        for rule in rules {
            if !merged.iter_mut().any(|known| known.takes_place_of(&rule)) {
                merged.push(rule);
            }
        }
        merged
    }

    /// Where nothing but the names differs, those of `other` are taken along.
    fn takes_name_of(&mut self, other: &Self) -> bool {
        let same = self.is_about(other) && self.namespaces == other.namespaces;
        let takes = same && !self.names.is_empty() && !other.names.is_empty();
        if takes {
            self.names.extend(other.names.iter().cloned());
        }
        takes
    }

    /// Where nothing but the namespaces differs, those of `other` are taken along.
    fn takes_place_of(&mut self, other: &Self) -> bool {
        let same = self.is_about(other) && self.names == other.names;
        let takes = same && !self.namespaces.is_empty() && !other.namespaces.is_empty();
        if takes {
            self.namespaces.extend(other.namespaces.iter().cloned());
        }
        takes
    }

    fn is_about(&self, other: &Self) -> bool {
        (&self.group, &self.resource, &self.verbs) == (&other.group, &other.resource, &other.verbs)
    }

    /// What it allows, for a person: `list, watch pods in the whole cluster`.
    pub(super) fn what(&self) -> String {
        let mut what = format!("{} {}", self.verbs.join(", "), self.resource);
        if !self.group.is_empty() {
            what.push('.');
            what.push_str(&self.group);
        }
        let place = if self.namespaces.is_empty() {
            " in the whole cluster".to_owned()
        } else if is_of_namespaces(&self.group, &self.resource) {
            format!(" {}", self.namespaces.join(", "))
        } else {
            format!(" in {}", self.namespaces.join(", "))
        };
        if !self.names.is_empty() {
            what.push(' ');
            what.push_str(&self.names.join(", "));
        }
        what + &place
    }

    /// How to get it: the rule, and where it belongs.
    pub(super) fn todo(&self) -> String {
        if self.namespaces.is_empty() {
            format!("add to the ClusterRole: {self}")
        } else {
            format!("add to a Role in {}: {self}", self.namespaces.join(", "))
        }
    }
}

/// Whether this is the kind Namespace, whose objects the API server takes for being in themselves.
fn is_of_namespaces(group: &str, resource: &str) -> bool {
    group.is_empty() && resource == "namespaces"
}

/// The rule as it stands in a Role.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let group = if self.group.is_empty() {
            "\"\""
        } else {
            &self.group
        };
        let (resource, verbs) = (&self.resource, self.verbs.join(", "));
        write!(
            f,
            "{{apiGroups: [{group}], resources: [{resource}], verbs: [{verbs}]"
        )?;
        if !self.names.is_empty() {
            write!(f, ", resourceNames: [{}]", self.names.join(", "))?;
        }
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn right(verb: &'static str, resource: &str, place: &str, name: &str) -> Right {
        let (group, resource) = resource.split_once('/').unwrap_or(("", resource));
        let some = |text: &str| (!text.is_empty()).then(|| text.into());
        Right {
            group: group.to_owned(),
            resource: resource.to_owned(),
            namespace: some(place),
            name: some(name),
            verb,
        }
    }

    fn said(rights: &[Right]) -> Vec<String> {
        let rules = Rule::all(rights).into_iter();
        rules
            .map(|rule| format!("{}: {}", rule.what(), rule.todo()))
            .collect()
    }

    #[test]
    fn rights_to_the_same_things_are_one_rule() {
        let rights = [
            right("list", "apps/deployments", "", ""),
            right("watch", "apps/deployments", "", ""),
            right("watch", "pods", "", ""),
        ];
        assert_eq!(
            said(&rights),
            [
                "watch pods in the whole cluster: add to the ClusterRole: {apiGroups: [\"\"], \
                 resources: [pods], verbs: [watch]}",
                "list, watch deployments.apps in the whole cluster: add to the ClusterRole: \
                 {apiGroups: [apps], resources: [deployments], verbs: [list, watch]}",
            ]
        );
    }

    #[test]
    fn namespaces_are_named_and_those_that_lack_other_rights_are_kept_apart() {
        let rights = [
            right("list", "pods", "shop", ""),
            right("watch", "pods", "shop", ""),
            right("list", "pods", "web", ""),
            right("watch", "pods", "web", ""),
            right("watch", "pods", "other", ""),
        ];
        assert_eq!(
            said(&rights),
            [
                "watch pods in other: add to a Role in other: {apiGroups: [\"\"], resources: \
                 [pods], verbs: [watch]}",
                "list, watch pods in shop, web: add to a Role in shop, web: {apiGroups: [\"\"], \
                 resources: [pods], verbs: [list, watch]}",
            ]
        );
    }

    #[test]
    fn objects_are_named_and_what_is_to_be_created_has_no_name() {
        let rights = [
            right("get", "configmaps", "ns", "it"),
            right("update", "configmaps", "ns", "it"),
            right("get", "configmaps", "ns", "it-0"),
            right("update", "configmaps", "ns", "it-0"),
            right("create", "configmaps", "ns", ""),
        ];
        assert_eq!(
            said(&rights),
            [
                "create configmaps in ns: add to a Role in ns: {apiGroups: [\"\"], resources: \
                 [configmaps], verbs: [create]}",
                "get, update configmaps it, it-0 in ns: add to a Role in ns: {apiGroups: [\"\"], \
                 resources: [configmaps], verbs: [get, update], resourceNames: [it, it-0]}",
            ]
        );
    }

    #[test]
    fn an_object_that_has_the_name_of_its_namespace_is_named_all_the_same() {
        let rights = ["it", "it-0"].map(|name| right("get", "configmaps", "it", name));
        let expected = "get configmaps it, it-0 in it: add to a Role in it: {apiGroups: [\"\"], \
                        resources: [configmaps], verbs: [get], resourceNames: [it, it-0]}";
        assert_eq!(said(&rights), [expected]);
    }

    #[test]
    fn a_namespace_is_read_by_a_role_in_itself() {
        let rights = ["a", "b"].map(|name| right("get", "namespaces", name, name));
        let expected = "get namespaces a, b: add to a Role in a, b: {apiGroups: [\"\"], resources: \
                        [namespaces], verbs: [get]}";
        assert_eq!(said(&rights), [expected]);
    }
}
