//! The arguments of `update`.

use std::path::PathBuf;

use clap::Args;

use super::args::number;
use crate::config::{BlockIo, Cpu, Memory, Pids, Resources};
use crate::error::Result;
use crate::number::plain;
use crate::operation::update::{self, Schemata};

#[derive(Debug, Args)]
pub(super) struct Update {
    /// The container
    pub id: String,
    /// File with a `linux.resources` object, `-` for standard input; all other options are ignored then
    #[arg(short, long, value_name = "FILE")]
    resources: Option<PathBuf>,
    /// Block I/O weight, 10 to 1000
    #[arg(long, value_name = "N", value_parser = number::<u16>)]
    blkio_weight: Option<u16>,
    /// CFS period, in microseconds
    #[arg(long, value_name = "US", value_parser = number::<u64>)]
    cpu_period: Option<u64>,
    /// CFS quota per period, in microseconds; -1 for no limit
    #[arg(long, value_name = "US", allow_hyphen_values = true, value_parser = number::<i64>)]
    cpu_quota: Option<i64>,
    /// CFS burst, in microseconds
    #[arg(long, value_name = "US", value_parser = number::<u64>)]
    cpu_burst: Option<u64>,
    /// CPU shares
    #[arg(long, value_name = "N", alias = "cpu-shares", value_parser = number::<u64>)]
    cpu_share: Option<u64>,
    /// Real-time period, in microseconds
    #[arg(long, value_name = "US", value_parser = number::<u64>)]
    cpu_rt_period: Option<u64>,
    /// Real-time runtime per period, in microseconds
    #[arg(long, value_name = "US", allow_hyphen_values = true, value_parser = number::<i64>)]
    cpu_rt_runtime: Option<i64>,
    /// 1 for SCHED_IDLE, 0 for the normal policy
    #[arg(long, value_name = "0|1", value_parser = number::<i64>)]
    cpu_idle: Option<i64>,
    /// CPUs, such as 0-3,7
    #[arg(long, value_name = "LIST")]
    cpuset_cpus: Option<String>,
    /// Memory nodes, such as 0-1
    #[arg(long, value_name = "LIST")]
    cpuset_mems: Option<String>,
    /// Limit of kernel memory; old kernels only
    #[arg(long, value_name = "BYTES", value_parser = bytes, allow_hyphen_values = true, hide = true)]
    kernel_memory: Option<i64>,
    /// Limit of TCP buffer memory; cgroup version 1 only
    #[arg(long, value_name = "BYTES", value_parser = bytes, allow_hyphen_values = true)]
    kernel_memory_tcp: Option<i64>,
    /// Memory limit: a number with k, m, g or t; -1 for no limit
    #[arg(long, value_name = "BYTES", value_parser = bytes, allow_hyphen_values = true)]
    memory: Option<i64>,
    /// Soft memory limit
    #[arg(long, value_name = "BYTES", value_parser = bytes, allow_hyphen_values = true)]
    memory_reservation: Option<i64>,
    /// Limit of memory and swap in total
    #[arg(long, value_name = "BYTES", value_parser = bytes, allow_hyphen_values = true)]
    memory_swap: Option<i64>,
    /// Number of tasks; -1 for no limit
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = number::<i64>)]
    pids_limit: Option<i64>,
    /// Line for the L3 cache
    #[arg(long, value_name = "LINE")]
    l3_cache_schema: Option<String>,
    /// Line for the memory bandwidth
    #[arg(long, value_name = "LINE")]
    mem_bw_schema: Option<String>,
}

impl Update {
    /// The limits that are given, as options or as a document.
    ///
    /// # Errors
    /// When the document cannot be read.
    pub fn split(self) -> Result<(Resources, Schemata)> {
        if let Some(file) = &self.resources {
            return Ok((update::read(file)?, Schemata::default()));
        }
        let cpu = Cpu {
            shares: self.cpu_share,
            quota: self.cpu_quota,
            burst: self.cpu_burst,
            period: self.cpu_period,
            realtime_runtime: self.cpu_rt_runtime,
            realtime_period: self.cpu_rt_period,
            cpus: self.cpuset_cpus,
            mems: self.cpuset_mems,
            idle: self.cpu_idle,
        };
        let memory = Memory {
            limit: self.memory,
            reservation: self.memory_reservation,
            swap: self.memory_swap,
            kernel: self.kernel_memory,
            kernel_tcp: self.kernel_memory_tcp,
            ..Memory::default()
        };
        let resources = Resources {
            memory: Some(memory),
            cpu: Some(cpu),
            block_io: Some(BlockIo { weight: self.blkio_weight, ..BlockIo::default() }),
            pids: Some(Pids { limit: self.pids_limit }),
            ..Resources::default()
        };
        Ok((resources, Schemata { l3_cache: self.l3_cache_schema, memory_bandwidth: self.mem_bw_schema }))
    }
}

/// A number of bytes: `-1`, or digits and a unit of 1024, such as `512m`, `2GB` or `1GiB`.
fn bytes(text: &str) -> Result<i64, String> {
    let invalid = || format!("`{text}` is no size such as 4096, 512m or 2g");
    if text == "-1" {
        return Ok(-1);
    }
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let shift = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return Err(invalid()),
    };
    plain::<i64>(number).and_then(|number| number.checked_mul(1 << shift)).ok_or_else(invalid)
}

#[cfg(test)]
mod tests {
    use super::bytes;

    #[test]
    fn sizes_have_units_of_1024() {
        for (text, size) in [("-1", -1), ("4096", 4096), ("1k", 1024), ("512M", 512 << 20), ("2GiB", 2 << 30)] {
            assert_eq!(bytes(text), Ok(size), "{text}");
        }
        for text in ["", "-2", "k", "1x", "1.5g", "9223372036854775807k", "+1", "01k"] {
            assert!(bytes(text).is_err(), "{text}");
        }
    }
}
