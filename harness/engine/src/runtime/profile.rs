//! The command-line profile of a runtime, as data. Profiles for runc and similar runtimes and for runsc are built in; users can add files.
//! The name of the binary does not matter.

use std::collections::BTreeMap;
use std::path::Path;

use plimsoll_foreign::read;
use serde::Deserialize;

/// The operations of the specification, and those that users of runc expect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the names are those of the operations")]
pub enum Op {
    Create,
    Start,
    State,
    Kill,
    Delete,
    Run,
    Exec,
    Ps,
    List,
    Pause,
    Resume,
    Update,
    Events,
    Features,
    Spec,
    // Its words are a member of their own in a profile.
    #[serde(skip)]
    Version,
}

impl std::fmt::Display for Op {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&format!("{self:?}").to_lowercase())
    }
}

/// How `kill` names a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SignalForm {
    /// `TERM`.
    Name,
    /// `15`.
    Number,
}

/// Checks that a kind of runtime cannot keep by design.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Lack {
    /// The id of a check, or what ids begin with and a `*`.
    pub checks: String,
    /// What the user reads.
    pub reason: String,
}

/// Operations and options that some of the runtimes of a profile do not have.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Without {
    /// What their versions begin with.
    pub versions: Vec<String>,
    /// The operations.
    #[serde(default)]
    pub operations: Vec<Op>,
    /// The options: an operation and the name of its part in the template.
    #[serde(default)]
    pub options: Vec<String>,
}

/// A profile file. See `profiles/runc.toml` for the meaning of each member.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[expect(missing_docs, reason = "documented in profiles/runc.toml, which users read")]
pub struct Profile {
    pub name: String,
    #[serde(default)]
    pub global: String,
    #[serde(default)]
    pub version: String,
    #[serde(default)]
    pub versions: Vec<String>,
    pub signal: SignalForm,
    #[serde(default = "yes")]
    pub shares_kernel: bool,
    pub operation: BTreeMap<Op, String>,
    #[serde(default)]
    pub lacks: Vec<Lack>,
    #[serde(default)]
    pub without: Vec<Without>,
}

fn yes() -> bool {
    true
}

/// A profile that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// There is no such file.
    #[error("cannot read profile {path}: {cause}")]
    Unreadable {
        /// The file.
        path: String,
        /// Why.
        cause: read::ReadError,
    },
    /// The file is not a profile.
    #[error("profile {path} is malformed: {why}")]
    Malformed {
        /// The file.
        path: String,
        /// Where and why, in one line.
        why: String,
    },
}

/// Names and texts of the built-in profiles.
pub const BUILT_IN: [(&str, &str); 2] =
    [("runc", include_str!("../../profiles/runc.toml")), ("runsc", include_str!("../../profiles/runsc.toml"))];

impl Profile {
    /// The built-in profile of this name, or else the file of this path.
    ///
    /// # Errors
    /// When it cannot be read, is not a profile, or lacks one of the five operations of the specification.
    pub fn load(name_or_path: &str) -> Result<Self, ProfileError> {
        if let Some((name, text)) = BUILT_IN.iter().find(|(name, _)| *name == name_or_path) {
            return Self::parse(name, text);
        }
        let text = read::given(Path::new(name_or_path), read::SETTINGS)
            .map_err(|cause| ProfileError::Unreadable { path: name_or_path.to_owned(), cause })?;
        Self::parse(name_or_path, &text)
    }

    /// The profile that a text is; `path` is for messages.
    ///
    /// # Errors
    /// When it is none, or lacks one of the five operations of the specification.
    pub fn parse(path: &str, text: &str) -> Result<Self, ProfileError> {
        let malformed = |why: String| ProfileError::Malformed { path: path.to_owned(), why };
        let profile: Self = toml::from_str(text).map_err(|why| malformed(one_line(&why, text)))?;
        for op in [Op::Create, Op::Start, Op::State, Op::Kill, Op::Delete] {
            if !profile.operation.contains_key(&op) {
                return Err(malformed(format!("[operation] has no `{op}`")));
            }
        }
        for template in profile.operation.values().chain([&profile.global, &profile.version]) {
            expand(template, &Values::default()).map_err(malformed)?;
        }
        Ok(profile)
    }

