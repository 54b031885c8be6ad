//! The state of the process that calls the runtime, where it is not the plain one that the harness gives it.

/// What the caller hands on to every program that it executes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CallerState {
    /// Nothing out of the ordinary.
    #[default]
    Clean,
    /// All that a careless caller hands on: ignored and blocked signals, one processor, a nice value, an I/O class, a umask, low
    /// limits, open descriptors, a deleted working directory, a session keyring, variables.
    Dirty,
    /// A filter by which these system calls do not exist (`ENOSYS`), as on an older kernel.
    Without(&'static [&'static str]),
}

impl CallerState {
    /// The arguments that make a probe a caller of this state; the command line of the program follows them.
    pub(crate) fn words(self) -> Vec<String> {
        match self {
            Self::Clean => Vec::new(),
            Self::Dirty => vec!["dirty".to_owned()],
            Self::Without(calls) => vec!["without".to_owned(), calls.join(",")],
        }
    }
}
