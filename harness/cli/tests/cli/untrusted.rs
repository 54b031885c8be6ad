//! Files of a directory that somebody else has filled, and runtimes that write oddly: nothing is read without end, nothing
//! outside appears, and what is wrong is told in one clear line.

use std::fs::{self, File, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::bench::{Bench, SIMPLEST};
use crate::hostile::wrap;
use crate::runtime_or_skip;

/// A project in one directory and a neighbour that must stay as it is.
struct Scene {
    bench: Bench,
}

impl Scene {
    fn new() -> Self {
        let bench = Bench::new();
        fs::create_dir(bench.path("project")).unwrap();
        fs::create_dir(bench.path("outside")).unwrap();
        fs::write(bench.path("outside/file"), "kept").unwrap();
        Self { bench }
    }

    fn project(&self, name: &str) -> PathBuf {
        self.bench.path("project").join(name)
    }

    fn outside(&self, name: &str) -> String {
        self.bench.path("outside").join(name).display().to_string()
    }

    fn call(&self, args: &[&str]) -> Output {
        self.bench.command(args).current_dir(self.bench.path("project")).output().unwrap()
    }

    /// Calls, and expects this exit code, one line that has no control characters, and nothing outside.
    fn refused(&self, args: &[&str], code: i32) -> String {
        let output = self.call(args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{args:?}: {said}");
        assert_harmless(&said);
        self.assert_untouched();
        said
    }

    fn assert_untouched(&self) {
        let names: Vec<_> =
            fs::read_dir(self.bench.path("outside")).unwrap().map(|one| one.unwrap().file_name()).collect();
        assert_eq!(names, ["file"]);
        assert_eq!(fs::read_to_string(self.bench.path("outside/file")).unwrap(), "kept");
        assert!(!self.bench.path("escaped").exists());
    }

    /// A case in the corpus, which is what a search tries first.
    fn corpus(&self, name: &str, subject: &Value) -> PathBuf {
        let dir = self.project("fixtures/corpus").join(name);
        fs::create_dir_all(&dir).unwrap();
        let case = json!({
            "description": "a case", "property": "bundle.runs", "clauses": [], "runtime": "r", "seed": 1, "case": 1, "subject": subject,
        });
        fs::write(dir.join("case.json"), case.to_string()).unwrap();
        dir
    }
}

/// Nothing that a terminal obeys, and no character that reorders others.
fn assert_harmless(text: &str) {
    let obeyed = text.chars().find(|&c| (c.is_control() && c != '\n') || ('\u{202a}'..='\u{202e}').contains(&c));
    assert_eq!(obeyed, None, "{text:?}");
}

/// No line of what a runtime chose begins as one of ours would, in formats that are read line by line.
fn assert_not_forged(format: &str, text: &str) {
    let forged = |line: &str| line.starts_with("::error::forged") || line.starts_with("not ok 1 forged");
    let by_mark_up = ["html", "junit", "csv", "markdown"].contains(&format);
    assert!(by_mark_up || !text.lines().any(forged), "{format}: {text}");
}

fn escapes(scene: &Scene) -> Vec<(&'static str, Value)> {
    let bundle = |edits: Value| json!({ "bundle": [{ "name": "random/mounts.bind", "edits": edits }] });
    let file = |path: &str, mode: u32| json!({ "file": [path, "x", mode] });
    let link = |path: &str, target: &str| json!({ "symlink": [path, target] });
    let (outside, escaped) = (scene.outside(""), scene.outside("escaped"));
    let hook = json!({ "set": ["/hooks/poststop", [{ "path": "/bin/sh", "args": ["sh", "-c", format!("touch {escaped}")] }]] });
    let mount =
        json!({ "push": ["/mounts", { "destination": "/m", "type": "bind", "source": outside, "options": ["bind"] }] });
    vec![
        ("parents", bundle(json!([file("../../../../../../../../../../../../tmp/plimsoll-escaped", 0o644)]))),
        ("absolute", bundle(json!([file(&escaped, 0o644)]))),
        ("link-within", bundle(json!([link("rootfs/l", &outside), file("rootfs/l/escaped", 0o644)]))),
        ("link-at-end", bundle(json!([link("rootfs/l", &escaped), file("rootfs/l", 0o644)]))),
        ("set-user-id", bundle(json!([file("rootfs/x", 0o4755)]))),
        ("program", bundle(json!([file("rootfs/x", 0o755)]))),
        ("hard-link", bundle(json!([{ "probe": escaped }]))),
        ("device", bundle(json!([{ "device": ["rootfs/disk", "b", 8, 0] }]))),
        ("directory", bundle(json!([{ "directory": ["../escaped", 0o755] }]))),
        ("owner", bundle(json!([{ "owner": ["../../outside/file", 1, 1] }]))),
        ("tmpfs", bundle(json!([{ "tmpfs": [outside, []] }]))),
        ("hook", bundle(json!([hook]))),
        ("mount", bundle(json!([mount]))),
        ("a-configuration", json!({ "hostile": { "bytes": format!("{{\"hooks\":{hook}}}").into_bytes() } })),
        ("an-option-as-id", json!({ "hostile": { "id": "--root=/" } })),
        ("a-group-of-others", json!({ "hostile": { "cgroups-path": "/../init.scope" } })),
    ]
}

#[test]
fn no_case_leaves_its_bundle_through_any_door() {
    let scene = Scene::new();
    for (name, subject) in escapes(&scene) {
        let dir = scene.corpus(name, &subject);
        let dir_text = dir.to_string_lossy();
        for args in [
            &["replay", &dir_text][..],
            &["fuzz", "--cases", "0"],
            &["fuzz", "--cases", "0", "--corpus", "fixtures/corpus"],
            &["corpus", "add", &dir_text, "--name", "other", "--corpus", "more"],
            &["corpus", "list"],
        ] {
            let said = scene.refused(args, 4);
            assert!(said.contains("case.json") && said.contains("is refused"), "{name}: {said}");
        }
        fs::remove_dir_all(dir).unwrap();
        assert!(!scene.project("more").exists() && !scene.project("fuzz.json").exists(), "{name}");
    }
    assert!(!Path::new("/tmp/plimsoll-escaped").exists());
}

#[test]
fn a_case_that_is_no_file_is_not_waited_for() {
    let scene = Scene::new();
    let dir = scene.project("case");
    fs::create_dir(&dir).unwrap();
    let place = dir.join("case.json");
    let sparse = |place: &Path| File::create(place).unwrap().set_len(1 << 34).unwrap();
    let fifo = |place: &Path| assert!(Command::new("mkfifo").arg(place).status().unwrap().success());
    type Maker<'m> = &'m dyn Fn(&Path);
    let makers: [(&str, Maker<'_>); 4] = [
        ("symbolic link", &|place| symlink("/dev/zero", place).unwrap()),
        ("FIFO", &fifo),
        ("longer than", &sparse),
        ("directory", &|place| fs::create_dir(place).unwrap()),
    ];
    for (word, make) in makers {
        make(&place);
        let said = scene.refused(&["replay", "case"], 4);
        assert!(said.contains(word), "{word}: {said}");
        fs::remove_file(&place).or_else(|_| fs::remove_dir(&place)).unwrap();
    }
}

#[test]
fn a_name_is_one_part_of_a_path() {
    let scene = Scene::new();
    let good = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/corpus/two-ranges-of-ids");
    let good = good.to_string_lossy();
    let absolute = scene.outside("escaped");
    for name in ["../../outside/escaped", "..", ".", "a/b", "", "a\u{1b}[2J", absolute.as_str()] {
        let said = scene.refused(&["corpus", "add", &good, "--corpus", "corpus", &format!("--name={name}")], 4);
        assert!(said.contains("the name"), "{said}");
    }
    symlink(scene.bench.path("outside"), scene.project("linked")).unwrap();
    let said = scene.refused(&["corpus", "add", &good, "--corpus", "linked"], 4);
    assert!(said.contains("symbolic link"), "{said}");
    assert_eq!(scene.call(&["corpus", "add", &good, "--corpus", "corpus", "--name", "ok"]).status.code(), Some(0));
    assert!(scene.project("corpus/ok/case.json").is_file());
}

/// Results of one check that failed, with this text wherever a runtime or somebody else may put one.
fn results(hostile: &str) -> Value {
    let clause = json!({ "id": "a.b", "level": "MUST", "text": hostile, "link": hostile, "since": "v1.0.0" });
    let call =
        json!({ "command": hostile, "ended": hostile, "stdout": hostile, "stderr": hostile, "duration_ms": 1.0 });
    let evidence =
        json!({ "replay": hostile, "calls": [call], "configs": { hostile: { hostile: hostile } }, "kept": hostile });
    json!({
        "schema": "1.1", "plimsoll": hostile, "run": hostile, "started_at": 1, "duration_ms": 1, "cut_short": hostile,
        "runtime": { "path": hostile, "version": hostile, "sha256": hostile, "profile": hostile, "spec": hostile },
        "host": { "kernel": hostile, "machine": hostile, "cgroups": hostile, "cgroup_view": hostile, "lsms": [hostile],
            "missing_capabilities": [hostile] },
        "checks": [{ "id": format!("{hostile}/x"), "section": hostile, "axis": "security", "clauses": [clause], "verdict": "fail",
            "duration_ms": 1.0, "reason": hostile, "evidence": evidence, "known": null,
            "findings": [{ "what": hostile, "expected": hostile, "observed": hostile }] }],
    })
}

const HOSTILE: &str = "../../outside/escaped\u{1b}[2J\u{9b}8m\u{202e}\r\n::error::forged\nnot ok 1 forged\n";

#[test]
fn results_of_others_name_no_files_and_drive_no_terminal() {
    let scene = Scene::new();
    fs::write(scene.project("hostile.json"), results(HOSTILE).to_string()).unwrap();
    for format in ["table", "html", "markdown", "junit", "tap", "github", "csv", "badge", "sarif"] {
        let output = scene.call(&["report", "hostile.json", "--format", format]);
        assert_eq!(output.status.code(), Some(0), "{format}: {}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8_lossy(&output.stdout).replace(['\t', '\r'], " ");
        assert_harmless(&text);
        assert_not_forged(format, &text);
    }
    for args in [
        &["report", "hostile.json", "--format", "oci=folder"][..],
        &["merge", "hostile.json"],
        &["compare", "hostile.json", "hostile.json"],
        &[
            "submit",
            "hostile.json",
            "--vendor",
            "v",
            "--name",
            "n",
            "--website-url",
            "u",
            "--documentation-url",
            "u",
            "--description",
            "d",
        ],
        &["expect", "update", "hostile.json"],
    ] {
        let output = scene.call(args);
        assert_harmless(&String::from_utf8_lossy(&output.stderr));
        assert_harmless(&String::from_utf8_lossy(&output.stdout));
        scene.assert_untouched();
    }
}

#[test]
fn output_is_not_written_through_a_link() {
    let scene = Scene::new();
    let mut whole = results("x");
    whole["cut_short"] = Value::Null;
    fs::write(scene.project("some.json"), whole.to_string()).unwrap();
    for (at, args) in [
        ("results.json", &["merge", "some.json"][..]),
        ("page.html", &["report", "some.json", "--format", "html=page.html"]),
        ("folder", &["report", "some.json", "--format", "oci=folder"]),
        ("expectations.toml", &["expect", "update", "some.json"]),
    ] {
        let target = if at == "folder" { "../outside" } else { "../outside/file" };
        symlink(target, scene.project(at)).unwrap();
        let output = scene.call(args);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(2 | 4)), "{at}: {said}");
        assert!(said.contains("symbolic link") || said.contains("line 1"), "{at}: {said}");
        scene.assert_untouched();
    }
}

#[test]
fn what_a_directory_says_of_the_runtime_is_announced_or_refused() {
    let scene = Scene::new();
    let file = scene.project("plimsoll.toml");
    fs::write(&file, "runtime = [\"/none/such\"]\n").unwrap();
    let mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    mode(&file, 0o644);
    let output = scene.call(&["run", "--filter", SIMPLEST]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.lines().next().unwrap().contains("plimsoll.toml says runtime /none/such"), "{said}");
    assert_eq!(output.status.code(), Some(4), "{said}");
    mode(&file, 0o666);
    let said = scene.refused(&["run", "--filter", SIMPLEST], 4);
    assert!(said.contains("written by everybody") && said.contains("--config"), "{said}");
    mode(&file, 0o644);
    mode(&scene.bench.path("project"), 0o777);
    assert!(scene.refused(&["prove"], 4).contains("its directory"));
    mode(&scene.bench.path("project"), 0o755);
    fs::write(&file, "profile = \"a\\u001b[2J\"\n").unwrap();
    assert!(scene.refused(&["run", "--help"], 4).contains("control character"));
    fs::remove_file(&file).unwrap();
    symlink("/dev/zero", &file).unwrap();
    assert!(scene.refused(&["run", "--list"], 4).contains("a device"));
}

#[test]
fn a_place_that_others_can_take_over_is_refused() {
    let real = runtime_or_skip!();
    let scene = Scene::new();
    let shared = scene.bench.path("shared");
    fs::create_dir(&shared).unwrap();
    fs::set_permissions(&shared, Permissions::from_mode(0o777)).unwrap();
    let runtime = real.to_string_lossy();
    let mut command = scene.bench.command(&["run", "--runtime", &runtime, "--filter", SIMPLEST]);
    let output = command.env("TMPDIR", &shared).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1), "{said}");
    assert!(said.contains("no sticky bit (mode 0777)") && said.contains("TMPDIR"), "{said}");
    assert_eq!(fs::read_dir(&shared).unwrap().count(), 0);
}

