//! What the types of `linux.resources` cannot say. Each refusal names the JSON path.

use super::{BlockIo, Cpu, DeviceRule, Memory, Resources};
use crate::config::require::require;
use crate::error::Result;
use crate::number::plain;

impl Resources {
    /// Checks what does not depend on the host. `at` is the JSON path of the object, `linux.resources` in a
    /// configuration.
    ///
    /// # Errors
    /// The JSON path of the first invalid value, and the reason.
    pub fn validate(&self, at: &str) -> Result<()> {
        for (index, rule) in self.devices.iter().enumerate() {
            device(rule, &format!("{at}.devices[{index}]"))?;
        }
        self.memory.as_ref().map_or(Ok(()), |memory| self::memory(memory, &format!("{at}.memory")))?;
        self.cpu.as_ref().map_or(Ok(()), |cpu| self::cpu(cpu, &format!("{at}.cpu")))?;
        self.block_io.as_ref().map_or(Ok(()), |io| block_io(io, &format!("{at}.blockIO")))?;
        for (index, entry) in self.hugepage_limits.iter().enumerate() {
            let at = format!("{at}.hugepageLimits[{index}].pageSize");
            require(is_page_size(&entry.page_size), at, "must be a number and a unit such as 2MB or 1GB")?;
        }
        let limit = self.pids.as_ref().and_then(|pids| pids.limit);
        require(limit.is_none_or(|limit| limit >= -1), format!("{at}.pids.limit"), "must be -1 or more")?;
        for (device, limits) in &self.rdma {
            let given = limits.hca_handles.is_some() || limits.hca_objects.is_some();
            require(given, format!("{at}.rdma.{device}"), "needs hcaHandles or hcaObjects")?;
        }
        for key in self.unified.keys() {
            let file = !key.is_empty() && !key.contains('/') && key.contains('.') && !key.starts_with('.');
            require(file, format!("{at}.unified.{key}"), "is no name of a cgroup file such as memory.high")?;
        }
        Ok(())
    }
}

fn device(rule: &DeviceRule, at: &str) -> Result<()> {
    for (member, number) in [("major", rule.major), ("minor", rule.minor)] {
        let fits = number.is_none_or(|number| (-1..=i64::from(u32::MAX)).contains(&number));
        require(fits, format!("{at}.{member}"), "must be a device number, or -1 for all")?;
    }
    let letters = rule.access.as_deref().unwrap_or("rwm");
    let known = !letters.is_empty() && letters.chars().all(|letter| "rwm".contains(letter));
    require(known, format!("{at}.access"), "must be made of the letters r, w and m")
}

fn memory(memory: &Memory, at: &str) -> Result<()> {
    let values = [
        ("limit", memory.limit),
        ("reservation", memory.reservation),
        ("swap", memory.swap),
        ("kernel", memory.kernel),
        ("kernelTCP", memory.kernel_tcp),
    ];
    for (member, value) in values {
        require(value.is_none_or(|bytes| bytes >= -1), format!("{at}.{member}"), "must be -1 or more")?;
    }
    if let (Some(limit), Some(swap)) = (memory.limit, memory.swap) {
        let unlimited = format!("{swap} limits memory and swap together, so limit must be given too");
        require(swap < 0 || limit >= 0, format!("{at}.swap"), unlimited)?;
        let reason = format!("{swap} is below the limit of {limit}, which it includes");
        require(swap < 0 || limit <= swap, format!("{at}.swap"), reason)?;
    }
    let swappiness = memory.swappiness.is_none_or(|value| value <= 100);
    require(swappiness, format!("{at}.swappiness"), "must be 0 to 100")
}

fn cpu(cpu: &Cpu, at: &str) -> Result<()> {
    if let (Some(quota @ 1..), Some(burst)) = (cpu.quota, cpu.burst) {
        let reason = format!("must not be above the quota of {quota}");
        require(i64::try_from(burst).is_ok_and(|burst| burst <= quota), format!("{at}.burst"), reason)?;
    }
    for (member, list) in [("cpus", &cpu.cpus), ("mems", &cpu.mems)] {
        let valid = list.as_deref().is_none_or(is_list);
        require(valid, format!("{at}.{member}"), "must be a list such as 0-3,7")?;
    }
    require(cpu.idle.is_none_or(|idle| matches!(idle, 0 | 1)), format!("{at}.idle"), "must be 0 or 1")
}

