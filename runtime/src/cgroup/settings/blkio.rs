//! `linux.resources.blockIO`: controller `blkio` in version 1, `io` in version 2.

use super::convert::io_weight;
use super::{Read, Setting, no_counterpart};
use crate::config::{BlockIo, Resources, Throttle};
use crate::error::Result;

/// Version 1 has the weights of the BFQ scheduler or, in old kernels, those of CFQ.
pub(super) fn v1(resources: &Resources, read: Read<'_>) -> Result<Vec<Setting>> {
    let Some(io) = &resources.block_io else { return Ok(Vec::new()) };
    let bfq = if read("blkio.bfq.weight").is_some() { "blkio.bfq" } else { "blkio" };
    let mut wanted = Vec::new();
    let mut add = |file: String, value: String| wanted.push((file, value));
    if let Some(weight) = set(io.weight) {
        add(format!("{bfq}.weight"), weight.to_string());
    }
    if let Some(weight) = set(io.leaf_weight) {
        add("blkio.leaf_weight".into(), weight.to_string());
    }
    for device in &io.weight_device {
        let numbers = format!("{}:{}", device.major, device.minor);
        if let Some(weight) = set(device.weight) {
            add(format!("{bfq}.weight_device"), format!("{numbers} {weight}"));
        }
        if let Some(weight) = set(device.leaf_weight) {
            add("blkio.leaf_weight_device".into(), format!("{numbers} {weight}"));
        }
    }
    for (list, name, _) in throttles(io) {
        for limit in list {
            add(format!("blkio.throttle.{name}_device"), format!("{}:{} {}", limit.major, limit.minor, limit.rate));
        }
    }
    Ok(wanted)
}

/// Version 2 has `io.bfq.weight` in the range of the specification, or `io.weight` in one of its own.
pub(super) fn v2(resources: &Resources, read: Read<'_>) -> Result<Vec<Setting>> {
    let Some(io) = &resources.block_io else { return Ok(Vec::new()) };
    if set(io.leaf_weight).is_some() {
        return Err(no_counterpart("blockIO.leafWeight"));
    }
    let bfq = read("io.bfq.weight").is_some();
    let file = if bfq { "io.bfq.weight" } else { "io.weight" };
    let converted = |weight: u16| if bfq { u64::from(weight) } else { io_weight(weight) };
    let mut wanted: Vec<Setting> = Vec::new();
    wanted.extend(set(io.weight).map(|weight| (file.to_owned(), format!("default {}", converted(weight)))));
    for device in &io.weight_device {
        if set(device.leaf_weight).is_some() {
            return Err(no_counterpart("blockIO.weightDevice.leafWeight"));
        }
        let line = |weight| format!("{}:{} {}", device.major, device.minor, converted(weight));
        wanted.extend(set(device.weight).map(|weight| (file.to_owned(), line(weight))));
    }
    for (list, _, key) in throttles(io) {
        let line = |limit: &Throttle| format!("{}:{} {key}={}", limit.major, limit.minor, rate(limit.rate));
        wanted.extend(list.iter().map(|limit| ("io.max".to_owned(), line(limit))));
    }
    Ok(wanted)
}

/// Each list of throttles with its name in version 1 and its key in version 2.
fn throttles(io: &BlockIo) -> [(&[Throttle], &'static str, &'static str); 4] {
    [
        (&io.throttle_read_bps_device, "read_bps", "rbps"),
        (&io.throttle_write_bps_device, "write_bps", "wbps"),
        (&io.throttle_read_iops_device, "read_iops", "riops"),
        (&io.throttle_write_iops_device, "write_iops", "wiops"),
    ]
}

/// A rate of 0 takes the limit away in version 1, which version 2 spells differently.
fn rate(rate: u64) -> String {
    if rate == 0 { "max".to_owned() } else { rate.to_string() }
}

fn set(weight: Option<u16>) -> Option<u16> {
    weight.filter(|weight| *weight != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DOCUMENT: &str = r#"{"blockIO":{"weight":1000,"weightDevice":[{"major":8,"minor":0,"weight":10}],
        "throttleReadBpsDevice":[{"major":8,"minor":0,"rate":600}],
        "throttleWriteIOPSDevice":[{"major":8,"minor":16,"rate":0}]}}"#;

    fn told(section: super::super::Section, json: &str, bfq: bool) -> Vec<String> {
        let resources: Resources = serde_json::from_str(json).unwrap();
        let read = |_: &str| bfq.then(String::new);
        section(&resources, &read).unwrap().into_iter().map(|(file, value)| format!("{file}={value}")).collect()
    }

    #[test]
    fn weights_go_where_the_kernel_has_them() {
        let v1_files = told(v1, DOCUMENT, true);
        assert_eq!(v1_files[..2], ["blkio.bfq.weight=1000", "blkio.bfq.weight_device=8:0 10"]);
        assert_eq!(told(v1, DOCUMENT, false)[0], "blkio.weight=1000");
        assert_eq!(told(v2, DOCUMENT, true)[..2], ["io.bfq.weight=default 1000", "io.bfq.weight=8:0 10"]);
        assert_eq!(told(v2, DOCUMENT, false)[..2], ["io.weight=default 10000", "io.weight=8:0 1"]);
    }

    #[test]
    fn throttles_name_device_and_rate() {
        let v1_files = told(v1, DOCUMENT, true);
        let expected = ["blkio.throttle.read_bps_device=8:0 600", "blkio.throttle.write_iops_device=8:16 0"];
        assert_eq!(v1_files[2..], expected);
        assert_eq!(told(v2, DOCUMENT, true)[2..], ["io.max=8:0 rbps=600", "io.max=8:16 wiops=max"]);
    }

    #[test]
    fn leaf_weights_have_no_counterpart() {
        let resources: Resources = serde_json::from_str(r#"{"blockIO":{"leafWeight":10}}"#).unwrap();
        assert!(v2(&resources, &|_| None).is_err());
    }
}