#[test]
fn an_odd_pid_file_is_a_failure_of_the_runtime() {
    let real = runtime_or_skip!();
    // The words are: --root DIR create --bundle DIR --pid-file FILE …
    for (make, word) in [
        ("ln -s /dev/zero \"$7\"", "symbolic link"),
        ("mkfifo \"$7\"", "FIFO"),
        ("truncate -s 1G \"$7\"", "longer than"),
        ("mkdir \"$7\"", "directory"),
    ] {
        let special = format!("$real \"$@\"; rm -f \"$7\"; {make}; exit 0");
        let ran = wrap(&Bench::new(), &real, "create", &special);
        assert_eq!((ran.code, ran.verdict(SIMPLEST)), (1, "fail"), "{word}: {:#}", ran.results);
        let findings = ran.results["checks"][0]["findings"].to_string();
        assert!(findings.contains("the pid file") && findings.contains(word), "{findings}");
    }
}

#[test]
fn what_never_ends_is_not_kept_and_ends_at_the_deadline() {
    let real = runtime_or_skip!();
    for (op, special) in
        [("state", "exec cat /dev/zero"), ("state", "exec cat /dev/zero >&2"), ("create", "exec cat /dev/zero")]
    {
        let ran = wrap(&Bench::new(), &real, op, special);
        assert_eq!((ran.code, ran.verdict(SIMPLEST)), (1, "timeout"), "{op}: {special}: {:#}", ran.results);
    }
    let deep = "printf '[%.0s' $(seq 9000); exit 0";
    let ran = wrap(&Bench::new(), &real, "state", deep);
    assert_eq!((ran.code, ran.verdict(SIMPLEST)), (1, "fail"), "{:#}", ran.results);
}

#[test]
fn what_a_runtime_says_of_itself_drives_no_terminal() {
    let real = runtime_or_skip!();
    let bench = Bench::new();
    let hostile = "printf '\\033[2J\\233\\302\\2338m\\342\\200\\256\\n::error::forged\\nnot ok 1 forged\\n'";
    let version =
        "[ \"$1\" = --version ] && { printf 'runc version \\033[2J\\302\\2338m\\342\\200\\256x\\n'; exit 0; }";
    let body =
        format!("{version}\n[ \"$3\" = create ] && {{ {hostile} >&2; exit 1; }}\nexec {} \"$@\"", real.display());
    let runtime = bench.script("runtime", &body);
    for format in ["table", "markdown", "junit", "tap", "github", "csv"] {
        let runtime = runtime.to_string_lossy();
        let args = ["run", "--runtime", &runtime, "--filter", SIMPLEST, "--format", format];
        let output = bench.command(&args).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        for text in [&output.stdout, &output.stderr] {
            let text = String::from_utf8_lossy(text).replace(['\t', '\r'], " ");
            assert_harmless(&text);
            assert_not_forged(format, &text);
        }
    }
}
