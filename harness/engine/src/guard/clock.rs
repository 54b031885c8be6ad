//! The length of the kernel's tick, which sets the pace of all clocks; see adjtimex(2).

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::member::member;
use crate::system::sys;

pub(super) const NAMED: &str = "adjtimex:";

pub(super) fn members() -> io::Result<BTreeMap<PathBuf, String>> {
    Ok(BTreeMap::from([(member(NAMED, "tick"), sys::clock_tick(None)?.to_string())]))
}

pub(super) fn restore(_member: &Path, was: Option<&str>) -> io::Result<()> {
    let tick = was.unwrap_or_default().parse().map_err(io::Error::other)?;
    sys::clock_tick(Some(tick)).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pace_of_the_clock_can_be_given_again() {
        let (member, tick) = members().unwrap().pop_first().unwrap();
        assert_eq!(member, Path::new("adjtimex:tick"));
        assert!((9000..=11000).contains(&tick.parse::<u32>().unwrap()), "{tick} microseconds");
        match restore(&member, Some(&tick)) {
            Err(why) if why.kind() == io::ErrorKind::PermissionDenied => {
                println!("skipped: the clock cannot be set here")
            }
            done => done.unwrap(),
        }
        assert!(restore(&member, None).is_err());
    }
}
