//! Images that turn the runtime's binary against it (CVE-2019-5736).

use crate::bundle::Bundle;

const REFUSED: &str = "executed from within a container";

#[test]
fn the_binary_is_no_program_of_a_container() {
    let Some(bundle) = Bundle::new() else { return };
    // Nothing is printed either: who does not read would keep the binary running.
    for args in [&["/proc/self/exe", "state", "one"][..], &["/proc/self/exe", "--help"], &["/proc/1/exe", "--version"]]
    {
        bundle.set("process", "args", args.into());
        let (succeeded, complaints) = bundle.call(&["run"], "one");
        assert!(!succeeded && complaints.contains(REFUSED), "{args:?}: {complaints}");
    }
    assert_eq!(bundle.left(), Vec::<String>::new());
}

#[test]
fn the_binary_is_no_interpreter_of_a_container() {
    let Some(bundle) = Bundle::new() else { return };
    bundle.script("script", "#!/proc/self/exe\n");
    bundle.set("process", "args", ["/script"].as_slice().into());
    let (succeeded, complaints) = bundle.call(&["run"], "one");
    assert!(!succeeded && complaints.contains(REFUSED), "{complaints}");
    assert_eq!(bundle.left(), Vec::<String>::new());
}
