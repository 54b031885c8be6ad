//! The configuration of a machine.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Which control groups the machine mounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Cgroups {
    /// Every controller of version 1.
    V1,
    /// Every controller of version 1, and a hierarchy of version 2 with what is left.
    Hybrid,
    /// Version 2 alone.
    V2,
}

/// Which security module rules in the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lsm {
    /// None of the two.
    None,
    /// `SELinux`, enforcing a policy of ours.
    Selinux,
    /// `AppArmor`, with profiles of ours.
    Apparmor,
}

/// How the machine's instructions are carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Accelerator {
    /// By software: works everywhere, some forty times slower.
    Tcg,
    /// By the processor.
    Kvm,
}

/// The words that mean the variants: to print them, and to read them.
macro_rules! words {
    ($($type:ident { $($variant:ident = $word:literal),* })*) => {$(
        impl $type {
            /// What a user may write.
            pub const WORDS: &'static [&'static str] = &[$($word),*];
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(match self { $(Self::$variant => $word),* })
            }
        }

        impl FromStr for $type {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                match word {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(UnknownWord { word: word.to_owned(), known: Self::WORDS }),
                }
            }
        }
    )*};
}

words! {
    Cgroups { V1 = "v1", Hybrid = "hybrid", V2 = "v2" }
    Lsm { None = "none", Selinux = "selinux", Apparmor = "apparmor" }
    Accelerator { Tcg = "tcg", Kvm = "kvm" }
}

/// A word that means none of the variants.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is none of {known}", known = known.join(", "))]
pub struct UnknownWord {
    word: String,
    known: &'static [&'static str],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_as_they_are_printed() {
        for word in Cgroups::WORDS {
            assert_eq!(word.parse::<Cgroups>().unwrap().to_string(), *word);
        }
        assert_eq!("smack".parse::<Lsm>().unwrap_err().to_string(), "`smack` is none of none, selinux, apparmor");
    }
}
