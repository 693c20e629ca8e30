//! What happens to workloads and namespaces as a whole: they come, collide, move, leave the scope, go.

use std::collections::BTreeMap;

use crate::land::{Land, NAMES, NAMESPACES};
use crate::operations::Sequels;
use crate::rollouts::with_pods;
use crate::told::{ENVIRONMENT, RECORD};
use crate::workload::{Kind, PREFIX};

pub fn rename(land: &mut Land, _: &mut Sequels) -> Option<String> {
    let index = with_pods(land)?;
    let old = &land.workloads[index];
    let (kind, namespace, title) = (old.kind, old.namespace, old.title());
    let template = old.template.clone();
    let name = format!("{}{}", land.dice.one_of(&NAMES), land.dice.number(2, 9));
    let new = land.arrive(kind, namespace, &name)?;
    land.workloads[new].template = template.clone();
    for pod in &mut land.workloads[new].pods {
        pod.template = template.clone();
    }
    land.workloads.remove(index);
    Some(format!("{title} to {name}"))
}

pub fn change_environment(land: &mut Land, _: &mut Sequels) -> Option<String> {
    let namespace = land.place()?;
    let environment = *land.dice.one_of(&["staging", "test", ""]);
    let labels = &mut land.namespaces.get_mut(namespace)?[0];
    if environment.is_empty() && labels.remove(ENVIRONMENT).is_none() {
        return None;
    } else if !environment.is_empty() {
        labels.insert(ENVIRONMENT.to_owned(), environment.to_owned());
    }
    land.apply_namespace(namespace);
    Some(format!("{namespace}: {environment:?}"))
}

/// Comes to a name that a record of another one has or would have.
pub fn collide(land: &mut Land, _: &mut Sequels) -> Option<String> {
    let index = land.any(|it| it.kind.scales())?;
    let other = &land.workloads[index];
    let (namespace, name) = (other.namespace, other.name.clone());
    let kind = *land.dice.one_of(&Kind::ALL[..7]);
    let (namespace, name) = if namespace == "shop" && name.starts_with("web-") {
        ("shop-web", name["web-".len()..].to_owned())
    } else {
        (namespace, name)
    };
    land.namespaces.get(namespace)?;
    let new = land.arrive(kind, namespace, &name)?;
    Some(land.workloads[new].title())
}

pub fn toggle(map: &mut BTreeMap<String, String>, key: &str, value: &str) -> bool {
    if map.remove(key).is_some() {
        return false;
    }
    map.insert(key.to_owned(), value.to_owned());
    true
}

pub fn label(land: &mut Land, _: &mut Sequels) -> Option<String> {
    let index = land.any(|_| true)?;
    let workload = &mut land.workloads[index];
    let leaves = toggle(&mut workload.labels, RECORD, "no");
    Some(format!("{} leaves: {leaves}", workload.title()))
}

pub fn label_namespace(land: &mut Land, _: &mut Sequels) -> Option<String> {
    let namespace = land.place()?;
    let leaves = toggle(&mut land.namespaces.get_mut(namespace)?[0], RECORD, "no");
    land.apply_namespace(namespace);
    Some(format!("{namespace} leaves: {leaves}"))
}

pub fn opt(land: &mut Land, _: &mut Sequels) -> Option<String> {
    let key = format!("{PREFIX}ignore");
    if land.dice.percent(20) {
        let namespace = land.place()?;
        let out = toggle(&mut land.namespaces.get_mut(namespace)?[1], &key, "true");
        land.apply_namespace(namespace);
        return Some(format!("{namespace} out: {out}"));
    }
    let index = land.any(|_| true)?;
    let workload = &mut land.workloads[index];
    let out = toggle(&mut workload.annotations, &key, "true");
    Some(format!("{} out: {out}", workload.title()))
}

pub fn go(land: &mut Land, _: &mut Sequels) -> Option<String> {
    let index = land.any(|_| true)?;
    (land.workloads.len() > 5).then(|| land.workloads.remove(index).title())
}

pub fn come_back(land: &mut Land, _: &mut Sequels) -> Option<String> {
    let index = with_pods(land)?;
    let old = land.workloads.remove(index);
    land.apply_all();
    let new = land.arrive(old.kind, old.namespace, &old.name)?;
    Some(land.workloads[new].title())
}

pub fn lose_namespace(land: &mut Land, _: &mut Sequels) -> Option<String> {
    let namespace = *land.dice.one_of(&NAMESPACES);
    if land.namespaces.contains_key(namespace) {
        land.delete_namespace(namespace);
        return Some(namespace.to_owned());
    }
    land.namespaces.insert(namespace, Default::default());
    land.apply_namespace(namespace);
    let name = *land.dice.one_of(&NAMES);
    land.arrive(Kind::Deployment, namespace, name);
    Some(format!("{namespace} is back"))
}

/// Most of what there is goes at once, as when a folder of manifests is lost.
pub fn mass(land: &mut Land, _: &mut Sequels) -> Option<String> {
    let stay = land.dice.number(3, 5);
    if land.workloads.len() <= 2 * stay || land.dice.percent(50) {
        return None;
    }
    let gone = land.workloads.len() - stay;
    land.workloads.truncate(stay);
    Some(format!("{gone} of them"))
}
