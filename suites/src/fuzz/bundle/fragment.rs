//! The parts of random bundles. A fragment is a few edits that belong together: those of a case, or random ones.

use plimsoll_engine::batch;
use plimsoll_engine::check::{Body, Check};
use plimsoll_engine::need::Abilities;
use plimsoll_fixtures::{Edit, Recipe};
use proptest::strategy::{BoxedStrategy, Just, Strategy};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{draw, rules};
use crate::mounts::entry::clean;

/// A few edits that belong together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fragment {
    /// The id of the case that has these edits, or `random/` and the name of the draw.
    pub name: String,
    /// The edits.
    pub edits: Vec<Edit>,
}

impl Fragment {
    /// The id of the rule that the case is for.
    #[must_use]
    pub fn rule(&self) -> &str {
        self.name.split('/').next().unwrap_or(&self.name)
    }
}

/// The bundle of these fragments. Root of a user namespace may make no mount point in a root filesystem that belongs to the
/// host, so there they are made beforehand.
#[must_use]
pub fn recipe(fragments: &[Fragment]) -> Recipe {
    let recipe = Recipe { edits: fragments.iter().flat_map(|fragment| fragment.edits.clone()).collect() };
    if recipe.config().namespace("user").is_some() { with_mount_points(recipe) } else { recipe }
}

/// The same with the mount points made that nothing else makes.
#[must_use]
pub fn with_mount_points(mut recipe: Recipe) -> Recipe {
    let config = recipe.config();
    let made: Vec<Edit> = config.list("/mounts").iter().filter_map(|mount| mount_point(mount, &recipe.edits)).collect();
    recipe.edits.extend(made);
    recipe
}

/// The directory or file that an entry of `mounts` is mounted on, where nothing else makes it.
fn mount_point(mount: &Value, edits: &[Edit]) -> Option<Edit> {
    let point = clean(mount["destination"].as_str()?);
    let source = mount["source"].as_str().unwrap_or_default().trim_start_matches("{bundle}/");
    let is_file = edits.iter().any(|edit| matches!(edit, Edit::File(at, ..) if at == source));
    let at = format!("rootfs{}", led(point.clone(), edits));
    let known = ["proc", "dev", "sys", "tmp", "etc"].iter().any(|top| point.split('/').nth(1) == Some(top));
    let there = edits.iter().filter_map(Edit::path).any(|path| path == at || path.starts_with(&format!("{at}/")));
    if known || there {
        return None;
    }
    Some(if is_file { Edit::File(at, String::new(), 0o644) } else { Edit::Directory(at, 0o755) })
}

/// The place that links of the root filesystem lead a path to: in a bundle no link is followed.
fn led(point: String, edits: &[Edit]) -> String {
    let through = |point: &str| {
        edits.iter().find_map(|edit| {
            let Edit::Symlink(link, target) = edit else { return None };
            let link = link.strip_prefix("rootfs")?;
            let rest = point.strip_prefix(link).filter(|rest| rest.is_empty() || rest.starts_with('/'))?;
            let base = if target.starts_with('/') { "" } else { link.rsplit_once('/').map_or("", |(above, _)| above) };
            Some(clean(&format!("{base}/{target}{rest}")))
        })
    };
    // A link that leads to itself ends somewhere on its way.
    (0..8).fold(point, |point, _| through(&point).unwrap_or(point))
}

/// Where fragments come from.
pub struct Source {
    /// The name of the fragments.
    pub name: String,
    /// What decides how likely it is: sources of one subject share its weight.
    pub subject: String,
    /// How likely the subject is, against others.
    pub weight: u32,
    /// The edits.
    pub strategy: BoxedStrategy<Vec<Edit>>,
}

/// The sources that this host and this runtime have what they need for; all sections, or these.
#[must_use]
pub fn sources(checks: &[Check], abilities: &Abilities, sections: &[String]) -> Vec<Source> {
    let wanted = |section: &str| sections.is_empty() || sections.iter().any(|name| name == section);
    let met = |check: &&Check| check.needs().all(|need| need.unmet(abilities).is_none());
    let cases = checks.iter().filter(met).filter(|check| wanted(check.section())).filter_map(of_case);
    let draws = draw::ALL
        .iter()
        .filter(|draw| wanted(draw.section()))
        .filter(|draw| draw.needs.iter().all(|need| need.unmet(abilities).is_none()));
    cases.chain(draws.map(draw::Draw::source)).collect()
}

/// Every source, whatever this host has.
#[cfg(test)]
pub(crate) fn every(checks: &[Check]) -> Vec<Source> {
    checks.iter().filter_map(of_case).chain(draw::ALL.iter().map(draw::Draw::source)).collect()
}

/// A case, unless it writes something that is no list of edits, or changes nothing.
fn of_case(check: &Check) -> Option<Source> {
    let Body::Case(case) = check.body else { return None };
    let edits = batch::recipe(case).edits;
    if edits.iter().any(|edit| matches!(edit, Edit::Raw(_))) {
        return None;
    }
    let (name, subject) = (check.id.clone(), case.rule.id.to_owned());
    let weight = rules::weight(&subject);
    Some(Source { name, subject, weight, strategy: Just(edits).boxed() })
}

