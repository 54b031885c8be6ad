//! The usual command lines, taken apart without clap: to build its tables takes longer than most of what an operation
//! does. What is not known here, or not sure, is left to clap, which says the same of all that is: a test sees to it.

use std::ffi::OsString;
use std::path::PathBuf;

use super::args::{Arguments, Delete, Global, Id, Kill, Make, Rootless, Run, Verb};
use crate::log::Format;

/// The options of a verb, by their long names.
struct Known {
    flags: &'static [&'static str],
    values: &'static [&'static str],
    /// Letters and what they are short for.
    short: &'static [(&'static str, &'static str)],
    /// How many words there may be beside the options.
    operands: usize,
}

const GLOBAL: Known = Known {
    flags: &["--debug", "--systemd-cgroup"],
    values: &["--root", "--log", "--log-format"],
    short: &[],
    operands: 0,
};
const CREATE: Known = Known {
    flags: &["--no-pivot", "--no-new-keyring"],
    values: &["--bundle", "--console-socket", "--pid-file", "--pidfd-socket"],
    short: &[("-b", "--bundle")],
    operands: 1,
};
const RUN: Known = Known {
    flags: &["--no-pivot", "--no-new-keyring", "--detach", "--keep", "--no-subreaper"],
    short: &[("-b", "--bundle"), ("-d", "--detach")],
    ..CREATE
};
const ID: Known = Known { flags: &[], values: &[], short: &[], operands: 1 };
const KILL: Known = Known { flags: &["--all"], short: &[("-a", "--all")], operands: 2, ..ID };
const DELETE: Known = Known { flags: &["--force"], short: &[("-f", "--force")], ..ID };

/// What was found of them.
#[derive(Debug, Default)]
struct Given<'a> {
    flags: Vec<&'a str>,
    values: Vec<(&'a str, &'a str)>,
    operands: Vec<&'a str>,
}

/// Takes the words of a command line apart, the first being the name of the program; nothing when that is for clap.
pub(super) fn arguments(words: &[OsString]) -> Option<Arguments> {
    let words: Vec<_> = words.iter().skip(1).map(|word| word.to_str()).collect::<Option<_>>()?;
    let (global, rest) = Given::of(&words, &GLOBAL)?;
    let (verb, rest) = rest.split_first()?;
    let given = |known| Given::of(rest, known).filter(|(_, left)| left.is_empty()).map(|(given, _)| given);
    let verb = match *verb {
        "create" => Verb::Create(given(&CREATE)?.make()?),
        "run" => Verb::Run(given(&RUN)?.run()?),
        "start" => Verb::Start(Id { id: given(&ID)?.operand(0)? }),
        "state" => Verb::State(Id { id: given(&ID)?.operand(0)? }),
        "kill" => Verb::Kill(given(&KILL)?.kill()?),
        "delete" => Verb::Delete(given(&DELETE)?.delete()?),
        _ => return None,
    };
    Some(Arguments { global: global.global()?, verb })
}

