//! What must hold of any value that a person types: plain functions over bytes (`crate::fuzz`).

use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use super::{SettingError, value};
use crate::github::api::{ApiUrl, ApiVersion, DEFAULT, DEFAULT_VERSION};
use crate::github::fuzz::line;
use crate::github::job::JobId;
use crate::github::request;
use crate::model::record::Destination;

/// The values of some settings, one a line: organization, cluster, logical and physical environment,
/// a duration, an address to listen at, the key of a label, the name of a ledger.
pub(crate) fn values(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let mut lines = text.split('\n');
    let mut next = || lines.next().unwrap_or_default();
    let [organization, cluster, logical, physical] = [(); 4].map(|()| next());
    destination(organization, cluster, [logical, physical]);
    let (least, most) = (Duration::from_secs(5), Duration::from_hours(24));
    if let Ok(read) = value::duration("interval", next(), least..=most) {
        assert!((least..=most).contains(&read));
        let printed = SignedDuration::try_from(read)
            .unwrap_or_default()
            .to_string();
        assert_eq!(
            value::duration("interval", &printed, least..=most),
            Ok(read)
        );
    }
    for address in value::listen("listen", next()).unwrap_or_default() {
        let printed = address.to_string();
        assert_eq!(value::listen("listen", &printed), Ok(vec![address]));
    }
    let key = next();
    if let Ok(read) = value::label_key("label", key) {
        assert_eq!(read, key);
        let selector = crate::cluster::LabelSelector::parse(key);
        assert!(
            selector.is_ok(),
            "{key} is the key of a label to one and not to the other"
        );
    }
    let name = next();
    if let Ok(read) = value::label("ledger-name", name) {
        assert!(*read == *name && (1..=63).contains(&read.len()));
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        assert!(read.bytes().all(allowed));
    }
}

/// Where settings let records go, requests can be made to.
fn destination(organization: &str, cluster: &str, environments: [&str; 2]) {
    let checked = || -> Result<Destination, SettingError> {
        let [logical, physical] = environments;
        let physical = Some(physical).filter(|text| !text.is_empty());
        Ok(Destination {
            host: "api.github.com".into(),
            organization: value::organization("org", organization)?,
            cluster: value::cluster("cluster", cluster)?,
            logical_environment: value::environment("logical-environment", logical)?,
            physical_environment: physical
                .map(|text| value::environment("physical-environment", text))
                .transpose()?,
        })
    };
    let Ok(destination) = checked() else { return };
    let (Ok(api), Ok(version)) = (
        ApiUrl::parse(DEFAULT, false),
        ApiVersion::parse(DEFAULT_VERSION),
    ) else {
        return;
    };
    let job = request::get_job(&api, &version, &destination, JobId(1));
    assert!(job.is_ok(), "{job:?}");
    let lines = [line(&Arc::new(destination.clone()), "web", "0")];
    let set = request::set_cluster_deployment_records(&api, &version, &destination, &lines);
    assert!(set.is_ok(), "{set:?}");
}
