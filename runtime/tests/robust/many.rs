//! Many containers, one after the other and at once.

use std::thread;

use crate::bundle::Bundle;

#[test]
fn a_hundred_in_a_row() {
    let Some(bundle) = Bundle::new() else { return };
    for number in 0..100 {
        bundle.must(&["run"], &format!("row-{number}"));
    }
    assert_eq!(bundle.left(), Vec::<String>::new());
}

#[test]
fn sixty_four_at_once() {
    let Some(bundle) = Bundle::new().map(Bundle::without_cgroups_path) else { return };
    let ids: Vec<_> = (0..64).map(|number| format!("once-{}-{number}", std::process::id())).collect();
    thread::scope(|scope| {
        for id in &ids {
            let bundle = &bundle;
            scope.spawn(move || {
                bundle.must(&["create"], id);
                bundle.must(&["start"], id);
                bundle.must(&["delete", "--force"], id);
            });
        }
    });
    assert_eq!(bundle.left(), Vec::<String>::new());
}
