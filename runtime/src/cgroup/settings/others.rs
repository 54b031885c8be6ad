//! The controllers with few values: hugetlb, pids, rdma, net_cls, net_prio.

use super::convert::or_max;
use super::{Read, Setting, no_counterpart};
use crate::config::{HugepageLimit, Resources};
use crate::error::{Error, Result};

/// -1 is no limit; every other number, 0 included, is one.
pub(super) fn pids(resources: &Resources, _: Read<'_>) -> Result<Vec<Setting>> {
    let limit = resources.pids.as_ref().and_then(|pids| pids.limit);
    Ok(limit.map(|limit| ("pids.max".to_owned(), or_max(limit))).into_iter().collect())
}

pub(super) fn hugetlb_v1(resources: &Resources, read: Read<'_>) -> Result<Vec<Setting>> {
    hugetlb(&resources.hugepage_limits, "limit_in_bytes", read)
}

pub(super) fn hugetlb_v2(resources: &Resources, read: Read<'_>) -> Result<Vec<Setting>> {
    hugetlb(&resources.hugepage_limits, "max", read)
}

/// The limit goes to the reservations where the kernel counts them, and to the use as well: a mapping without
/// reservation (MAP_NORESERVE) would escape the former.
fn hugetlb(limits: &[HugepageLimit], suffix: &str, read: Read<'_>) -> Result<Vec<Setting>> {
    let mut wanted = Vec::new();
    for (index, entry) in limits.iter().enumerate() {
        let (size, limit) = (&entry.page_size, entry.limit.to_string());
        let usage = format!("hugetlb.{size}.{suffix}");
        if read(&usage).is_none() {
            let at = format!("linux.resources.hugepageLimits[{index}].pageSize");
            return Err(Error::new(format!(
                "{at}: `{size}` is no huge page size of this host, or hugetlb is not enabled"
            )));
        }
        let reserved = format!("hugetlb.{size}.rsvd.{suffix}");
        wanted.extend(read(&reserved).map(|_| (reserved, limit.clone())));
        wanted.push((usage, limit));
    }
    Ok(wanted)
}

pub(super) fn rdma(resources: &Resources, _: Read<'_>) -> Result<Vec<Setting>> {
    let line = |(device, limits): (&String, &crate::config::Rdma)| {
        let handles = limits.hca_handles.map(|count| format!(" hca_handle={count}")).unwrap_or_default();
        let objects = limits.hca_objects.map(|count| format!(" hca_object={count}")).unwrap_or_default();
        ("rdma.max".to_owned(), format!("{device}{handles}{objects}"))
    };
    Ok(resources.rdma.iter().map(line).collect())
}

pub(super) fn net_cls(resources: &Resources, _: Read<'_>) -> Result<Vec<Setting>> {
    let class = resources.network.as_ref().and_then(|network| network.class_id);
    Ok(class.map(|class| ("net_cls.classid".to_owned(), class.to_string())).into_iter().collect())
}

pub(super) fn net_prio(resources: &Resources, _: Read<'_>) -> Result<Vec<Setting>> {
    let priorities = resources.network.iter().flat_map(|network| &network.priorities);
    let line = |entry: &crate::config::InterfacePriority| format!("{} {}", entry.name, entry.priority);
    Ok(priorities.map(|entry| ("net_prio.ifpriomap".to_owned(), line(entry))).collect())
}

pub(super) fn no_net_cls(resources: &Resources, read: Read<'_>) -> Result<Vec<Setting>> {
    if net_cls(resources, read)?.is_empty() { Ok(Vec::new()) } else { Err(no_counterpart("network.classID")) }
}

pub(super) fn no_net_prio(resources: &Resources, read: Read<'_>) -> Result<Vec<Setting>> {
    if net_prio(resources, read)?.is_empty() { Ok(Vec::new()) } else { Err(no_counterpart("network.priorities")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(section: super::super::Section, json: &str, there: &[&str]) -> Result<Vec<String>> {
        let resources: Resources = serde_json::from_str(json).unwrap();
        let read = |file: &str| there.contains(&file).then(String::new);
        Ok(section(&resources, &read)?.into_iter().map(|(file, value)| format!("{file}={value}")).collect())
    }

    #[test]
    fn zero_tasks_are_a_limit() {
        for (limit, value) in [(0, "0"), (-1, "max"), (7, "7")] {
            let json = format!(r#"{{"pids":{{"limit":{limit}}}}}"#);
            assert_eq!(told(pids, &json, &[]).unwrap(), [format!("pids.max={value}")]);
        }
        assert_eq!(told(pids, r#"{"pids":{}}"#, &[]).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn huge_pages_are_limited_where_the_kernel_counts_them() {
        let json = r#"{"hugepageLimits":[{"pageSize":"2MB","limit":4}]}"#;
        assert_eq!(told(hugetlb_v2, json, &["hugetlb.2MB.max"]).unwrap(), ["hugetlb.2MB.max=4"]);
        let both = ["hugetlb.2MB.limit_in_bytes", "hugetlb.2MB.rsvd.limit_in_bytes"];
        assert_eq!(told(hugetlb_v1, json, &both).unwrap().len(), 2);
        assert!(told(hugetlb_v2, json, &[]).is_err());
    }

    #[test]
    fn lines_name_their_device() {
        let rdma_json = r#"{"rdma":{"mlx5_1":{"hcaHandles":3,"hcaObjects":10}}}"#;
        assert_eq!(told(rdma, rdma_json, &[]).unwrap(), ["rdma.max=mlx5_1 hca_handle=3 hca_object=10"]);
        let network = r#"{"network":{"classID":1048577,"priorities":[{"name":"lo","priority":5}]}}"#;
        assert_eq!(told(net_cls, network, &[]).unwrap(), ["net_cls.classid=1048577"]);
        assert_eq!(told(net_prio, network, &[]).unwrap(), ["net_prio.ifpriomap=lo 5"]);
        assert!(told(no_net_cls, network, &[]).is_err() && told(no_net_prio, network, &[]).is_err());
    }
}