/// The same edits with the mount point `/m` and what lies beside the root filesystem under names of their own, so that
/// several such cases find room in one bundle.
#[must_use]
pub fn moved(edits: &[Edit], name: &str, number: usize) -> Vec<Edit> {
    // A case with a root filesystem of its own knows where it is, and so does one with a path from the bundle.
    let is_fixed = |edit: &Edit| match edit {
        Edit::Set(at, _) => at.starts_with("/root"),
        Edit::Push(_, value) => value["source"].as_str().is_some_and(|source| {
            edits
                .iter()
                .filter_map(Edit::path)
                .any(|path| path.split('/').next() == source.trim_start_matches("rootfs/../").split('/').next())
        }),
        _ => false,
    };
    if edits.iter().any(is_fixed) || name.starts_with("mounts.data-inside/") {
        return edits.to_vec();
    }
    let beside: Vec<String> = edits.iter().filter_map(beside).collect();
    // The rules of effects know their tree by its name.
    let place = if name.starts_with("mounts.effect.") { format!("b{number}/") } else { format!("b{number}/of-") };
    edits.iter().map(|edit| moved_edit(edit, &beside, &place, number)).collect()
}

/// The first part of a path beside the root filesystem.
fn beside(edit: &Edit) -> Option<String> {
    let first = edit.path()?.split('/').next()?;
    (first != "rootfs").then(|| first.to_owned())
}

fn moved_edit(edit: &Edit, beside: &[String], place: &str, number: usize) -> Edit {
    let path = |path: &String| moved_path(path, beside, place, number);
    let value = |value: &Value| moved_value(value, beside, place, number);
    match edit {
        Edit::Set(pointer, set) => Edit::Set(pointer.clone(), value(set)),
        Edit::Push(pointer, pushed) => Edit::Push(pointer.clone(), value(pushed)),
        Edit::File(at, content, mode) => Edit::File(path(at), content.clone(), *mode),
        Edit::Directory(at, mode) => Edit::Directory(path(at), *mode),
        Edit::Symlink(at, target) => Edit::Symlink(path(at), target.clone()),
        Edit::Owner(at, uid, gid) => Edit::Owner(path(at), *uid, *gid),
        Edit::Probe(at) => Edit::Probe(path(at)),
        Edit::Device(at, kind, major, minor) => Edit::Device(path(at), *kind, *major, *minor),
        Edit::SetUserId(at) => Edit::SetUserId(path(at)),
        Edit::Foreign(at) => Edit::Foreign(path(at)),
        Edit::Tmpfs(at, options) => Edit::Tmpfs(path(at), options.clone()),
        Edit::Remove(_) | Edit::Raw(_) => edit.clone(),
    }
}

fn moved_path(path: &str, beside: &[String], place: &str, number: usize) -> String {
    let (first, rest) = path.split_once('/').map_or((path, String::new()), |(first, rest)| (first, format!("/{rest}")));
    if beside.iter().any(|known| known == first) {
        return format!("{place}{first}{rest}");
    }
    match path.strip_prefix("rootfs/m") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("rootfs/m{number}{rest}"),
        _ => path.to_owned(),
    }
}

fn moved_value(value: &Value, beside: &[String], place: &str, number: usize) -> Value {
    match value {
        Value::String(text) => Value::String(moved_text(text, beside, place, number)),
        Value::Array(items) => items.iter().map(|item| moved_value(item, beside, place, number)).collect(),
        Value::Object(members) => Value::Object(
            members.iter().map(|(name, item)| (name.clone(), moved_value(item, beside, place, number))).collect(),
        ),
        other => other.clone(),
    }
}

fn moved_text(text: &str, beside: &[String], place: &str, number: usize) -> String {
    if let Some(rest) = text.strip_prefix("/m")
        && (rest.is_empty() || rest.starts_with('/'))
    {
        return format!("/m{number}{rest}");
    }
    // Options such as `lowerdir={bundle}/low` have the path in their middle.
    beside.iter().fold(text.to_owned(), |text, name| {
        let mut out = String::new();
        let mut rest = text.as_str();
        let wanted = format!("{{bundle}}/{name}");
        while let Some(at) = rest.find(&wanted) {
            let (before, after) = (&rest[..at], &rest[at + wanted.len()..]);
            let whole = after.chars().next().is_none_or(|next| !next.is_alphanumeric() && next != '-');
            out.push_str(before);
            if whole {
                out.push_str(&format!("{{bundle}}/{place}{name}"))
            } else {
                out.push_str(&wanted)
            }
            rest = after;
        }
        out + rest
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_point_behind_a_link_is_made_where_it_leads() {
        let mut recipe = Recipe::default();
        recipe.symlink("/a/link", "../b").symlink("/top", "/c").symlink("/self", "self");
        let led = |point: &str| led(point.to_owned(), &recipe.edits);
        assert_eq!((led("/a/link/x"), led("/top"), led("/topmost")), ("/b/x".into(), "/c".into(), "/topmost".into()));
        assert_eq!(led("/self/x"), "/self/x");
    }

    #[test]
    fn a_mount_and_what_it_shows_are_moved_together() {
        let mut recipe = Recipe::default();
        recipe.directory("/m").beside("d/x", "").mount(
            "/m",
            "bind",
            "{bundle}/d",
            &["bind", "x={bundle}/d:{bundle}/dd"],
        );
        let edits = moved(&recipe.edits, "x/y", 3);
        let mut expected = Recipe::default();
        let options = ["bind", "x={bundle}/b3/of-d:{bundle}/dd"];
        expected.directory("/m3").beside("b3/of-d/x", "").mount("/m3", "bind", "{bundle}/b3/of-d", &options);
        assert_eq!(edits, expected.edits);
    }
}
