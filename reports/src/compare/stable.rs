//! Text of a finding without what no two runs have in common: the names that a run makes for itself, numbers of processes,
//! inodes, mounts and anonymous devices, and times. What a number measures stays.

/// Words after which a number names something of one run.
const NAMES: &[&str] = &[
    "id",
    "parent",
    "peer_group",
    "master",
    "pid",
    "ppid",
    "pgid",
    "tgid",
    "tid",
    "process",
    "inode",
    "ino",
    "session",
];

/// Units after which a number was a time.
const UNITS: &[&str] = &["ns", "us", "µs", "ms", "s", "min", "second", "seconds"];

/// The text, with `RUN` for the names of the run and `N` for numbers of that kind.
pub(super) fn stable(text: &str, run: &str) -> String {
    let named = if run.is_empty() { text.to_owned() } else { text.replace(run, "RUN") };
    let mut out = String::with_capacity(named.len());
    let mut rest = named.as_str();
    while let Some(at) = rest.find(|c: char| c.is_ascii_digit()) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let end = number(rest);
        let (digits, after) = rest.split_at(end);
        out.push_str(if is_of_one_run(&out, digits, after) { "N" } else { digits });
        rest = after;
    }
    out + rest
}

/// Where a number ends: at its digits, with a part after the dot.
fn number(text: &str) -> usize {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(text);
    let part = text[whole..].strip_prefix('.').map_or(0, digits);
    if part > 0 { whole + 1 + part } else { whole }
}

fn is_of_one_run(before: &str, digits: &str, after: &str) -> bool {
    // `pRUN-686n-1`: the number of the check, in the order in which checks were started.
    let tail = before.rsplit(|c: char| !(c.is_ascii_alphanumeric() || c == '-')).next().unwrap_or_default();
    let in_a_name = tail.contains("RUN-");
    let word =
        before.trim_end_matches([' ', ':', '=', '"', '[']).rsplit(|c: char| !(c.is_alphanumeric() || c == '_')).next();
    let is_named = before.ends_with([' ', ':', '=', '"', '[']) && word.is_some_and(|word| NAMES.contains(&word));
    // `/proc/17`, `mnt:[4026531841]`, `0:95`, and the first of a tuple that tells what a file is.
    let in_place =
        before.ends_with("/proc/") || before.ends_with(":[") || before.ends_with("\"0:") || before.ends_with(" 0:");
    let is_inode = before.ends_with('(') && after.starts_with(", ") && digits.len() > 1;
    in_a_name || is_named || in_place || is_inode || is_time(after)
}

fn is_time(after: &str) -> bool {
    let after = after.strip_prefix(' ').unwrap_or(after);
    let unit: String = after.chars().take_while(|c| c.is_alphabetic()).collect();
    UNITS.contains(&unit.as_str())
}

#[cfg(test)]
mod tests {
    use super::stable;

    #[test]
    fn what_belongs_to_one_run_is_left_out() {
        let same = [
            ("open /sys/fs/cgroup/cpu/p151d-17-0-686n-1: none", "open /sys/fs/cgroup/cpu/p602-2-0-90n-1: none"),
            ("Mount { id: 201, parent: 524, device: \"0:95\" }", "Mount { id: 1, parent: 2, device: \"0:7\" }"),
            ("{\"fd\": (16606, 33188, \"untouched\")}", "{\"fd\": (23, 33188, \"untouched\")}"),
            ("process 17 took 1.25 s, mnt:[4026531841]", "process 1899 took 980 ms, mnt:[4026532000]"),
            ("/proc/17/ns/net, pid=5", "/proc/4/ns/net, pid=900"),
        ];
        for (one, other) in same {
            let (one, other) = (stable(one, "151d-17-0"), stable(other, "602-2-0"));
            assert_eq!(one.replace(" s,", " ms,"), other);
        }
    }

    #[test]
    fn what_was_measured_stays() {
        for text in
            ["memory.max is 67108864", "umask is 0022, expected 0027", "exit 1", "pids 77", "v1.0.2", "uid 1000", "8:0"]
        {
            assert_eq!(stable(text, "151d-17-0"), text);
        }
    }
}