    /// The words of an operation, global ones first; `None` when the runtime does not have it.
    #[must_use]
    pub fn words(&self, op: Op, values: &Values) -> Option<Vec<String>> {
        if op == Op::Version {
            return Some(self.version_words(values));
        }
        let template = self.operation.get(&op)?;
        let mut words = expand(&self.global, values).ok()?;
        words.extend(expand(template, values).ok()?);
        Some(words)
    }

    /// Whether the runtime can be called without naming a state directory.
    #[must_use]
    pub fn has_default_root(&self) -> bool {
        self.global.contains("[root:")
    }

    /// Whether an operation can be given this value.
    #[must_use]
    pub fn takes(&self, op: Op, name: &str) -> bool {
        let has = |template: &str| template.contains(&format!("{{{name}}}")) || template.contains(&format!("[{name}:"));
        self.operation.get(&op).is_some_and(|template| has(template) || has(&self.global))
    }

    /// The words that make it print its version.
    #[must_use]
    pub fn version_words(&self, values: &Values) -> Vec<String> {
        expand(&self.version, values).unwrap_or_default()
    }

    /// Whether the profile is for a runtime that says this of its version. One that says nothing may be anything.
    #[must_use]
    pub fn is_for(&self, version: &str) -> bool {
        let any = self.versions.is_empty() || version.is_empty();
        any || self.versions.iter().any(|start| version.starts_with(start.as_str()))
    }

    /// The profile of a runtime that says this of its version: without what those do not have.
    #[must_use]
    pub fn of_version(mut self, version: &str) -> Self {
        let is_meant = |it: &&Without| it.versions.iter().any(|start| version.starts_with(start.as_str()));
        for without in self.without.iter().filter(is_meant) {
            self.operation.retain(|op, _| !without.operations.contains(op));
            for (op, template) in &mut self.operation {
                let own = without.options.iter().filter_map(|option| option.split_once(' '));
                own.filter(|(of, _)| *of == op.to_string()).for_each(|(_, name)| remove_part(template, name));
            }
        }
        self
    }

    /// Why this kind of runtime cannot keep a check; `None` when it can.
    #[must_use]
    pub fn reason_to_skip(&self, check: &str) -> Option<&str> {
        let names = |lack: &&Lack| match lack.checks.strip_suffix('*') {
            Some(beginning) => check.starts_with(beginning),
            None => lack.checks == check,
        };
        self.lacks.iter().find(names).map(|lack| lack.reason.as_str())
    }

    /// How this runtime wants a signal to be named.
    #[must_use]
    pub fn signal(&self, signal: nix::sys::signal::Signal) -> String {
        match self.signal {
            SignalForm::Name => signal.as_str().trim_start_matches("SIG").to_owned(),
            SignalForm::Number => (signal as i32).to_string(),
        }
    }
}

fn one_line(why: &toml::de::Error, text: &str) -> String {
    let line = why.span().map_or(0, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
    format!("line {line}: {}", why.message().replace('\n', " "))
}

/// The values that templates refer to. A value may be several words (`args`).
#[derive(Clone, Debug, Default)]
pub struct Values(BTreeMap<&'static str, Vec<String>>);

impl Values {
    /// With one more value.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.insert(name, vec![value.into()]);
        self
    }

    /// Without a value.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.0.remove(name);
        self
    }

    /// The words of the value of this name; none when there is no such value.
    #[must_use]
    pub fn words(&self, name: &str) -> &[String] {
        self.0.get(name).map_or(&[], Vec::as_slice)
    }

    /// With one more value of several words.
    #[must_use]
    pub fn with_words(mut self, name: &'static str, words: &[&str]) -> Self {
        self.0.insert(name, words.iter().map(|&word| word.to_owned()).collect());
        self
    }
}

/// Takes the part of this name out of a template.
fn remove_part(template: &mut String, name: &str) {
    let Some(start) = template.find(&format!("[{name}:")) else { return };
    let end = template[start..].find(']').map_or(template.len(), |length| start + length + 1);
    template.replace_range(start..end, "");
}

