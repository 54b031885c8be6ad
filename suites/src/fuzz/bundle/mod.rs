//! A random bundle, and how it is minimized: drop fragments, make values smaller, drop single edits.

pub(crate) mod conflict;
pub(super) mod draw;
pub mod fragment;
pub mod rules;

use std::collections::{BTreeMap, BTreeSet};

use plimsoll_fixtures::Edit;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use self::conflict::clash;
use self::fragment::{Fragment, Source, moved};

/// The most fragments of one bundle.
pub(super) const MOST: usize = 22;

/// Draws bundles.
pub struct Draw<'s> {
    subjects: Vec<(u32, Vec<&'s Source>)>,
    weight: u32,
}

impl<'s> Draw<'s> {
    /// Draws from these. Each subject is as likely as its weight says, however many sources it has.
    #[must_use]
    pub fn new(sources: &'s [Source]) -> Self {
        let mut subjects: BTreeMap<&str, (u32, Vec<&Source>)> = BTreeMap::new();
        for source in sources {
            let subject = subjects.entry(&source.subject).or_default();
            subject.0 = source.weight;
            subject.1.push(source);
        }
        let subjects: Vec<(u32, Vec<&Source>)> = subjects.into_values().collect();
        let weight = subjects.iter().map(|(weight, _)| weight).sum();
        Self { subjects, weight }
    }

    /// A bundle.
    ///
    /// # Panics
    /// Never: strategies without filters always have a value.
    #[must_use]
    pub fn bundle(&self, runner: &mut TestRunner) -> Bundle {
        let wanted = below(runner, MOST - 1) + 2;
        let mut pieces: Vec<Piece> = Vec::new();
        for number in 0..wanted {
            let source = self.source(runner);
            let tree = source.strategy.new_tree(runner).unwrap_or_else(|why| panic!("{}: {why}", source.name));
            let piece = Piece { name: source.name.clone(), number, tree, kept: true, lost: BTreeSet::new() };
            let edits = piece.edits();
            let known = pieces.iter().any(|other| {
                let theirs = other.edits();
                other.name == piece.name
                    || clash(&theirs, &edits)
                    || (piece.rule() != other.rule() && (disturbs(&theirs, &piece) || disturbs(&edits, other)))
            });
            if !known {
                pieces.push(piece);
            }
        }
        Bundle { at: Step::Fragments { size: pieces.len(), at: 0 }, pieces, undo: None, whole: false }
    }

    fn source(&self, runner: &mut TestRunner) -> &'s Source {
        let mut left = u32::try_from(below(runner, self.weight as usize)).unwrap_or(0);
        for (weight, sources) in &self.subjects {
            if left < *weight {
                return sources[below(runner, sources.len())];
            }
            left -= weight;
        }
        self.subjects[0].1[0]
    }
}

/// A number below `bound`, which is not 0.
fn below(runner: &mut TestRunner, bound: usize) -> usize {
    (0..bound.max(1)).new_tree(runner).map_or(0, |tree| tree.current())
}

struct Piece {
    name: String,
    /// Moves its mounts out of the way of others.
    number: usize,
    tree: Box<dyn ValueTree<Value = Vec<Edit>>>,
    kept: bool,
    /// Which of its edits were dropped.
    lost: BTreeSet<usize>,
}

/// Whether edits set what the rule of a piece wants for itself.
fn disturbs(edits: &[Edit], piece: &Piece) -> bool {
    rules::touches(edits, &rules::alone(piece.rule()))
}

impl Piece {
    /// The rule that its case is of.
    fn rule(&self) -> &str {
        self.name.split('/').next().unwrap_or(&self.name)
    }

    fn edits(&self) -> Vec<Edit> {
        let all = moved(&self.tree.current(), &self.name, self.number).into_iter().enumerate();
        all.filter(|(at, _)| !self.lost.contains(at)).map(|(_, edit)| edit).collect()
    }
}

/// What is tried next.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Dropping so many fragments from the nth kept one on.
    Fragments {
        size: usize,
        at: usize,
    },
    /// Simpler values in a piece.
    Values {
        piece: usize,
    },
    /// Dropping an edit of a piece.
    Edits {
        piece: usize,
        edit: usize,
    },
    Done,
}

/// How the last step is taken back.
enum Undo {
    Fragments(Vec<usize>),
    Value(usize),
    Edit(usize, usize),
}

/// A random bundle that can be made simpler.
pub struct Bundle {
    pieces: Vec<Piece>,
    at: Step,
    undo: Option<Undo>,
    /// Whether single edits stay with their fragments.
    whole: bool,
}

impl std::fmt::Debug for Bundle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.current()).finish()
    }
}

impl Bundle {
    fn kept(&self) -> Vec<usize> {
        (0..self.pieces.len()).filter(|&at| self.pieces[at].kept).collect()
    }

    /// Drops every fragment that is not named so.
    pub fn keep_only(&mut self, names: impl Fn(&str) -> bool) {
        self.pieces.retain(|piece| names(&piece.name));
        self.at = Step::Fragments { size: self.pieces.len(), at: 0 };
        self.undo = None;
    }

    /// Keeps the edits of a fragment together: without one of them the bundle need not be valid.
    pub fn whole_fragments_only(&mut self) {
        self.whole = true;
    }

