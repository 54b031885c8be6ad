//! Processes that cannot be started as they are written (`config.md#valid-values`): `create` or `start` refuses them.

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use serde_json::json;

const INVALID: &str = "config.values.invalid-error";
const ARGS: &str = "/process/args";
const CWD: &str = "/process/cwd";
const UID: &str = "/process/user/uid";
const GID: &str = "/process/user/gid";
const OOM: &str = "/process/oomScoreAdj";

/// One row each: id, clauses, the fault of not looking, a configuration that works, and what spoils it.
macro_rules! refused {
    ($($id:literal, $cites:expr, $proves:expr, $good:expr, $bad:expr;)*) => {
        &[$(Scenario::new($id, $cites, $proves, |lab, out| lab.refuses(out, $good, $bad))),*]
    };
}

pub(super) const SCENARIOS: &[Scenario] = refused! {
    "process.args.invalid/empty", &["config.process.args-at-least-one", INVALID],
        &[Fault::Take(ARGS, r#"["/probe"]"#)], |r| r, |r| r.args(&[]);
    "process.args.invalid/absent", &["config.process.args-at-least-one", INVALID],
        &[Fault::Take(ARGS, r#"["/probe"]"#)], |r| r, |r| r.remove(ARGS);
    "process.args.invalid/no-such-file", &["config.process.args-argv", "runtime.create.unappliable-property-error"],
        &[Fault::Take("/process/args/0", "\"/probe\"")], |r| r, |r| r.args(&["/no/such/probe"]);
    "process.args.invalid/not-executable", &["config.process.args-argv", "runtime.create.unappliable-property-error"],
        &[Fault::Take("/process/args/0", "\"/probe\"")], |r| r.file("/plain", "text"), |r| r.args(&["/plain"]);
    "process.args.invalid/directory", &["config.process.args-argv", "runtime.create.unappliable-property-error"],
        &[Fault::Take("/process/args/0", "\"/probe\"")], |r| r, |r| r.args(&["/tmp"]);
    "process.args.invalid/not-a-list", &["config.process.args-argv", INVALID],
        &[Fault::Take(ARGS, r#"["/probe"]"#)], |r| r, |r| r.set(ARGS, "/probe");
    "process.cwd.invalid/relative", &["config.process.cwd-absolute", INVALID],
        &[Fault::Take(CWD, "\"/tmp\"")], |r| r, |r| r.set(CWD, "tmp");
    "process.cwd.invalid/dot", &["config.process.cwd-absolute", INVALID],
        &[Fault::Take(CWD, "\"/\"")], |r| r, |r| r.set(CWD, ".");
    "process.cwd.invalid/empty", &["config.process.cwd-absolute", INVALID],
        &[Fault::Take(CWD, "\"/\"")], |r| r, |r| r.set(CWD, "");
    "process.cwd.invalid/file", &["config.process.cwd-applied", "runtime.create.unappliable-property-error"],
        &[Fault::Take(CWD, "\"/\"")], |r| r.file("/plain", "text"), |r| r.set(CWD, "/plain");
    "process.env.invalid/not-a-list", &["config.process.env-semantics", INVALID],
        &[Fault::Drop("/process/env")], |r| r, |r| r.set("/process/env", json!({ "PATH": "/bin" }));
    "process.user.invalid/uid-of-33-bits", &["config.user.uid-applied", INVALID],
        &[Fault::Take(UID, "0")], |r| r, |r| r.set(UID, 1_u64 << 32);
    "process.user.invalid/gid-of-33-bits", &["config.user.gid-applied", INVALID],
        &[Fault::Take(GID, "0")], |r| r, |r| r.set(GID, 1_u64 << 32);
    "process.user.invalid/negative-uid", &["config.user.uid-applied", INVALID],
        &[Fault::Take(UID, "0")], |r| r, |r| r.set(UID, -1);
    "process.user.invalid/negative-gid", &["config.user.gid-applied", INVALID],
        &[Fault::Take(GID, "0")], |r| r, |r| r.set(GID, -1);
    "process.user.invalid/uid-that-means-no-change", &["config.user.uid-applied", "runtime.create.unappliable-property-error"],
        &[Fault::Take(UID, "0")], |r| r, |r| r.set(UID, u32::MAX);
    "process.user.invalid/gid-that-means-no-change", &["config.user.gid-applied", "runtime.create.unappliable-property-error"],
        &[Fault::Take(GID, "0")], |r| r, |r| r.set(GID, u32::MAX);
    "process.user.invalid/name", &["config.user.numeric-only", INVALID],
        &[Fault::Take(UID, "0")], |r| r.file("/etc/passwd", "root:x:0:0::/:/\n"), |r| r.set(UID, "root");
    "process.user.invalid/group-of-33-bits", &["config.user.additional-gids-applied", INVALID],
        &[Fault::Drop("/process/user/additionalGids")],
        |r| r.set("/process/user/additionalGids", [5]), |r| r.push("/process/user/additionalGids", 1_u64 << 32);
    "process.oom-score-adj.invalid/above-1000", &["config.process.oom-score-adj-set", INVALID],
        &[Fault::Take(OOM, "1000"), Fault::Drop(OOM)], |r| r.set(OOM, 1000), |r| r.set(OOM, 1001);
    "process.oom-score-adj.invalid/below-minus-1000", &["config.process.oom-score-adj-set", INVALID],
        &[Fault::Take(OOM, "0"), Fault::Drop(OOM)], |r| r.set(OOM, 0), |r| r.set(OOM, -1001);
    "process.terminal.invalid/not-a-boolean", &["config.process.terminal-default-false", INVALID],
        &[Fault::Drop("/process/terminal")], |r| r, |r| r.set("/process/terminal", "false");
    "process.capabilities.invalid/not-a-list", &["config.process.capabilities-names", INVALID],
        &[Fault::Drop("/process/capabilities")], |r| r,
        |r| r.set("/process/capabilities/bounding", "CAP_CHOWN");
};
