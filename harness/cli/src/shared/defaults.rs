//! `plimsoll.toml`: default options of a project. The values become the defaults of the options, so the command line wins and
//! `--help` shows them.

use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

use clap::{Command, ValueEnum};
use plimsoll_engine::release::Release;
use plimsoll_foreign::read::ReadError;
use plimsoll_foreign::{read, trust};
use plimsoll_reports::text::printable;
use serde::{Deserialize, Deserializer};

use crate::args::View;
use crate::shared::failure::Failure;
use crate::shared::output::{ReportRequest, say};

/// Where it is looked for.
const FILE: &str = "plimsoll.toml";

/// The commands that call a runtime which the file may name.
const JUDGES: &[&str] = &["run", "prove", "fuzz", "replay"];

/// The commands that write reports which the file may name.
const RENDER: &[&str] = &["run", "merge"];

/// The file.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case")]
pub struct Defaults {
    #[serde(deserialize_with = "one_or_several")]
    runtime: Vec<String>,
    profile: Option<String>,
    cgroup_view: Option<Sound<ViewName>>,
    spec: Option<Sound<Release>>,
    jobs: Option<u16>,
    timeout: Option<u64>,
    #[serde(deserialize_with = "one_or_several")]
    filter: Vec<String>,
    #[serde(deserialize_with = "one_or_several")]
    expect: Vec<String>,
    format: Vec<Sound<ReportRequest>>,
    output: Option<String>,
}

/// `"a"` is as good as `["a"]`.
fn one_or_several<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a string or a list of strings")]
    enum Either {
        One(String),
        Several(Vec<String>),
    }
    Ok(match Either::deserialize(from)? {
        Either::One(text) => vec![text],
        Either::Several(texts) => texts,
    })
}

/// Text that stands for a `T`; that is seen where the text is, so that an error can name its line.
#[derive(Debug, Deserialize)]
#[serde(try_from = "String", bound = "T: FromStr<Err: std::fmt::Display>")]
struct Sound<T> {
    text: String,
    of: std::marker::PhantomData<T>,
}

impl<T: FromStr<Err: std::fmt::Display>> TryFrom<String> for Sound<T> {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        match T::from_str(&text) {
            Ok(_) => Ok(Self { text, of: std::marker::PhantomData }),
            Err(why) => Err(why.to_string()),
        }
    }
}

/// The name of a view.
#[derive(Debug)]
struct ViewName;

impl FromStr for ViewName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        <View as ValueEnum>::from_str(text, false)
            .map(|_| Self)
            .map_err(|_| format!("unknown view {text:?}: use host or v1"))
    }
}

impl Defaults {
    /// Reads the file that the arguments name with `--config`, else `plimsoll.toml` if it is in the current directory. What the
    /// latter says of what is executed, and how, is announced: whoever changed into the directory need not know it.
    pub fn read(arguments: &[String]) -> Result<Self, Failure> {
        if let Some(path) = named(arguments) {
            return Self::of(&path, &read::given(&path, read::SETTINGS).map_err(|why| unreadable(&path, &why))?);
        }
        let path = Path::new(FILE);
        let text = match read::given(path, read::SETTINGS) {
            Ok(text) => text,
            Err(why) if why.is_absent() => return Ok(Self::default()),
            Err(why) => return Err(unreadable(path, &why)),
        };
        let defaults = Self::of(path, &text)?;
        let calls = |subcommands: &[&str]| {
            subcommands.iter().any(|subcommand| arguments.iter().any(|argument| argument == subcommand))
        };
        if calls(JUDGES) || calls(RENDER) {
            let place = std::path::absolute(path).map_err(Failure::host)?;
            defaults.stays_below(&place)?;
            defaults.is_trusted(&place)?;
            let words = defaults.choices();
            if calls(JUDGES) && !words.is_empty() {
                say(&format!("plimsoll: {} says {}", place.display(), words.join(", ")));
            }
        }
        Ok(defaults)
    }

    /// Refuses what root would execute or write by a file that somebody else could have written.
    fn is_trusted(&self, place: &Path) -> Result<(), Failure> {
        let (Some(decides), Some(why)) = (self.decides(), trust::objection(place).map_err(Failure::host)?) else {
            return Ok(());
        };
        Err(Failure::Usage(format!(
            "{} is not used, since it says what is {decides} as root ({}) and {why}: make it writable for yourself alone, or name it \
             by --config",
            place.display(),
            self.choices().join(", "),
        )))
    }

