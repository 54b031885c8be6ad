//! Errors: what was being done, to what, and the whole chain of causes.
//!
//! A runtime fails for reasons of its caller, the kernel or the root filesystem, and nobody reacts to them one by one:
//! what is needed is one line that says where it stopped and why. So there is one type, a message with a cause.

use std::error::Error as StdError;
use std::fmt;

/// A failed step, with the cause below it.
///
/// `Display` prints the whole chain on one line, outermost first, since it crosses process borders as text: the
/// container's init process sends it to the runtime over a socket.
#[derive(Debug)]
pub struct Error {
    doing: String,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

/// The result of everything that can fail here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error that has no deeper cause: `message` says what is wrong and what to do about it.
    pub fn new(message: impl Into<String>) -> Self {
        Self { doing: message.into(), cause: None }
    }

    /// `errno` of the innermost cause, when it is a failed system call.
    pub fn errno(&self) -> Option<i32> {
        let cause = self.cause.as_ref()?;
        if let Some(error) = cause.downcast_ref::<Error>() {
            return error.errno();
        }
        let of_rustix = cause.downcast_ref::<rustix::io::Errno>().map(|errno| errno.raw_os_error());
        of_rustix.or_else(|| cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::raw_os_error))
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Some(cause) => write!(f, "{}: {cause}", self.doing),
            None => f.write_str(&self.doing),
        }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn StdError + 'static))
    }
}

/// Says what was being done when an error came up.
pub trait Context<T> {
    /// Wraps the error: `doing` is a fragment such as ``mount `/proc` ``.
    ///
    /// # Errors
    /// The wrapped error of the receiver.
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: StdError + Send + Sync + 'static> Context<T> for std::result::Result<T, E> {
    fn doing(self, doing: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|cause| Error { doing: doing(), cause: Some(Box::new(cause)) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_chain_is_one_line_and_keeps_its_errno() {
        let deep: std::result::Result<(), _> = Err(rustix::io::Errno::NOENT);
        let error = deep.doing(|| "open `/x`".into()).doing(|| "mount `/x`".into()).unwrap_err();
        assert_eq!(error.errno(), Some(libc::ENOENT));
        assert!(error.to_string().starts_with("mount `/x`: open `/x`: No such file"), "{error}");
    }
}
