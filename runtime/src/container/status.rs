//! The status of a container: derived each time from what the kernel shows, never stored.

use serde::Serialize;

use super::Container;

/// The four standard statuses, and that of a frozen container.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// There is no record yet.
    Creating,
    /// The init process waits for `start`.
    Created,
    /// The program runs.
    Running,
    /// The program is frozen.
    Paused,
    /// The init process is gone.
    Stopped,
}

impl Status {
    /// Asks the kernel for the status of `container`.
    pub(super) fn of(container: &Container) -> Self {
        let Some(record) = &container.record else { return Self::Creating };
        let alive = super::start_time(record.pid).is_ok_and(|time| time == Some(record.start_time));
        if !alive {
            Self::Stopped
        } else if container.directory.start_socket().exists() {
            Self::Created
        } else if container
            .cgroup()
            .is_ok_and(|cgroup| cgroup.is_some_and(|cgroup| cgroup.is_frozen().unwrap_or(false)))
        {
            Self::Paused
        } else {
            Self::Running
        }
    }

    /// The name in the state document.
    pub fn name(self) -> &'static str {
        match self {
            Self::Creating => "creating",
            Self::Created => "created",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Stopped => "stopped",
        }
    }
}