fn block_io(io: &BlockIo, at: &str) -> Result<()> {
    let weight = |value: Option<u16>, at: String| {
        require(value.is_none_or(|weight| matches!(weight, 0 | 10..=1000)), at, "must be 10 to 1000")
    };
    weight(io.weight, format!("{at}.weight"))?;
    weight(io.leaf_weight, format!("{at}.leafWeight"))?;
    for (index, device) in io.weight_device.iter().enumerate() {
        let at = format!("{at}.weightDevice[{index}]");
        require(device.weight.is_some() || device.leaf_weight.is_some(), &at, "needs weight or leafWeight")?;
        weight(device.weight, format!("{at}.weight"))?;
        weight(device.leaf_weight, format!("{at}.leafWeight"))?;
    }
    Ok(())
}

/// A number, a unit prefix of 1024 or none, and `B`.
fn is_page_size(text: &str) -> bool {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    digits > 0 && matches!(&text[digits..], "B" | "KB" | "MB" | "GB" | "TB" | "PB")
}

/// The list format of cpuset(7): numbers and rising ranges between commas. An empty list means none chosen.
fn is_list(list: &str) -> bool {
    let number = |text: &str| plain::<u32>(text);
    let part = |part: &str| match part.split_once('-') {
        Some((first, last)) => number(first).zip(number(last)).is_some_and(|(first, last)| first <= last),
        None => number(part).is_some(),
    };
    list.is_empty() || list.split(',').all(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(json: &str) -> Option<String> {
        let resources: Resources = serde_json::from_str(json).unwrap();
        resources.validate("linux.resources").err().map(|error| error.to_string())
    }

    #[test]
    fn what_is_valid_passes() {
        let documents = [
            "{}",
            r#"{"pids":{}}"#,
            r#"{"pids":{"limit":0},"memory":{"limit":-1,"swap":-1},"cpu":{"quota":-1,"burst":5,"cpus":"0-1,3"}}"#,
            r#"{"devices":[{"allow":false}],"hugepageLimits":[{"pageSize":"2MB","limit":0}],"unified":{"a.b":"1"}}"#,
        ];
        for json in documents {
            assert_eq!(refusal(json), None, "{json}");
        }
    }

    #[test]
    fn a_refusal_names_its_place() {
        for (json, place) in [
            (r#"{"devices":[{"allow":true,"access":"x"}]}"#, "devices[0].access"),
            (r#"{"devices":[{"allow":true,"major":-2}]}"#, "devices[0].major"),
            (r#"{"memory":{"limit":10,"swap":5}}"#, "memory.swap"),
            (r#"{"memory":{"limit":-1,"swap":5}}"#, "memory.swap"),
            (r#"{"memory":{"swappiness":101}}"#, "memory.swappiness"),
            (r#"{"cpu":{"quota":1000,"burst":2000}}"#, "cpu.burst"),
            (r#"{"cpu":{"cpus":"3-1"}}"#, "cpu.cpus"),
            (r#"{"cpu":{"mems":"x"}}"#, "cpu.mems"),
            (r#"{"cpu":{"idle":2}}"#, "cpu.idle"),
            (r#"{"blockIO":{"weight":9}}"#, "blockIO.weight"),
            (r#"{"blockIO":{"weightDevice":[{"major":1,"minor":1}]}}"#, "blockIO.weightDevice[0]"),
            (r#"{"hugepageLimits":[{"pageSize":"2MiB","limit":1}]}"#, "hugepageLimits[0].pageSize"),
            (r#"{"pids":{"limit":-2}}"#, "pids.limit"),
            (r#"{"rdma":{"mlx5":{}}}"#, "rdma.mlx5"),
            (r#"{"unified":{"../x":"1"}}"#, "unified.../x"),
        ] {
            let told = refusal(json).unwrap_or_default();
            assert!(told.starts_with(&format!("linux.resources.{place}: ")), "{json}: {told}");
        }
    }
}
