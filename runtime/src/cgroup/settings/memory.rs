//! `linux.resources.memory`.

use super::convert::or_max;
use super::{Read, Setting, no_counterpart};
use crate::config::{Memory, Resources};
use crate::error::{Error, Result};

const LIMIT_V1: &str = "memory.limit_in_bytes";
const SWAP_V1: &str = "memory.memsw.limit_in_bytes";

pub(super) fn v1(resources: &Resources, read: Read<'_>) -> Result<Vec<Setting>> {
    let Some(memory) = &resources.memory else { return Ok(Vec::new()) };
    check_usage(memory, read("memory.usage_in_bytes"))?;
    let mut wanted = limits_v1(memory, read);
    let others = [
        ("memory.soft_limit_in_bytes", memory.reservation),
        ("memory.kmem.limit_in_bytes", memory.kernel),
        ("memory.kmem.tcp.limit_in_bytes", memory.kernel_tcp),
        ("memory.swappiness", memory.swappiness.and_then(|value| i64::try_from(value).ok())),
        ("memory.oom_control", memory.disable_oom_killer.map(i64::from)),
        // Newer kernels always count children and take no 0: false is what they cannot do, and what nobody asks for.
        ("memory.use_hierarchy", memory.use_hierarchy.filter(|all| *all).map(i64::from)),
    ];
    wanted.extend(others.into_iter().filter_map(|(file, value)| Some((file.to_owned(), value?.to_string()))));
    Ok(wanted)
}

/// The limit must at no time be above that of memory and swap, so what grows is written from the outside in. Without a
/// limit there can be none of both together either.
fn limits_v1(memory: &Memory, read: Read<'_>) -> Vec<Setting> {
    let accounted = read(SWAP_V1);
    let follows = memory.limit == Some(-1) && accounted.is_some();
    let swap = memory.swap.or(follows.then_some(-1));
    // Where swap is not accounted there is no file, and no limit is what it has already.
    let swap = swap.filter(|swap| *swap >= 0 || accounted.is_some());
    let old = accounted.and_then(|text| text.parse::<i64>().ok());
    let grows = swap.is_some_and(|new| new < 0 || old.is_some_and(|old| new > old));
    let mut wanted = Vec::new();
    wanted.extend(memory.limit.map(|bytes| (LIMIT_V1.to_owned(), bytes.to_string())));
    wanted.extend(swap.map(|bytes| (SWAP_V1.to_owned(), bytes.to_string())));
    if grows {
        wanted.reverse();
    }
    wanted
}

pub(super) fn v2(resources: &Resources, read: Read<'_>) -> Result<Vec<Setting>> {
    let Some(memory) = &resources.memory else { return Ok(Vec::new()) };
    for (given, member) in [
        (memory.kernel.is_some(), "memory.kernel"),
        (memory.kernel_tcp.is_some(), "memory.kernelTCP"),
        (memory.swappiness.is_some(), "memory.swappiness"),
        (memory.disable_oom_killer == Some(true), "memory.disableOOMKiller"),
        (memory.use_hierarchy == Some(false), "memory.useHierarchy"),
    ] {
        if given {
            return Err(no_counterpart(member));
        }
    }
    check_usage(memory, read("memory.current"))?;
    let mut wanted = Vec::new();
    let limit = memory.limit.or_else(|| read("memory.max")?.parse().ok());
    let swap = swap_v2(memory.swap, limit)?;
    // Where swap is not accounted there is no file, and no limit is what it has already.
    let swap = swap.filter(|swap| *swap >= 0 || read("memory.swap.max").is_some());
    wanted.extend(swap.map(|bytes| ("memory.swap.max".to_owned(), or_max(bytes))));
    wanted.extend(memory.limit.map(|bytes| ("memory.max".to_owned(), or_max(bytes))));
    wanted.extend(memory.reservation.map(|bytes| ("memory.low".to_owned(), or_max(bytes))));
    Ok(wanted)
}

