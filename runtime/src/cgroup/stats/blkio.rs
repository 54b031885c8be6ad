//! Statistics of block devices. They are read here: cgroups-rs does not know the files of the BFQ scheduler, and reads
//! some thirty of which two count.

use super::{BlockEntry, BlockIo};
use crate::cgroup::group::Group;

/// The files of BFQ, else those that count all that passes the throttles.
pub(super) fn v1(group: &Group) -> BlockIo {
    let entries = |name: &str| {
        let files = [format!("blkio.bfq.{name}"), format!("blkio.throttle.{name}")];
        let texts = files.iter().filter_map(|file| group.read_if_there(file));
        texts.map(|text| lines(&text)).find(|entries| !entries.is_empty()).unwrap_or_default()
    };
    BlockIo {
        io_service_bytes_recursive: entries("io_service_bytes_recursive"),
        io_serviced_recursive: entries("io_serviced_recursive"),
    }
}

/// Lines such as `8:0 Read 4096`; the sum of all devices at the end has no device and is left out.
fn lines(text: &str) -> Vec<BlockEntry> {
    let entry = |line: &str| {
        let mut fields = line.split(' ');
        let (major, minor) = device(fields.next()?)?;
        Some(BlockEntry { major, minor, op: fields.next()?.to_owned(), value: fields.next()?.parse().ok()? })
    };
    text.lines().filter_map(entry).collect()
}

/// `io.stat`: a line for each device, such as `8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0`.
pub(super) fn v2(group: &Group) -> BlockIo {
    of_io_stat(&group.read_if_there("io.stat").unwrap_or_default())
}

fn of_io_stat(text: &str) -> BlockIo {
    let mut found = BlockIo::default();
    for line in text.lines() {
        let mut fields = line.split(' ');
        let Some((major, minor)) = fields.next().and_then(device) else { continue };
        for (key, value) in fields.filter_map(|field| field.split_once('=')) {
            let (op, list) = match key {
                "rbytes" => ("Read", &mut found.io_service_bytes_recursive),
                "wbytes" => ("Write", &mut found.io_service_bytes_recursive),
                "dbytes" => ("Discard", &mut found.io_service_bytes_recursive),
                "rios" => ("Read", &mut found.io_serviced_recursive),
                "wios" => ("Write", &mut found.io_serviced_recursive),
                "dios" => ("Discard", &mut found.io_serviced_recursive),
                _ => continue,
            };
            let Ok(value) = value.parse() else { continue };
            list.push(BlockEntry { major, minor, op: op.to_owned(), value });
        }
    }
    found
}

fn device(text: &str) -> Option<(u32, u32)> {
    let (major, minor) = text.split_once(':')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_1_leaves_the_sum_out() {
        let entries = lines("8:0 Read 4096\n8:0 Write 1\nTotal 4097");
        assert_eq!(entries.len(), 2);
        assert_eq!(entries[0], BlockEntry { major: 8, minor: 0, op: "Read".into(), value: 4096 });
    }

    #[test]
    fn version_2_splits_bytes_from_operations() {
        let found = of_io_stat("8:16 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0 cost.usage=5");
        let values = |list: &[BlockEntry]| list.iter().map(|entry| entry.value).collect::<Vec<_>>();
        assert_eq!(values(&found.io_service_bytes_recursive), [10, 20, 0]);
        assert_eq!(values(&found.io_serviced_recursive), [1, 2, 0]);
    }
}