    fn drop_fragments(&mut self, size: usize, at: usize) -> bool {
        let kept = self.kept();
        if size == 0 {
            self.at = Step::Values { piece: 0 };
            return false;
        }
        if at >= kept.len() {
            self.at = Step::Fragments { size: size / 2, at: 0 };
            return false;
        }
        let dropped: Vec<usize> = kept.into_iter().skip(at).take(size).collect();
        dropped.iter().for_each(|&piece| self.pieces[piece].kept = false);
        self.undo = Some(Undo::Fragments(dropped));
        true
    }

    fn simplify_value(&mut self, piece: usize) -> bool {
        let Some(one) = self.pieces.get_mut(piece) else {
            self.at = Step::Edits { piece: 0, edit: 0 };
            return false;
        };
        if one.kept && one.tree.simplify() {
            self.undo = Some(Undo::Value(piece));
            return true;
        }
        self.at = Step::Values { piece: piece + 1 };
        false
    }

    fn drop_edit(&mut self, piece: usize, edit: usize) -> bool {
        let Some(one) = self.pieces.get_mut(piece) else {
            self.at = Step::Done;
            return false;
        };
        let known = one.tree.current().len();
        // The last edit goes with its fragment.
        if self.whole || !one.kept || edit >= known || known - one.lost.len() < 2 {
            self.at = Step::Edits { piece: piece + 1, edit: 0 };
            return false;
        }
        self.at = Step::Edits { piece, edit: edit + 1 };
        one.lost.insert(edit);
        self.undo = Some(Undo::Edit(piece, edit));
        true
    }
}

impl ValueTree for Bundle {
    type Value = Vec<Fragment>;

    fn current(&self) -> Vec<Fragment> {
        let kept = self.pieces.iter().filter(|piece| piece.kept);
        kept.map(|piece| Fragment { name: piece.name.clone(), edits: piece.edits() }).collect()
    }

    fn simplify(&mut self) -> bool {
        self.undo = None;
        loop {
            let changed = match self.at {
                Step::Fragments { size, at } => self.drop_fragments(size, at),
                Step::Values { piece } => self.simplify_value(piece),
                Step::Edits { piece, edit } => self.drop_edit(piece, edit),
                Step::Done => return false,
            };
            if changed {
                return true;
            }
        }
    }

    fn complicate(&mut self) -> bool {
        match self.undo.take() {
            None => false,
            Some(Undo::Fragments(pieces)) => {
                let count = pieces.len();
                pieces.into_iter().for_each(|piece| self.pieces[piece].kept = true);
                if let Step::Fragments { size, at } = self.at {
                    self.at = Step::Fragments { size, at: at + count };
                }
                true
            }
            Some(Undo::Value(piece)) => {
                let changed = self.pieces[piece].tree.complicate();
                if changed {
                    self.undo = Some(Undo::Value(piece));
                } else {
                    self.at = Step::Values { piece: piece + 1 };
                }
                changed
            }
            Some(Undo::Edit(piece, edit)) => {
                self.pieces[piece].lost.remove(&edit);
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_fixtures::Recipe;
    use proptest::strategy::Just;

    use super::*;
    use crate::fuzz::chance;

    fn sources() -> Vec<Source> {
        let source = |name: &str, edits: Vec<Edit>| Source {
            name: name.to_owned(),
            subject: name.to_owned(),
            weight: 1,
            strategy: Just(edits).boxed(),
        };
        (0..20)
            .map(|n| {
                let mut recipe = Recipe::default();
                recipe.set(&format!("/a{n}"), n).file(&format!("/f{n}"), "");
                source(&format!("s{n}"), recipe.edits)
            })
            .collect()
    }

    fn shrunk(bundle: &mut Bundle, fails: impl Fn(&[Fragment]) -> bool) -> Vec<Fragment> {
        let mut last = bundle.current();
        while bundle.simplify() {
            while !fails(&bundle.current()) && bundle.complicate() {}
            if fails(&bundle.current()) {
                last = bundle.current();
            }
        }
        last
    }

    #[test]
    fn the_same_seed_gives_the_same_bundles() {
        let sources = sources();
        let draw = Draw::new(&sources);
        let drawn = |seed| (0..20).map(|n| draw.bundle(&mut chance(seed, n)).current()).collect::<Vec<_>>();
        assert_eq!(drawn(7), drawn(7));
        assert_ne!(drawn(7), drawn(8));
    }

    #[test]
    fn what_does_not_matter_is_dropped() {
        let sources = sources();
        let draw = Draw::new(&sources);
        for number in 0..50 {
            let mut bundle = draw.bundle(&mut chance(1, number));
            let guilty: Vec<Edit> =
                bundle.current().into_iter().map(|fragment| fragment.edits[0].clone()).take(2).collect();
            let fails = |fragments: &[Fragment]| {
                guilty.iter().all(|edit| fragments.iter().any(|fragment| fragment.edits.contains(edit)))
            };
            let left: Vec<Edit> = shrunk(&mut bundle, fails).into_iter().flat_map(|fragment| fragment.edits).collect();
            assert_eq!(left, guilty);
        }
    }
}
