//! Two operations on one id at once: one of them wins, and nothing is broken.

use std::thread;

use crate::bundle::Bundle;

/// Runs the same operation eight times at once, and returns how many succeeded.
fn at_once(bundle: &Bundle, verb: &[&str]) -> usize {
    thread::scope(|scope| {
        let calls: Vec<_> = (0..8).map(|_| scope.spawn(|| bundle.call(verb, "one").0)).collect();
        calls.into_iter().map(|call| call.join().unwrap()).filter(|won| *won).count()
    })
}

#[test]
fn one_of_many_wins() {
    let Some(bundle) = Bundle::new() else { return };
    for _ in 0..5 {
        assert_eq!(at_once(&bundle, &["create"]), 1, "create");
        assert_eq!(at_once(&bundle, &["start"]), 1, "start");
        assert_eq!(at_once(&bundle, &["delete", "--force"]), 8, "a container that is gone counts as deleted");
        assert_eq!(bundle.left(), Vec::<String>::new());
    }
}

#[test]
fn creation_and_deletion_do_not_break_each_other() {
    let Some(bundle) = Bundle::new() else { return };
    for _ in 0..20 {
        thread::scope(|scope| {
            scope.spawn(|| bundle.call(&["create"], "one"));
            scope.spawn(|| bundle.call(&["delete", "--force"], "one"));
        });
        bundle.must(&["delete", "--force"], "one");
        assert_eq!(bundle.left(), Vec::<String>::new());
    }
}
