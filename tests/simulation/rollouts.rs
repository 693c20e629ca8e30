//! What happens to the pods of a workload: roll-outs, good and bad, scales, crashes, runs.

use std::rc::Rc;

use crate::land::Land;
use crate::operations::{Sequel, Sequels, annotation};
use crate::workload::{Condition, Kind, Template};

/// A template like that of a workload, with another mark.
pub fn next_template(land: &mut Land, index: usize) -> Template {
    let mark = format!("r{}", land.number());
    let mut template = (*land.workloads[index].template).clone();
    template.mark = mark;
    template
}

/// New pods beside those of before, as soon as they are made.
pub fn begin_rollout(land: &mut Land, index: usize, template: Template, condition: Condition) {
    let workload = &mut land.workloads[index];
    workload.former = Some(std::mem::replace(&mut workload.template, Rc::new(template)));
    let count = land.dice.number(1, 3);
    land.add_pods(index, count, condition);
}

pub fn with_pods(land: &mut Land) -> Option<usize> {
    land.any(|it| it.kind.scales() && !it.pods.is_empty())
}

pub fn roll_out(land: &mut Land, sequels: &mut Sequels) -> Option<String> {
    let index = with_pods(land)?;
    let mut template = next_template(land, index);
    let mark = template.mark.clone();
    for container in &mut template.containers {
        let (repository, version) = container.image.rsplit_once(':').unwrap();
        let version = if container.name == "proxy" {
            if version == "1" { "2" } else { "1" }
        } else {
            &mark
        };
        container.image = format!("{repository}:{version}");
    }
    begin_rollout(land, index, template, Condition::Unready);
    let after = land.dice.seconds(1, 120);
    sequels.after(after, &land.workloads[index], Sequel::RolledOut);
    Some(format!("{} to {mark}", land.workloads[index].title()))
}

pub fn fail(land: &mut Land, _: &mut Sequels) -> Option<String> {
    let index = with_pods(land)?;
    let mut template = next_template(land, index);
    for container in &mut template.containers {
        if container.name == "main" {
            container.image = format!(
                "{}-bad:{}",
                container.image.rsplit_once(':')?.0,
                template.mark
            );
        }
    }
    let condition =
        *land
            .dice
            .one_of(&[Condition::Pending, Condition::Unready, Condition::CrashLoop]);
    begin_rollout(land, index, template, condition);
    Some(format!(
        "{}, its new pods are {condition:?}",
        land.workloads[index].title()
    ))
}

pub fn roll_back(land: &mut Land, sequels: &mut Sequels) -> Option<String> {
    let index = land.any(|it| it.former.is_some() && it.kind.scales())?;
    let workload = &mut land.workloads[index];
    let former = workload.former.take()?;
    workload.template = former;
    let template = workload.template.clone();
    for pod in &mut workload.pods {
        if pod.template != template {
            pod.condition = Condition::Leaving;
        }
    }
    if !workload.pods.iter().any(|it| it.template == template) {
        land.add_pods(index, 1, Condition::Ready);
    }
    let after = land.dice.seconds(1, 40);
    sequels.after(after, &land.workloads[index], Sequel::RolledOut);
    Some(land.workloads[index].title())
}

pub fn scale_to_zero(land: &mut Land, sequels: &mut Sequels) -> Option<String> {
    let index = with_pods(land)?;
    let workload = &mut land.workloads[index];
    for pod in &mut workload.pods {
        pod.condition = Condition::Leaving;
    }
    let after = land.dice.seconds(1, 40);
    sequels.after(after, &land.workloads[index], Sequel::Left);
    Some(land.workloads[index].title())
}

pub fn scale(land: &mut Land, _: &mut Sequels) -> Option<String> {
    let index = land.any(|it| it.kind.scales())?;
    let count = land.dice.number(1, 3);
    // Down to one, then up.
    let pods = &mut land.workloads[index].pods;
    pods.truncate(if pods.len() > 3 { 1 } else { pods.len() });
    land.add_pods(index, count, Condition::Ready);
    Some(format!("{} by {count}", land.workloads[index].title()))
}

pub fn annotate_pods(land: &mut Land, sequels: &mut Sequels) -> Option<String> {
    let index = with_pods(land)?;
    let mut template = next_template(land, index);
    let (key, value) = annotation(land);
    template.annotations.insert(key, value);
    begin_rollout(land, index, template, Condition::Unready);
    let after = land.dice.seconds(1, 60);
    sequels.after(after, &land.workloads[index], Sequel::RolledOut);
    Some(land.workloads[index].title())
}

pub fn lose_container(land: &mut Land, sequels: &mut Sequels) -> Option<String> {
    let index =
        land.any(|it| it.kind.scales() && it.template.containers.len() > 1 && !it.pods.is_empty())?;
    let mut template = next_template(land, index);
    let lost = template.containers.pop()?;
    begin_rollout(land, index, template, Condition::Unready);
    let after = land.dice.seconds(1, 60);
    sequels.after(after, &land.workloads[index], Sequel::RolledOut);
    Some(format!("{}: {}", land.workloads[index].title(), lost.name))
}

pub fn crash(land: &mut Land, sequels: &mut Sequels) -> Option<String> {
    let index = land.any(|it| {
        it.kind.scales() && it.pods.iter().any(|pod| pod.condition == Condition::Ready)
    })?;
    for pod in &mut land.workloads[index].pods {
        if pod.condition == Condition::Ready {
            pod.condition = Condition::CrashLoop;
        }
    }
    let after = land.dice.seconds(30, 1800);
    sequels.after(after, &land.workloads[index], Sequel::Recovers);
    Some(land.workloads[index].title())
}

pub fn evict(land: &mut Land, _: &mut Sequels) -> Option<String> {
    let index = with_pods(land)?;
    if land.workloads[index].kind == Kind::Pod {
        return None;
    }
    let pods = &mut land.workloads[index].pods;
    pods.retain(|it| it.condition != Condition::Failed);
    let last = pods.len().checked_sub(1)?;
    let pod = land.dice.number(0, last);
    land.workloads[index].pods[pod].condition = Condition::Failed;
    land.add_pods(index, 1, Condition::Ready);
    Some(land.workloads[index].title())
}

/// A CronJob's time has come.
pub fn run(land: &mut Land, sequels: &mut Sequels) -> Option<String> {
    let index = land.any(|it| it.kind == Kind::CronJob)?;
    let mark = format!("r{}", land.number());
    let changes = land.dice.percent(30);
    let workload = &mut land.workloads[index];
    // Each run has a Job of its own.
    let mut template = (*workload.template).clone();
    template.mark.clone_from(&mark);
    if changes {
        let image = &mut template.containers[0].image;
        *image = format!("{}:{mark}", image.rsplit_once(':')?.0);
    }
    workload.template = Rc::new(template);
    land.add_pods(index, 1, Condition::Unready);
    let workload = &land.workloads[index];
    let (ends, cleaned) = (land.dice.seconds(2, 300), land.dice.seconds(301, 3000));
    sequels.after(ends, workload, Sequel::Ends);
    sequels.after(cleaned, workload, Sequel::CleanedUp);
    Some(workload.title())
}

pub fn bare_ids(land: &mut Land, sequels: &mut Sequels) -> Option<String> {
    let index = with_pods(land)?;
    for pod in &mut land.workloads[index].pods {
        pod.bare_ids = true;
    }
    let after = land.dice.seconds(60, 3600);
    sequels.after(after, &land.workloads[index], Sequel::Recovers);
    Some(land.workloads[index].title())
}
