//! `linux.maskedPaths`: nothing can be read there.

use plimsoll_engine::check::{Case, Rule, Scenario};
use plimsoll_engine::fault::Fault;
use plimsoll_fixtures::Config;
use plimsoll_fixtures::probe::Ask;
use plimsoll_foreign::read;

const MASKED: &str = "/linux/maskedPaths";

/// A reader finds nothing at a masked path: an error, end-of-file or an empty directory are all that.
pub(super) const MASKED_PATHS: Rule = Rule::new(
    "linux.masked-paths",
    &["linux.masked-paths.unreadable"],
    |config| masked(config).flat_map(|path| [Ask::Read(path.clone()), Ask::List(path)]).collect(),
    |config, evidence, out| {
        for path in masked(config) {
            let read = evidence.inside.read(&path);
            out.expect(&format!("reading {path}"), read.is_err() || read == Ok(&vec![]), "no content", read);
            let list = evidence.inside.list(&path);
            out.expect(&format!("listing {path}"), list.is_err() || list == Ok(&vec![]), "no entries", list);
        }
    },
);

fn masked(config: &Config) -> impl Iterator<Item = String> {
    config.texts(MASKED).into_iter().map(str::to_owned)
}

/// One case a row: files of the root filesystem or mounts, the masked paths, and runtimes that leave one readable.
macro_rules! masked {
    ($($name:literal, $edits:expr, $paths:expr, $faults:expr;)*) => {
        &[$(Case::new(&MASKED_PATHS, $name, |r| r.also($edits).set(MASKED, $paths), $faults)),*]
    };
}

const DROP: &[Fault] = &[Fault::Drop(MASKED)];
const DROP_LAST: &[Fault] = &[Fault::DropLast(MASKED), Fault::Drop(MASKED)];

pub(super) const CASES: &[Case] = masked! {
        "file", |r| r.file("/target", "secret"), ["/target"], DROP;
        "nested-file", |r| r.file("/a/b/c", "secret"), ["/a/b/c"], DROP;
        "directory", |r| r.file("/dir/file", "secret"), ["/dir"], DROP;
        "nested-directory", |r| r.file("/a/b/c", "secret"), ["/a/b"], DROP;
        "directory-with-directories", |r| r.file("/a/b/c/d", "secret").file("/a/e", "x"), ["/a"], DROP;
        "several", |r| r.file("/a", "secret").file("/b/c", "secret"), ["/a", "/b"],
            &[Fault::DropLast(MASKED), Fault::Drop("/linux/maskedPaths/0")];
        "twice", |r| r.file("/a", "secret").file("/b", "secret"), ["/a", "/a", "/b"], DROP_LAST;
        "below-another", |r| r.file("/a/b", "secret").file("/c", "secret"), ["/a", "/a/b", "/c"], DROP_LAST;
        "beside-an-absent-one", |r| r.file("/a", "secret"), ["/none", "/none/either", "/a"], DROP_LAST;
        "through-a-link", |r| r.file("/a", "secret").symlink("/link", "a"), ["/link"], DROP;
        "through-a-link-in-the-way", |r| r.file("/a/b", "secret").symlink("/link", "/a"), ["/link/b"], DROP;
        "with-blanks", |r| r.file("/a b", "secret"), ["/a b"], DROP;
        "with-a-slash-at-the-end", |r| r.file("/dir/file", "secret"), ["/dir/"], DROP;
        "settings-of-the-kernel", |r| r, ["/proc/sys"], DROP;
        "file-of-proc", |r| r, ["/proc/version"], DROP;
        "directory-of-proc", |r| r, ["/proc/tty"], DROP;
        "directory-of-sys", |r| r, ["/sys/kernel"], DROP;
        "in-a-mount", |r| r.directory("/data").beside("d/x", "secret")
            .mount("/data", "bind", "{bundle}/d", &["bind"]), ["/data/x"], DROP;
        "a-mount", |r| r.directory("/data").beside("d/x", "secret")
            .mount("/data", "bind", "{bundle}/d", &["bind"]), ["/data"], DROP;
        "under-a-read-only-root", |r| r.file("/a", "secret").set("/root/readonly", true), ["/a"], DROP;
        "as-another-user", |r| r.file("/dir/file", "secret").set("/process/user/uid", 1000), ["/dir"], DROP;
        "in-a-user-namespace", |r| crate::namespaces::usual_user(r).file("/a", "secret"), ["/a", "/proc/keys"],
            DROP;
};

pub(super) const SCENARIOS: &[Scenario] = &[ON_THE_HOST, BESIDE, RELATIVE];

const ON_THE_HOST: Scenario = Scenario::new(
    "linux.masked-paths/files-on-the-host-kept",
    &["linux.masked-paths.unreadable"],
    &[Fault::Drop(MASKED)],
    |lab, out| {
        let container = lab.running(|r| r.file("/a", "secret").file("/dir/b", "secret").set(MASKED, ["/a", "/dir"]))?;
        for (path, ask) in [("a", Ask::Read("/a".into())), ("dir/b", Ask::Read("/dir/b".into()))] {
            let inside = container.ask(ask)?;
            let nothing = plimsoll_fixtures::probe::Reply::Bytes(Vec::new());
            out.expect(path, inside.is_err() || inside == Ok(nothing), "nothing to read inside", inside);
            let outside = read::text(&container.bundle.rootfs().join(path), read::DOCUMENT);
            let outside = outside.map_err(|why| std::io::Error::from(why).kind());
            out.expect_eq(&format!("{path} on the host"), outside.as_deref(), Ok("secret"));
        }
        container.finish_and_delete()
    },
);

/// What is not listed stays readable.
const BESIDE: Scenario = Scenario::new(
    "linux.masked-paths/nothing-else",
    &["linux.masked-paths.unreadable"],
    &[Fault::Take(MASKED, r#"["/dir"]"#)],
    |lab, out| {
        let container = lab.running(|r| r.file("/dir/a", "secret").file("/dir/b", "open").set(MASKED, ["/dir/a"]))?;
        let beside = container.ask(Ask::Read("/dir/b".into()))?;
        out.expect_eq("the file beside", beside, Ok(plimsoll_fixtures::probe::Reply::Bytes(b"open".to_vec())));
        container.finish_and_delete()
    },
);

/// A relative path is an invalid value.
const RELATIVE: Scenario = Scenario::new(
    "linux.masked-paths/relative",
    &["linux.masked-paths.absolute", "config.values.invalid-error"],
    &[Fault::Drop(MASKED)],
    |lab, out| {
        lab.refuses(out, |r| r.file("/target", "secret").set(MASKED, ["/target"]), |r| r.set(MASKED, ["target"]))
    },
);