/// Version 2 limits swap alone, the specification memory and swap together: so the limit of memory that is given, or
/// that there is already, is taken away.
fn swap_v2(both: Option<i64>, limit: Option<i64>) -> Result<Option<i64>> {
    let refusal = |reason| Err(Error::new(format!("linux.resources.memory.swap: {reason}")));
    match (both, limit) {
        (None, _) => Ok(None),
        (Some(..0), _) => Ok(Some(-1)),
        (Some(both), Some(limit @ 0..)) if both >= limit => Ok(Some(both - limit)),
        (Some(_), Some(0..)) => refusal("is below the limit of memory, which it includes"),
        (Some(_), _) => refusal("needs a limit of memory, which it includes"),
    }
}

/// `checkBeforeUpdate`: version 2 would kill processes until the limit fits, instead of refusing it.
fn check_usage(memory: &Memory, usage: Option<String>) -> Result<()> {
    let asked = memory.limit.filter(|limit| *limit >= 0 && memory.check_before_update == Some(true));
    let usage = usage.and_then(|text| text.parse::<i64>().ok()).unwrap_or(0);
    match asked {
        Some(limit) if limit < usage => Err(Error::new(format!(
            "linux.resources.memory.limit: {limit} is below the {usage} bytes in use, which checkBeforeUpdate forbids"
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(section: super::super::Section, json: &str, current: &str) -> Result<Vec<String>> {
        let resources: Resources = serde_json::from_str(&format!(r#"{{"memory":{json}}}"#)).unwrap();
        let read = |_: &str| Some(current.to_owned()).filter(|text| !text.is_empty());
        Ok(section(&resources, &read)?.into_iter().map(|(file, value)| format!("{file}={value}")).collect())
    }

    #[test]
    fn version_1_orders_the_two_limits_by_what_grows() {
        let limit = |bytes: i64| format!("{LIMIT_V1}={bytes}");
        let swap = |bytes: i64| format!("{SWAP_V1}={bytes}");
        let both = r#"{"limit":100,"swap":200}"#;
        assert_eq!(told(v1, both, "1000").unwrap(), [limit(100), swap(200)]);
        assert_eq!(told(v1, both, "150").unwrap(), [swap(200), limit(100)]);
        assert_eq!(told(v1, r#"{"limit":-1}"#, "150").unwrap(), [swap(-1), limit(-1)]);
        assert_eq!(told(v1, r#"{"limit":-1}"#, "").unwrap(), [limit(-1)]);
        assert_eq!(told(v1, r#"{"limit":0}"#, "5").unwrap(), [limit(0)]);
    }

    #[test]
    fn version_2_takes_the_limit_from_swap() {
        assert_eq!(told(v2, r#"{"limit":100,"swap":300}"#, "0").unwrap(), ["memory.swap.max=200", "memory.max=100"]);
        assert_eq!(told(v2, r#"{"limit":100,"swap":100}"#, "0").unwrap(), ["memory.swap.max=0", "memory.max=100"]);
        assert_eq!(told(v2, r#"{"swap":-1,"reservation":7}"#, "0").unwrap(), ["memory.swap.max=max", "memory.low=7"]);
        assert_eq!(told(v2, r#"{"swap":100}"#, "60").unwrap(), ["memory.swap.max=40"]);
        assert!(told(v2, r#"{"swap":100}"#, "max").is_err());
    }

    #[test]
    fn version_2_refuses_what_it_does_not_have() {
        for member in [r#""kernel":1"#, r#""kernelTCP":1"#, r#""swappiness":60"#, r#""disableOOMKiller":true"#] {
            assert!(told(v2, &format!("{{{member}}}"), "0").is_err(), "{member}");
        }
        assert_eq!(told(v2, r#"{"disableOOMKiller":false,"useHierarchy":true}"#, "0").unwrap(), Vec::<String>::new());
    }

    #[test]
    fn usage_is_checked_when_asked() {
        for section in [v1, v2] {
            assert!(told(section, r#"{"limit":10,"checkBeforeUpdate":true}"#, "11").is_err());
            assert!(told(section, r#"{"limit":10}"#, "11").is_ok());
            assert!(told(section, r#"{"limit":-1,"checkBeforeUpdate":true}"#, "11").is_ok());
        }
    }
}