impl<'a> Given<'a> {
    /// Takes options and operands, as many as there may be, and returns them with the words that are left.
    fn of<'w>(mut words: &'w [&'a str], known: &Known) -> Option<(Self, &'w [&'a str])> {
        let mut given = Self::default();
        while let Some((word, rest)) = words.split_first() {
            if !word.starts_with('-') {
                if given.operands.len() == known.operands {
                    break;
                }
                given.operands.push(word);
                words = rest;
                continue;
            }
            let (name, joined) = word.split_once('=').map_or((*word, None), |(name, value)| (name, Some(value)));
            let long = known.short.iter().find(|(short, _)| short == word).map_or(name, |(_, long)| long);
            if given.flag(long) || given.value(long).is_some() {
                return None;
            }
            words = if known.flags.contains(&long) && joined.is_none() {
                given.flags.push(long);
                rest
            } else if known.values.contains(&long) {
                let (value, rest) =
                    joined.map_or_else(|| rest.split_first().map(|(v, rest)| (*v, rest)), |v| Some((v, rest)))?;
                given.values.push((long, Some(value).filter(|value| !value.is_empty() && !value.starts_with('-'))?));
                rest
            } else {
                return None;
            };
        }
        Some((given, words))
    }

    fn flag(&self, name: &str) -> bool {
        self.flags.contains(&name)
    }

    fn value(&self, name: &str) -> Option<&'a str> {
        self.values.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    fn path(&self, name: &str) -> Option<PathBuf> {
        self.value(name).map(PathBuf::from)
    }

    fn operand(&self, index: usize) -> Option<String> {
        self.operands.get(index).filter(|operand| !operand.is_empty()).map(|operand| (*operand).to_owned())
    }

    fn global(&self) -> Option<Global> {
        let log_format = match self.value("--log-format") {
            None | Some("text") => Format::Text,
            Some("json") => Format::Json,
            Some(_) => return None,
        };
        Some(Global {
            root: self.path("--root"),
            log: self.path("--log"),
            log_format,
            debug: self.flag("--debug"),
            systemd_cgroup: self.flag("--systemd-cgroup"),
            rootless: Rootless::Auto,
            version: (),
        })
    }

    fn make(&self) -> Option<Make> {
        Some(Make {
            id: self.operand(0)?,
            bundle: self.path("--bundle").unwrap_or_else(|| ".".into()),
            console_socket: self.path("--console-socket"),
            pidfd_socket: self.path("--pidfd-socket"),
            pid_file: self.path("--pid-file"),
            no_pivot: self.flag("--no-pivot"),
            no_new_keyring: self.flag("--no-new-keyring"),
            preserve_fds: 0,
        })
    }

    fn run(&self) -> Option<Run> {
        let (detach, keep, no_subreaper) = (self.flag("--detach"), self.flag("--keep"), self.flag("--no-subreaper"));
        Some(Run { make: self.make()?, detach, keep, no_subreaper })
    }

    fn kill(&self) -> Option<Kill> {
        let signal = if self.operands.len() > 1 { self.operand(1)? } else { "TERM".into() };
        Some(Kill { id: self.operand(0)?, signal, all: self.flag("--all") })
    }

    fn delete(&self) -> Option<Delete> {
        Some(Delete { id: self.operand(0)?, force: self.flag("--force") })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn what_callers_say_is_known() {
        for line in [
            "r --root /r run --bundle b c",
            "r --root /r --log=l --log-format json create --bundle /b --pid-file /p --console-socket /s c",
            "r --systemd-cgroup create -b b c",
            "r --root /r start c",
            "r --root /r state c",
            "r --root /r kill c KILL",
            "r --root /r kill --all c 9",
            "r --root /r delete --force c",
        ] {
            assert!(arguments(&words(line)).is_some(), "{line}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]

        #[test]
        fn clap_says_the_same(line in prop::collection::vec(word(), 0..7)) {
            let line: Vec<_> = ["r"].into_iter().chain(line).map(OsString::from).collect();
            if let Some(quick) = arguments(&line) {
                let careful = Arguments::by_clap(line);
                prop_assert_eq!(careful.map(|careful| format!("{careful:?}")).ok(), Some(format!("{quick:?}")));
            }
        }
    }

    fn word() -> impl Strategy<Value = &'static str> {
        let options = [GLOBAL, RUN, KILL, DELETE].into_iter().flat_map(|known| {
            known
                .short
                .iter()
                .map(|(short, _)| *short)
                .chain(known.flags.iter().chain(known.values).copied())
                .collect::<Vec<_>>()
        });
        let others = ["a", "b", "", "-", "--", "-x", "--bundle=b", "--bundle=", "-b=b", "--all=a", "json", "text", "9"];
        prop_oneof![
            prop::sample::select(vec!["create", "run", "start", "state", "kill", "delete", "list"]),
            prop::sample::select(options.collect::<Vec<_>>()),
            prop::sample::select(others.to_vec()),
        ]
    }
}
