//! `/proc/PID/limits`: resource limits under the names of getrlimit(2).

use std::collections::BTreeMap;
use std::io;

use plimsoll_fixtures::probe::Rlimit;

use crate::system::proc::files::malformed;

/// The kernel's wording, and the name that configurations use.
const NAMES: [(&str, &str); 16] = [
    ("Max cpu time", "RLIMIT_CPU"),
    ("Max file size", "RLIMIT_FSIZE"),
    ("Max data size", "RLIMIT_DATA"),
    ("Max stack size", "RLIMIT_STACK"),
    ("Max core file size", "RLIMIT_CORE"),
    ("Max resident set", "RLIMIT_RSS"),
    ("Max processes", "RLIMIT_NPROC"),
    ("Max open files", "RLIMIT_NOFILE"),
    ("Max locked memory", "RLIMIT_MEMLOCK"),
    ("Max address space", "RLIMIT_AS"),
    ("Max file locks", "RLIMIT_LOCKS"),
    ("Max pending signals", "RLIMIT_SIGPENDING"),
    ("Max msgqueue size", "RLIMIT_MSGQUEUE"),
    ("Max nice priority", "RLIMIT_NICE"),
    ("Max realtime priority", "RLIMIT_RTPRIO"),
    ("Max realtime timeout", "RLIMIT_RTTIME"),
];

/// Parses the file.
///
/// # Errors
/// When a limit is missing or has another form.
pub fn parse(text: &str) -> io::Result<BTreeMap<String, Rlimit>> {
    NAMES.iter().map(|(wording, name)| Ok(((*name).to_owned(), limit(text, wording)?))).collect()
}

fn limit(text: &str, wording: &str) -> io::Result<Rlimit> {
    let line = text.lines().find_map(|line| line.strip_prefix(wording));
    let line = line.ok_or_else(|| malformed(format!("limits without {wording}")))?;
    let mut columns = line.split_whitespace();
    let mut next = || columns.next().and_then(value).ok_or_else(|| malformed(format!("{wording}{line}")));
    Ok(Rlimit { soft: next()?, hard: next()? })
}

fn value(column: &str) -> Option<u64> {
    if column == "unlimited" { Some(u64::MAX) } else { column.parse().ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              unlimited            unlimited            seconds   
Max file size             unlimited            unlimited            bytes     
Max data size             unlimited            unlimited            bytes     
Max stack size            8388608              unlimited            bytes     
Max core file size        0                    unlimited            bytes     
Max resident set          unlimited            unlimited            bytes     
Max processes             96365                96366                processes 
Max open files            1024                 20000                files     
Max locked memory         8388608              8388608              bytes     
Max address space         18446744073709551614 unlimited            bytes     
Max file locks            unlimited            unlimited            locks     
Max pending signals       96365                96365                signals   
Max msgqueue size         819200               819200               bytes     
Max nice priority         0                    3                    
Max realtime priority     0                    0                    
Max realtime timeout      unlimited            unlimited            us        
";

    #[test]
    fn limits_carry_the_names_of_configurations() {
        let limits = parse(TEXT).unwrap();
        assert_eq!(limits.len(), 16);
        assert_eq!(limits["RLIMIT_NOFILE"], Rlimit { soft: 1024, hard: 20000 });
        assert_eq!(limits["RLIMIT_STACK"], Rlimit { soft: 8_388_608, hard: u64::MAX });
        assert_eq!(limits["RLIMIT_NICE"], Rlimit { soft: 0, hard: 3 });
        assert_eq!(limits["RLIMIT_AS"].soft, u64::MAX - 1);
    }

    #[test]
    fn a_missing_limit_is_an_error_that_names_it() {
        let why = parse(&TEXT.replace("Max processes", "Max people")).unwrap_err().to_string();
        assert!(why.contains("Max processes"), "{why}");
    }
}
