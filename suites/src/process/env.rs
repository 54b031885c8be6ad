//! `process.env`: the environment of the program.

use plimsoll_engine::check::{Case, Rule};
use plimsoll_engine::describe::Describe;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::settings::LEAK;
use plimsoll_fixtures::Config;
use plimsoll_fixtures::probe::Ask;
use plimsoll_foreign::read;
use plimsoll_reports::model::Axis;

const ENV: &str = "/process/env";
const PATH: &str = "PATH=/bin";
const CITES: &[&str] = &["config.process.env-semantics"];

/// The environment holds what is configured, and nothing of the runtime's; only `HOME` may be added. Of a name that is
/// given twice, one of the values holds.
pub(super) const VERBATIM: Rule = Rule::new(
    "process.env.verbatim",
    CITES,
    |_| vec![Ask::Environ],
    |config, evidence, out| {
        let environ = evidence.inside.names(&Ask::Environ);
        let Ok(environ) = environ else { return out.expect("environment", false, "known", environ) };
        let wanted = config.texts(ENV);
        for entry in &wanted {
            let values: Vec<&str> = environ.iter().map(String::as_str).filter(|e| name(e) == name(entry)).collect();
            let is_twice = wanted.iter().filter(|other| name(other) == name(entry)).count() > 1;
            let met = if is_twice { !values.is_empty() } else { values == [*entry] };
            out.expect(name(entry), met, entry.describe(), values);
        }
        let home = |entry: &str| name(entry) == "HOME" && !wanted.iter().any(|e| name(e) == "HOME");
        let others: Vec<&String> = environ.iter().filter(|e| !wanted.contains(&e.as_str()) && !home(e)).collect();
        out.expect("other variables", others.is_empty(), "none", others);
    },
);

/// The name of a variable, of its entry `NAME=value`.
pub(crate) fn name(entry: &str) -> &str {
    entry.split_once('=').map_or(entry, |(name, _)| name)
}

/// The variables come in the order of the configuration. The place of one that is given twice is not judged.
const ORDER: Rule = Rule::new(
    "process.env.order",
    CITES,
    |_| vec![Ask::Environ],
    |config, evidence, out| {
        let all = config.texts(ENV);
        let is_once = |entry: &&str| all.iter().filter(|other| name(other) == name(entry)).count() == 1;
        let wanted: Vec<&str> = all.iter().copied().filter(is_once).collect();
        let environ = evidence.inside.names(&Ask::Environ).cloned().unwrap_or_default();
        let environ: Vec<&str> = environ.iter().map(String::as_str).filter(|entry| wanted.contains(entry)).collect();
        out.expect_eq("order of the configured variables", environ, wanted);
    },
)
.axis(Axis::Compat)
.advisory("the specification takes its meaning from POSIX's environ, where the order means nothing");

/// Without a `HOME`, programs get that of the user database of the container, as they do from runc.
const HOME: Rule = Rule::new(
    "process.env.home",
    CITES,
    |_| vec![Ask::Environ],
    |config, evidence, out| {
        let environ = evidence.inside.names(&Ask::Environ).cloned().unwrap_or_default();
        let found: Vec<&str> = environ.iter().filter_map(|entry| entry.strip_prefix("HOME=")).collect();
        out.expect_eq("HOME", found, home_of_user(config, &evidence.bundle.rootfs()));
    },
)
.axis(Axis::Compat)
.advisory("the specification knows no HOME beyond the list");

fn home_of_user(config: &Config, rootfs: &std::path::Path) -> Vec<String> {
    let uid = config.number("/process/user/uid").unwrap_or(0).to_string();
    let users = read::text(&rootfs.join("etc/passwd"), read::DOCUMENT).unwrap_or_default();
    let mut users = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let user = users.find(|user| user.get(2) == Some(&uid.as_str()));
    user.and_then(|user| user.get(5).map(|&home| home.to_owned())).into_iter().collect()
}

