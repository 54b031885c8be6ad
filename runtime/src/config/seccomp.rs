//! `linux.seccomp`: which system calls are let through. Specification: `config-linux.md#seccomp`.
//!
//! Each enumeration keeps one table of its names, which parses the configuration and feeds `features`.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer};

use super::require::require;
use crate::error::Result;

/// The `linux.seccomp` object.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seccomp {
    /// What becomes of system calls that no rule matches.
    pub default_action: Action,
    /// The errno of the default action, for actions that carry one; EPERM when absent.
    pub default_errno_ret: Option<u32>,
    /// Architectures beside the native one.
    #[serde(default)]
    pub architectures: Vec<Arch>,
    /// Flags of seccomp(2).
    #[serde(default)]
    pub flags: Vec<Flag>,
    /// Socket that the listener descriptor is sent to, when a rule notifies.
    pub listener_path: Option<PathBuf>,
    /// Text that goes along with the descriptor.
    pub listener_metadata: Option<String>,
    /// The rules.
    #[serde(default)]
    pub syscalls: Vec<SyscallRule>,
}

/// One entry of `syscalls`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SyscallRule {
    /// Names of system calls; one that an architecture does not have is passed over there.
    pub names: Vec<String>,
    /// What becomes of them.
    pub action: Action,
    /// The errno of an action that carries one; EPERM when absent.
    pub errno_ret: Option<u32>,
    /// Conditions that must all hold. Several on one index are alternatives, as in all other runtimes.
    #[serde(default)]
    pub args: Vec<Argument>,
}

/// One condition on an argument of a system call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Argument {
    /// Which argument, 0 to 5.
    pub index: u32,
    /// What it is compared with; the mask of a masked comparison.
    pub value: u64,
    /// What a masked argument must be equal to.
    #[serde(default)]
    pub value_two: u64,
    /// How it is compared.
    pub op: Operator,
}

/// Declares an enumeration whose values are known by names of libseccomp or seccomp(2).
macro_rules! named {
    ($(#[$doc:meta])* $kind:ident { $($(#[$about:meta])* $value:ident = $name:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum $kind { $($(#[$about])* $value,)* }

        impl $kind {
            /// Every value and its name, the table behind parsing and `features`.
            pub const NAMES: &[(&str, Self)] = &[$(($name, Self::$value),)*];
        }

        impl<'de> Deserialize<'de> for $kind {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let name = std::borrow::Cow::<str>::deserialize(deserializer)?;
                let known = Self::NAMES.iter().find(|(known, _)| *known == name);
                known.map(|(_, value)| *value).ok_or_else(|| {
                    let names: Vec<_> = Self::NAMES.iter().map(|(name, _)| *name).collect();
                    serde::de::Error::custom(format!("`{name}` is none of {}", names.join(", ")))
                })
            }
        }
    };
}

named! {
    /// What becomes of a system call.
    Action {
        /// The calling thread dies.
        Kill = "SCMP_ACT_KILL",
        /// The process dies.
        KillProcess = "SCMP_ACT_KILL_PROCESS",
        /// The calling thread dies.
        KillThread = "SCMP_ACT_KILL_THREAD",
        /// SIGSYS.
        Trap = "SCMP_ACT_TRAP",
        /// The call fails with an errno.
        Errno = "SCMP_ACT_ERRNO",
        /// A tracer decides; without one the call fails with ENOSYS.
        Trace = "SCMP_ACT_TRACE",
        /// The call goes through.
        Allow = "SCMP_ACT_ALLOW",
        /// The call goes through and is logged.
        Log = "SCMP_ACT_LOG",
        /// The listener decides.
        Notify = "SCMP_ACT_NOTIFY",
    }
}

