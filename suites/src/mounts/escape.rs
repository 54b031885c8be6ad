//! Destinations that a malicious root filesystem redirects by symbolic links: the mount is made inside or refused, and the files of
//! the host are not reached.

use std::path::Path;

use plimsoll_engine::check::Scenario;
use plimsoll_engine::fault::Fault;
use plimsoll_engine::judgement::{Judgement, StepResult};
use plimsoll_engine::lab::Lab;
use plimsoll_engine::need::Need;
use plimsoll_engine::profile::Op;
use plimsoll_engine::saved_mounts;
use plimsoll_fixtures::Recipe;
use plimsoll_fixtures::probe::Ask;
use plimsoll_foreign::read;
use plimsoll_reports::model::Axis;

/// The source by which the mount under test is known again.
const TRACE: &str = "plimsoll-trace";

/// Creates a container whose root filesystem leads out to `outside`, and looks where its last mount is.
fn stays_inside(lab: &Lab<'_>, out: &mut Judgement, edits: impl FnOnce(&mut Recipe, &str)) -> StepResult {
    let outside = lab.dir.join("outside");
    std::fs::create_dir(&outside)?;
    std::fs::write(outside.join("file"), "of the host")?;
    let bundle = lab.bundle(|r| {
        edits(r, &outside.to_string_lossy());
        r
    })?;
    let attempt = lab.try_create(&bundle)?;
    if attempt.outcome.succeeded() {
        let container = attempt.container()?;
        container.started()?;
        let mounts = container.observe()?.mounts;
        let found = mounts.iter().any(|mount| mount.source == TRACE || mount.root.ends_with(TRACE));
        out.expect("the mount, as the container sees it", found, "in its root directory", mounts.last());
        for path in ["/escape/new", "/escape/m/new"] {
            // Whether it works does not matter; where it lands does.
            container.ask(Ask::Write { path: path.to_owned(), data: "x".to_owned() })?.ok();
        }
        untouched(out, &outside)?;
        return container.finish_and_delete();
    }
    attempt.outcome.refused()?;
    let state = lab.call_id(Op::State, &bundle.id)?;
    out.expect("state after the refused create", !state.succeeded(), "an error", state.said());
    untouched(out, &outside)
}

/// The directory of the host holds what it held, and nothing is mounted there.
fn untouched(out: &mut Judgement, outside: &Path) -> StepResult {
    let names: Result<Vec<_>, _> =
        std::fs::read_dir(outside)?.map(|entry| entry.map(|entry| entry.file_name())).collect();
    out.expect_eq("files of the host", names?, ["file"]);
    out.expect_eq("the file of the host", read::text(&outside.join("file"), read::DOCUMENT)?.as_str(), "of the host");
    let over: Vec<_> =
        saved_mounts::mounts()?.into_iter().filter(|mount| Path::new(&mount.point).starts_with(outside)).collect();
    out.expect("mounts over files of the host", over.is_empty(), "none", &over);
    Ok(())
}

/// What is mounted is not found inside, as when it were mounted outside.
const WRONG: &[Fault] = &[Fault::Drop("/mounts/6")];
const CITES: &[&str] = &["config.mounts.destination-relative-to-root", "config.mounts.parameters-per-mount2"];

macro_rules! escape {
    ($name:literal, $edits:expr) => {
        Scenario::new(concat!("mounts.destination.symlink/", $name), CITES, WRONG, |lab, out| {
            stays_inside(lab, out, $edits)
        })
        .axis(Axis::Security)
        .needs(&[Need::HostView])
    };
}

/// A proc that a link leads away from `/proc` lets a container choose what stands there for the runtime.
fn not_led_away(lab: &Lab<'_>, out: &mut Judgement, at: &str) -> StepResult {
    let bundle = lab.bundle(|r| r.symlink(at, "/elsewhere").directory("/elsewhere"))?;
    let attempt = lab.try_create(&bundle)?;
    if attempt.outcome.succeeded() {
        let container = attempt.container()?;
        container.started()?;
        let seen = container.observe()?;
        out.expect(
            &format!("what is mounted at {at}"),
            seen.mount_at(at).is_some(),
            "a mount",
            seen.mount_at("/elsewhere"),
        );
        return container.finish_and_delete();
    }
    attempt.outcome.refused()?;
    let state = lab.call_id(Op::State, &bundle.id)?;
    out.expect("state after the refused create", !state.succeeded(), "an error", state.said());
    Ok(())
}

pub(super) const SCENARIOS: &[Scenario] = &[
    escape!("absolute", |r, outside| {
        r.symlink("/escape", outside).mount("/escape", "tmpfs", TRACE, &[]);
    }),
    escape!("absolute-on-the-way", |r, outside| {
        r.symlink("/escape", outside).mount("/escape/m", "tmpfs", TRACE, &[]);
    }),
    escape!("relative", |r, _| {
        r.symlink("/escape", "../../outside").mount("/escape", "tmpfs", TRACE, &[]);
    }),
    escape!("relative-on-the-way", |r, _| {
        r.symlink("/a/escape", "../../../outside").symlink("/escape", "a/escape").mount(
            "/a/escape/m",
            "tmpfs",
            TRACE,
            &[],
        );
    }),
    escape!("to-the-root-and-up", |r, _| {
        r.symlink("/escape", "/").mount("/escape/../../outside", "tmpfs", TRACE, &[]);
    }),
    escape!("bind-of-a-directory", |r, outside| {
        let r = r.symlink("/escape", outside).directory_beside(TRACE);
        r.mount("/escape/m", "none", TRACE, &["bind"]);
    }),
    escape!("bind-of-a-file", |r, outside| {
        let r = r.symlink("/escape", &format!("{outside}/file")).beside(TRACE, "of the bundle");
        r.mount("/escape", "none", TRACE, &["bind"]);
    }),
    escape!("dangling", |r, outside| {
        r.symlink("/escape", &format!("{outside}/new")).mount("/escape", "tmpfs", TRACE, &[]);
    }),
    Scenario::new(
        "mounts.destination.symlink/at-proc",
        CITES,
        &[Fault::Take("/mounts/0/destination", "\"/elsewhere\"")],
        |lab, out| not_led_away(lab, out, "/proc"),
    )
    .axis(Axis::Security)
    .needs(&[Need::HostView]),
    Scenario::new(
        "mounts.destination.symlink/at-sys",
        CITES,
        &[Fault::Take("/mounts/5/destination", "\"/elsewhere\"")],
        |lab, out| not_led_away(lab, out, "/sys"),
    )
    .axis(Axis::Security)
    .needs(&[Need::HostView]),
];
