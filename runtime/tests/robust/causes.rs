//! What a failed start says: the reason of whoever met with it, not what the other side made of that.

use serde_json::json;

use crate::bundle::Bundle;

#[test]
fn a_limit_that_the_kernel_refuses_is_named() {
    let Some(bundle) = Bundle::new() else { return };
    bundle.set("linux", "resources", json!({"cpu": {"quota": 1}}));
    // The runtime meets with a first process that is gone; whether it does so before it hears why is chance.
    for _ in 0..20 {
        let (succeeded, complaints) = bundle.call(&["create"], "one");
        assert!(!succeeded && complaints.contains("cpu"), "{complaints}");
    }
    assert_eq!(bundle.left(), Vec::<String>::new());
}
