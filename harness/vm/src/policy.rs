//! The policies that the machine loads, compiled. Their sources lie beside them, in `policy/`; a test compiles those and
//! compares, where the compilers are installed.

/// The `SELinux` policy, as `secilc` compiles `policy/plimsoll.cil`.
pub const SELINUX: &[u8] = include_bytes!("../policy/plimsoll.selinux");

/// The `AppArmor` profiles, as `apparmor_parser` compiles `policy/plimsoll.profiles`.
pub const APPARMOR: &[u8] = include_bytes!("../policy/plimsoll.apparmor");