/// Fills a template. A place-holder without a value becomes nothing, so that a call without an id can be made.
fn expand(template: &str, values: &Values) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut rest = template;
    while let Some((before, group)) = rest.split_once('[') {
        let (group, after) = group.split_once(']').ok_or_else(|| format!("`[` without `]` in `{template}`"))?;
        let (name, inside) =
            group.split_once(':').ok_or_else(|| format!("no `name:` in `[{group}]` of `{template}`"))?;
        plain(before, values, &mut words);
        if values.0.contains_key(name.trim()) {
            plain(inside, values, &mut words);
        }
        rest = after;
    }
    plain(rest, values, &mut words);
    Ok(words)
}

fn plain(part: &str, values: &Values, words: &mut Vec<String>) {
    for word in part.split_whitespace() {
        match word.strip_prefix('{').and_then(|word| word.strip_suffix('}')) {
            Some(name) => words.extend(values.0.get(name).cloned().unwrap_or_default()),
            None => words.push(word.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn built_in_profiles_are_well_formed() {
        for (name, _) in BUILT_IN {
            assert_eq!(Profile::load(name).unwrap().name, name);
        }
    }

    #[test]
    fn a_version_tells_whether_the_profile_is_the_right_one() {
        let runc = Profile::load("runc").unwrap();
        assert!(runc.is_for("crun version 1.8.1") && runc.is_for("") && !runc.is_for("runsc version 0.0"));
        assert!(Profile::load("runsc").unwrap().is_for("runsc version 0.0"));
    }

    #[test]
    fn some_versions_have_fewer_operations() {
        let has = |version| Profile::load("runc").unwrap().of_version(version).operation.contains_key(&Op::Events);
        assert!(has("runc version 1.3.6") && has("") && !has("crun version 1.28"));
        let takes = |version, op, option| Profile::load("runc").unwrap().of_version(version).takes(op, option);
        assert!(
            takes("runc version 1.3.6", Op::Exec, "pidfd-socket") && takes("crun version 1.28", Op::Exec, "cgroup")
        );
        assert!(!takes("runc version 1.1.15", Op::Exec, "pidfd-socket"));
        assert!(takes("crun version 1.21", Op::Run, "keep") && !takes("crun version 1.8.1", Op::Run, "keep"));
    }

    #[test]
    fn what_a_profile_lacks_is_skipped_for_its_reason() {
        let runsc = Profile::load("runsc").unwrap();
        assert!(runsc.reason_to_skip("resources.pids.effect/few").is_some_and(|why| why.contains("--ignore-cgroups")));
        assert_eq!(runsc.reason_to_skip("lifecycle.simplest-container"), None);
    }

    #[test]
    fn the_state_directory_is_left_out_where_the_profile_allows() {
        let (runc, runsc) = (Profile::load("runc").unwrap(), Profile::load("runsc").unwrap());
        assert!(runc.has_default_root() && !runsc.has_default_root());
        assert_eq!(runc.words(Op::State, &Values::default().with("id", "c")).unwrap(), ["state", "c"]);
    }

    #[test]
    fn groups_are_used_only_with_their_value() {
        let values = Values::default().with("id", "c").with("force", "").with_words("args", &["a", "b c"]);
        let words = |template| expand(template, &values).unwrap();
        assert_eq!(words("delete [force: --force] [all: --all] {id}"), ["delete", "--force", "c"]);
        assert_eq!(words("exec {id} [args: {args}]"), ["exec", "c", "a", "b c"]);
        assert_eq!(words("state {none}"), ["state"]);
    }

    #[test]
    fn errors_name_the_place() {
        let text = |text| Profile::parse("p.toml", text).unwrap_err().to_string();
        assert_eq!(
            text("name = \"x\"\nsignal = \"shout\"\n[operation]\n"),
            "profile p.toml is malformed: line 2: unknown variant `shout`, expected `name` or `number`"
        );
        assert_eq!(
            text("name = \"x\"\nsignal = \"name\"\n[operation]\n"),
            "profile p.toml is malformed: [operation] has no `create`"
        );
        let missing = Profile::load("/none/such.toml").unwrap_err().to_string();
        assert!(missing.starts_with("cannot read profile /none/such.toml: No such file"), "{missing}");
    }
}
