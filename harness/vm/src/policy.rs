//! The compiled policies that the machine loads. Their sources are in `policy/`; a test compiles and compares them where the compilers are
//! installed.

/// The `SELinux` policy, as `secilc` compiles `policy/plimsoll.cil`.
pub const SELINUX: &[u8] = include_bytes!("../policy/plimsoll.selinux");

/// The `AppArmor` profiles, as `apparmor_parser` compiles `policy/plimsoll.profiles`.
pub const APPARMOR: &[u8] = include_bytes!("../policy/plimsoll.apparmor");

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};
    use std::process::Command;

    use super::*;

    fn source(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("policy").join(name)
    }

    /// Runs a compiler; says so and gives nothing where it is not installed.
    fn compile(program: &str, args: &[&str], source: &Path) -> Option<Vec<u8>> {
        match Command::new(program).args(args).arg(source).output() {
            Ok(output) => {
                assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
                Some(output.stdout)
            }
            Err(why) => {
                println!("skipped: {program}: {why}");
                None
            }
        }
    }

    #[test]
    fn the_selinux_policy_is_what_its_source_compiles_to() {
        let dir = tempfile::tempdir().unwrap();
        let compiled = dir.path().join("policy");
        let args = ["-c", "31", "-f", "/dev/null", "-o", compiled.to_str().unwrap()];
        if compile("secilc", &args, &source("plimsoll.cil")).is_some() {
            assert!(
                plimsoll_foreign::read::file(compiled.as_ref(), plimsoll_foreign::read::LOG).unwrap() == SELINUX,
                "compile policy/plimsoll.cil again"
            );
        }
    }

    #[test]
    fn the_apparmor_profiles_are_what_their_source_compiles_to() {
        let args = ["--skip-kernel-load", "--skip-cache", "--stdout"];
        if let Some(compiled) = compile("apparmor_parser", &args, &source("plimsoll.profiles")) {
            assert!(compiled == APPARMOR, "compile policy/plimsoll.profiles again");
        }
    }
}