    /// What the file decides that only its owner may.
    fn decides(&self) -> Option<&'static str> {
        if !self.runtime.is_empty() || self.profile.is_some() {
            Some("executed")
        } else {
            self.written().next().map(|_| "written")
        }
    }

    /// The files that it has written.
    fn written(&self) -> impl Iterator<Item = PathBuf> {
        let reports = self.format.iter().filter_map(|request| ReportRequest::from_str(&request.text).ok()?.file);
        self.output.iter().map(PathBuf::from).chain(reports)
    }

    /// Each file that is written lies in the directory of this one or below: whoever changed into it expects no more.
    fn stays_below(&self, place: &Path) -> Result<(), Failure> {
        let own = place.parent().map(std::fs::canonicalize).transpose().map_err(Failure::host)?.unwrap_or_default();
        for file in self.written() {
            let above = file.parent().filter(|above| *above != Path::new("")).unwrap_or(Path::new("."));
            // A directory that is not there is an error of its own, later.
            let leads_out = std::fs::canonicalize(own.join(above)).is_ok_and(|above| !above.starts_with(&own));
            if leads_out || file.components().any(|part| !matches!(part, Component::Normal(_) | Component::CurDir)) {
                return Err(Failure::Usage(format!(
                    "{}: `{}` is outside of its directory: give that file on the command line",
                    place.display(),
                    printable(&file.to_string_lossy())
                )));
            }
        }
        Ok(())
    }

    /// What the file says, in words.
    fn choices(&self) -> Vec<String> {
        let chosen = |(name, _, values): &(&str, &[&str], Vec<String>)| {
            (!values.is_empty()).then(|| format!("{} {}", name.replace('_', "-"), values.join(" ")))
        };
        self.values().iter().filter_map(chosen).collect()
    }

    fn of(path: &Path, text: &str) -> Result<Self, Failure> {
        let defaults: Self = toml::from_str(text).map_err(|why| {
            let line = why.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            Failure::Usage(format!("{}, line {line}: {}", path.display(), why.message().replace('\n', " ")))
        })?;
        // They are shown by `--help`, as they are.
        let values = defaults.values().into_iter().flat_map(|(_, _, values)| values);
        match values.into_iter().find(|value| printable(value) != value.as_str()) {
            Some(value) => Err(Failure::Usage(format!("{}: {value:?} has a control character", path.display()))),
            None => Ok(defaults),
        }
    }

    /// The command line with these defaults.
    pub fn put_into(&self, command: Command) -> Command {
        self.values().into_iter().filter(|(_, _, values)| !values.is_empty()).fold(command, |command, one| {
            let (option, subcommands, values) = one;
            subcommands.iter().fold(command, |command, subcommand| {
                let values = values.clone();
                command.mut_subcommand(subcommand, |subcommand| {
                    subcommand.mut_arg(option, |option| option.default_values(values))
                })
            })
        })
    }

    /// The value of each option, and the commands that have the option.
    fn values(&self) -> [(&'static str, &'static [&'static str], Vec<String>); 10] {
        let one = |value: Option<String>| value.into_iter().collect();
        [
            ("runtime", JUDGES, self.runtime.clone()),
            ("profile", JUDGES, one(self.profile.clone())),
            ("cgroup_view", JUDGES, one(self.cgroup_view.as_ref().map(|view| view.text.clone()))),
            ("spec", JUDGES, one(self.spec.as_ref().map(|spec| spec.text.clone()))),
            ("jobs", JUDGES, one(self.jobs.map(|jobs| jobs.to_string()))),
            ("timeout", JUDGES, one(self.timeout.map(|seconds| seconds.to_string()))),
            ("filter", &["run"], self.filter.clone()),
            ("expect", &["run", "merge", "compare", "fuzz"], self.expect.clone()),
            ("format", RENDER, self.format.iter().map(|request| request.text.clone()).collect()),
            ("output", &["run"], one(self.output.clone())),
        ]
    }
}

/// The file that `--config` names. It is needed before the command line can be taken apart.
fn named(arguments: &[String]) -> Option<PathBuf> {
    let next = arguments.iter().skip(1).chain([const { &String::new() }]);
    arguments.iter().zip(next).find_map(|(argument, next)| match argument.strip_prefix("--config") {
        Some("") => Some(next.into()),
        Some(rest) => rest.strip_prefix('=').map(Into::into),
        None => None,
    })
}

fn unreadable(path: &Path, why: &ReadError) -> Failure {
    Failure::Usage(format!("cannot read {}: {why}", path.display()))
}

#[cfg(test)]
mod tests {
    use clap::{CommandFactory, FromArgMatches};

    use super::*;
    use crate::args::{Arguments, Command, Run};

    fn run(file: &str, arguments: &[&str]) -> Run {
        let defaults = Defaults::of(Path::new(FILE), file).unwrap();
        let command = defaults.put_into(Arguments::command());
        let matches = command.try_get_matches_from([&["plimsoll", "run"], arguments].concat()).unwrap();
        match Arguments::from_arg_matches(&matches).unwrap().command {
            Command::Run(run) => *run,
            other => panic!("{other:?}"),
        }
    }

    const PROJECT: &str = r#"
runtime = ["./runtime"]
profile = "runsc"
cgroup-view = "v1"
spec = "1.2.1"
jobs = 3
timeout = 20
filter = ["mounts.*"]
expect = ["known.toml"]
format = ["html=report.html", "github"]
output = "out.json"
"#;

    #[test]
    fn every_value_becomes_a_default_and_the_command_line_wins() {
        let by_file = run(PROJECT, &[]);
        assert_eq!(by_file.subject.runtime, [PathBuf::from("./runtime")]);
        assert_eq!((by_file.subject.profile.as_str(), by_file.subject.jobs), ("runsc", Some(3)));
        assert_eq!((by_file.format.len(), by_file.expect.len(), by_file.subject.timeout), (2, 1, 20));
        let by_hand = run(PROJECT, &["--runtime", "runc", "--format", "tap=x", "--jobs", "1"]);
        assert_eq!(by_hand.subject.runtime, [PathBuf::from("runc")]);
        assert_eq!((by_hand.format.len(), by_hand.subject.jobs), (1, Some(1)));
        assert_eq!(by_hand.filter, ["mounts.*"]);
    }

    #[test]
    fn one_value_needs_no_list() {
        let by_file = run("runtime = \"./runtime\"\nfilter = \"mounts.*\"\n", &[]);
        assert_eq!(by_file.subject.runtime, [PathBuf::from("./runtime")]);
        assert_eq!(by_file.filter, ["mounts.*"]);
    }

    #[test]
    fn what_it_has_written_stays_in_its_directory() {
        let dir = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink("/", dir.path().join("link")).unwrap();
        std::fs::create_dir(dir.path().join("below")).unwrap();
        let place = dir.path().join(FILE);
        let stays = |text: &str| Defaults::of(Path::new(FILE), text).unwrap().stays_below(&place);
        for text in ["output = \"a.json\"", "output = \"./below/a.json\"", "format = [\"html=a.html\", \"tap\"]"] {
            assert!(stays(text).is_ok(), "{text}");
        }
        for out in ["output = \"../a.json\"", "output = \"/a.json\"", "output = \"link/a\"", "format = [\"html=../a\"]"]
        {
            assert!(stays(out).unwrap_err().to_string().contains("is outside of its directory"), "{out}");
        }
    }

    #[test]
    fn mistakes_are_named_with_file_and_line() {
        let refusal = |text: &str| Defaults::of(Path::new(FILE), text).unwrap_err().to_string();
        assert!(refusal("\nformat = [\"pdf\"]").starts_with("plimsoll.toml, line 2: there is no format"));
        assert!(refusal("runtimes = []").starts_with("plimsoll.toml, line 1: unknown field `runtimes`"));
        assert!(refusal("cgroup-view = \"v3\"").contains("host or v1"));
        assert!(refusal("jobs = \"two\"").starts_with("plimsoll.toml, line 1: "));
    }

    #[test]
    fn the_file_can_be_named() {
        let named = |arguments: &[&str]| super::named(&arguments.iter().map(|a| (*a).to_owned()).collect::<Vec<_>>());
        assert_eq!(named(&["run", "--config", "a.toml"]), Some("a.toml".into()));
        assert_eq!(named(&["--config=b.toml", "run"]), Some("b.toml".into()));
        assert_eq!(named(&["run", "--configure"]), None);
    }
}