named! {
    /// How an argument is compared with `value`, both as unsigned 64-bit numbers.
    Operator {
        /// Not equal.
        NotEqual = "SCMP_CMP_NE",
        /// Below.
        Less = "SCMP_CMP_LT",
        /// Below or equal.
        LessOrEqual = "SCMP_CMP_LE",
        /// Equal.
        Equal = "SCMP_CMP_EQ",
        /// Above or equal.
        GreaterOrEqual = "SCMP_CMP_GE",
        /// Above.
        Greater = "SCMP_CMP_GT",
        /// Equal to `valueTwo` once masked with `value`.
        MaskedEqual = "SCMP_CMP_MASKED_EQ",
    }
}

named! {
    /// Flags of seccomp(2).
    Flag {
        /// Filter all threads.
        Tsync = "SECCOMP_FILTER_FLAG_TSYNC",
        /// Log every action but ALLOW.
        Log = "SECCOMP_FILTER_FLAG_LOG",
        /// Leave Speculative Store Bypass alone.
        SpecAllow = "SECCOMP_FILTER_FLAG_SPEC_ALLOW",
        /// Only fatal signals interrupt a call whose notification was received.
        WaitKillableRecv = "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV",
    }
}

named! {
    /// Architectures, in the spelling of libseccomp.
    Arch {
        /// i386.
        X86 = "SCMP_ARCH_X86",
        /// x86-64.
        X86_64 = "SCMP_ARCH_X86_64",
        /// x86-64 with 32-bit pointers.
        X32 = "SCMP_ARCH_X32",
        /// 32-bit Arm.
        Arm = "SCMP_ARCH_ARM",
        /// 64-bit Arm.
        Aarch64 = "SCMP_ARCH_AARCH64",
        /// MIPS, big endian, o32.
        Mips = "SCMP_ARCH_MIPS",
        /// MIPS, big endian, n64.
        Mips64 = "SCMP_ARCH_MIPS64",
        /// MIPS, big endian, n32.
        Mips64N32 = "SCMP_ARCH_MIPS64N32",
        /// MIPS, little endian, o32.
        Mipsel = "SCMP_ARCH_MIPSEL",
        /// MIPS, little endian, n64.
        Mipsel64 = "SCMP_ARCH_MIPSEL64",
        /// MIPS, little endian, n32.
        Mipsel64N32 = "SCMP_ARCH_MIPSEL64N32",
        /// PowerPC.
        Ppc = "SCMP_ARCH_PPC",
        /// 64-bit PowerPC, big endian.
        Ppc64 = "SCMP_ARCH_PPC64",
        /// 64-bit PowerPC, little endian.
        Ppc64le = "SCMP_ARCH_PPC64LE",
        /// 31-bit S/390.
        S390 = "SCMP_ARCH_S390",
        /// 64-bit S/390.
        S390x = "SCMP_ARCH_S390X",
        /// PA-RISC.
        Parisc = "SCMP_ARCH_PARISC",
        /// 64-bit PA-RISC.
        Parisc64 = "SCMP_ARCH_PARISC64",
        /// 64-bit RISC-V.
        Riscv64 = "SCMP_ARCH_RISCV64",
        /// 64-bit LoongArch.
        Loongarch64 = "SCMP_ARCH_LOONGARCH64",
        /// Motorola 68000.
        M68k = "SCMP_ARCH_M68K",
        /// SuperH, little endian.
        Sh = "SCMP_ARCH_SH",
        /// SuperH, big endian.
        Sheb = "SCMP_ARCH_SHEB",
    }
}

impl Action {
    /// Whether the action hands a number to the caller or the tracer.
    pub fn carries_errno(self) -> bool {
        matches!(self, Self::Errno | Self::Trace)
    }
}

impl Seccomp {
    /// Checks what the types cannot say. `at` is the JSON path of the object, `linux.seccomp` in a configuration.
    ///
    /// # Errors
    /// The JSON path of the first invalid value, and the reason.
    pub fn validate(&self, at: &str) -> Result<()> {
        errno(self.default_action, self.default_errno_ret, format!("{at}.defaultErrnoRet"))?;
        for (index, rule) in self.syscalls.iter().enumerate() {
            rule.validate(&format!("{at}.syscalls[{index}]"))?;
        }
        let answered = !self.notifies() || self.listener_path.is_some();
        require(answered, format!("{at}.listenerPath"), "is needed, since SCMP_ACT_NOTIFY is used")?;
        let path = self.listener_path.is_some() || self.listener_metadata.is_none();
        require(path, format!("{at}.listenerMetadata"), "needs a listenerPath")
    }