const LEAKS: Fault = Fault::Take(ENV, r#"["PATH=/bin", "PLIMSOLL_OF_THE_RUNTIME=1"]"#);
const LOSES: &[Fault] = &[Fault::DropLast(ENV), Fault::Drop(ENV)];
const USERS: &str = "root:x:0:0::/home/of-root:/bin/sh\nsomeone:x:1000:1000::/home/of-someone:/bin/sh\n";

pub(super) const CASES: &[Case] = &[
    Case::new(&VERBATIM, "nothing-of-the-runtime", |r| r.set(ENV, [PATH]), &[LEAKS]),
    Case::new(
        &VERBATIM,
        "same-name-as-one-of-the-runtime",
        |r| r.set(ENV, [PATH, &format!("{LEAK}=of the container")]),
        &[LEAKS, Fault::DropLast(ENV)],
    ),
    Case::new(
        &VERBATIM,
        "with-a-terminal",
        |r| r.set("/process/terminal", true).set(ENV, [PATH]),
        &[LEAKS, Fault::Take(ENV, r#"["PATH=/bin", "TERM=xterm"]"#)],
    ),
    Case::new(&VERBATIM, "several", |r| r.set(ENV, [PATH, "B=2", "A=1", "C=3"]), LOSES),
    Case::new(&VERBATIM, "empty-value", |r| r.set(ENV, [PATH, "EMPTY=", "LAST="]), LOSES),
    Case::new(
        &VERBATIM,
        "equals-signs",
        |r| r.set(ENV, [PATH, "A=b=c", "D==", "E=F=1"]),
        &[Fault::Take("/process/env/1", "\"A=b\""), Fault::Take("/process/env/2", "\"D=\""), Fault::DropLast(ENV)],
    ),
    Case::new(
        &VERBATIM,
        "white-space",
        |r| r.set(ENV, [PATH, "A= b  c ", "D=line\nbreak\n", "E F=1", "T=\t"]),
        &[Fault::Take("/process/env/1", "\"A=b  c\""), Fault::Take("/process/env/2", "\"D=line\"")],
    ),
    Case::new(
        &VERBATIM,
        "no-expansion",
        |r| r.set(ENV, [PATH, "A=$PATH", "B=${A}", "C=`id`", "D=~", "E=%PATH%", "F='q' \"q\" \\"]),
        &[Fault::Take("/process/env/1", "\"A=/bin\""), Fault::DropLast(ENV)],
    ),
    Case::new(
        &VERBATIM,
        "unicode",
        |r| r.set(ENV, [PATH, "GRÖSSE=groß", "SHIP=船🚢", "e\u{301}=1"]),
        &[Fault::Take("/process/env/1", "\"GROSSE=gross\""), Fault::DropLast(ENV)],
    ),
    Case::new(&VERBATIM, "lower-case", |r| r.set(ENV, [PATH, "path=x", "Path=y"]), LOSES),
    Case::new(
        &VERBATIM,
        "two-hundred",
        |r| (0..200).fold(r.set(ENV, [PATH]), |r, n| r.push(ENV, format!("V{n}={n}"))),
        LOSES,
    ),
    Case::new(
        &VERBATIM,
        "of-100-kilobytes",
        |r| r.set(ENV, [PATH, &format!("LONG={}", "0123456789".repeat(10_000)), "END=1"]),
        &[Fault::Take("/process/env/1", "\"LONG=0123456789\""), Fault::DropLast(ENV)],
    ),
    Case::new(
        &VERBATIM,
        "home-as-configured",
        |r| r.set(ENV, [PATH, "HOME=/a home"]).file("/etc/passwd", USERS),
        &[Fault::DropLast(ENV), Fault::Take("/process/env/1", "\"HOME=/home/of-root\"")],
    ),
    Case::new(&VERBATIM, "none", |r| r.set(ENV, [(); 0]), &[LEAKS]),
    Case::new(&VERBATIM, "duplicate-names", |r| r.set(ENV, [PATH, "A=1", "B=2", "A=3"]), &[Fault::Drop(ENV), LEAKS]),
    Case::new(&ORDER, "unsorted", |r| r.set(ENV, ["Z=1", "B=2", PATH, "A=3", "Y=4"]), &[Fault::Reverse(ENV)]),
    Case::new(&HOME, "of-root", |r| r.file("/etc/passwd", USERS), &[Fault::Take(ENV, r#"["PATH=/bin", "HOME=/"]"#)]),
    Case::new(
        &HOME,
        "of-another-user",
        |r| r.file("/etc/passwd", USERS).set("/process/user", serde_json::json!({ "uid": 1000, "gid": 1000 })),
        &[Fault::Take(ENV, r#"["PATH=/bin", "HOME=/"]"#), Fault::Take("/process/user/uid", "0")],
    ),
];
