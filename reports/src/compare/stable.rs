//! Text of findings without what differs in every run: names of the run, pids, inodes, mounts and anonymous devices, times and dates.
//! Measured numbers stay.

use std::sync::LazyLock;

use regex::Regex;

/// What belongs to one run, and what stands for it. Each is applied to what the ones before it have left.
const PATTERNS: &[(&str, &str)] = &[
    // A line of a log: `2026-12-01T00:58:00Z`, `2026-12-01 00:58:00.123+02:00`.
    (r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)?", "TIME"),
    // `pRUN-686n-1`: the number of the check, in the order in which checks were started.
    (r"RUN-\d+(n?)(-\d+)*", "RUN-N"),
    (r"/proc/\d+", "/proc/N"),
    // A namespace or a pipe, `mnt:[4026531841]`, and an anonymous device, `0:95`.
    (r":\[\d+\]", ":[N]"),
    (r#"([ "])0:\d+"#, "${1}0:N"),
    // The first of a tuple that tells what a file is.
    (r"\(\d{2,}, ", "(N, "),
    // After these words, a number names something of one run.
    (
        r#"\b(id|parent|peer_group|master|[pt]pid|pgid|tgid|[pt]id|process|inode|ino|session)([ :="\[]+)\d+(\.\d+)?"#,
        "${1}${2}N",
    ),
    // Before these units, it was a time.
    (r"\d+(\.\d+)?( ?)(ns|us|µs|ms|s|min|seconds?)\b", "N$2$3"),
];

static COMPILED: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let compiled = |(pattern, put): &(&str, &'static str)| Some((Regex::new(pattern).ok()?, *put));
    PATTERNS.iter().filter_map(compiled).collect()
});

/// The text, with `RUN` for the names of the run and `N` for numbers of that kind.
pub(super) fn stable(text: &str, run: &str) -> String {
    let named = if run.is_empty() { text.to_owned() } else { text.replace(run, "RUN") };
    COMPILED.iter().fold(named, |text, (pattern, put)| pattern.replace_all(&text, *put).into_owned())
}

#[cfg(test)]
mod tests {
    use super::{COMPILED, PATTERNS, stable};

    #[test]
    fn what_belongs_to_one_run_is_left_out() {
        let same = [
            ("open /sys/fs/cgroup/cpu/p151d-17-0-686n-1: none", "open /sys/fs/cgroup/cpu/p602-2-0-90n-1: none"),
            ("Mount { id: 201, parent: 524, device: \"0:95\" }", "Mount { id: 1, parent: 2, device: \"0:7\" }"),
            ("{\"fd\": (16606, 33188, \"untouched\")}", "{\"fd\": (23, 33188, \"untouched\")}"),
            ("process 17 took 1.25 s, mnt:[4026531841]", "process 1899 took 980 ms, mnt:[4026532000]"),
            ("/proc/17/ns/net, pid=5", "/proc/4/ns/net, pid=900"),
            ("time=\"2026-12-01T00:58:00Z\" level=error", "time=\"2027-01-02T03:04:05Z\" level=error"),
        ];
        for (one, other) in same {
            let (one, other) = (stable(one, "151d-17-0"), stable(other, "602-2-0"));
            assert_eq!(one.replace(" s,", " ms,"), other);
        }
    }

    #[test]
    fn each_pattern_is_one() {
        assert_eq!(COMPILED.len(), PATTERNS.len());
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