    /// Whether a listener is needed.
    pub fn notifies(&self) -> bool {
        self.default_action == Action::Notify || self.syscalls.iter().any(|rule| rule.action == Action::Notify)
    }
}

impl SyscallRule {
    fn validate(&self, at: &str) -> Result<()> {
        require(!self.names.is_empty(), format!("{at}.names"), "must name a system call")?;
        errno(self.action, self.errno_ret, format!("{at}.errnoRet"))?;
        for (index, argument) in self.args.iter().enumerate() {
            let fits = argument.index < 6;
            require(fits, format!("{at}.args[{index}].index"), "must be 0 to 5: a system call has six arguments")?;
        }
        Ok(())
    }
}

fn errno(action: Action, number: Option<u32>, at: String) -> Result<()> {
    require(number.is_none() || action.carries_errno(), &at, "only SCMP_ACT_ERRNO and SCMP_ACT_TRACE carry an errno")?;
    // 4095 is the highest errno that the kernel hands on; a tracer is given 16 bits.
    let highest = if action == Action::Trace { 0xffff } else { 4095 };
    require(number.is_none_or(|number| number <= highest), at, format!("must be at most {highest}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(json: &str) -> String {
        let valid = serde_json::from_str::<Seccomp>(json).map(|seccomp| seccomp.validate("linux.seccomp"));
        match valid {
            Ok(Ok(())) => String::new(),
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn what_is_valid_passes() {
        for json in [
            r#"{"defaultAction":"SCMP_ACT_ALLOW"}"#,
            r#"{"defaultAction":"SCMP_ACT_ERRNO","defaultErrnoRet":38,"architectures":["SCMP_ARCH_SHEB"],
                "flags":["SECCOMP_FILTER_FLAG_TSYNC"],"listenerPath":"/absent"}"#,
            r#"{"defaultAction":"SCMP_ACT_ALLOW","listenerPath":"/s","listenerMetadata":"m","syscalls":[
                {"names":["read"],"action":"SCMP_ACT_NOTIFY","args":[{"index":5,"value":18446744073709551615,"op":"SCMP_CMP_EQ"}]}]}"#,
        ] {
            assert_eq!(refusal(json), "", "{json}");
        }
    }

    #[test]
    fn a_refusal_names_its_place() {
        for (json, told) in [
            (r#"{"syscalls":[]}"#, "defaultAction"),
            (r#"{"defaultAction":"SCMP_ACT_FOO"}"#, "SCMP_ACT_FOO"),
            (r#"{"defaultAction":"SCMP_ACT_KILL","defaultErrnoRet":1}"#, "linux.seccomp.defaultErrnoRet"),
            (r#"{"defaultAction":"SCMP_ACT_NOTIFY"}"#, "linux.seccomp.listenerPath"),
            (r#"{"defaultAction":"SCMP_ACT_ALLOW","listenerMetadata":"x"}"#, "linux.seccomp.listenerMetadata"),
            (
                r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":[],"action":"SCMP_ACT_KILL"}]}"#,
                "linux.seccomp.syscalls[0].names",
            ),
            (
                r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_KILL","errnoRet":1}]}"#,
                "linux.seccomp.syscalls[0].errnoRet",
            ),
            (
                r#"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["read"],"action":"SCMP_ACT_KILL",
                   "args":[{"index":6,"value":1,"op":"SCMP_CMP_EQ"}]}]}"#,
                "linux.seccomp.syscalls[0].args[0].index",
            ),
        ] {
            assert!(refusal(json).contains(told), "{json}: {}", refusal(json));
        }
    }
}
