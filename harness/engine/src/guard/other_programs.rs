//! Changes of the host that another program makes repeatedly: they occur again while no runtime is called.

use std::io;
use std::time::{Duration, Instant};

use nix::poll::{PollTimeout, poll};

use super::Change;
use crate::system::deadline::scaled;

/// Two looks at the host are this far apart.
const BETWEEN: u16 = 20;

/// The shortest and the longest time to look: as long as the check took, in which the other program had its turn.
const LEAST: Duration = Duration::from_millis(500);
const MOST: Duration = Duration::from_secs(3);

/// Those of `changes`, which were undone, that somebody makes again within the time that a check took. `look` tells what is not
/// as it should be.
///
/// # Errors
/// When it cannot be looked.
pub(crate) fn made_by_others(
    changes: &[Change],
    took: Duration,
    mut look: impl FnMut() -> io::Result<Vec<Change>>,
) -> io::Result<Vec<Change>> {
    // Who attaches a loop device uses it before the next one: that takes longer than to write a setting.
    let has_loop_device = changes.iter().any(Change::is_of_a_loop_device);
    let least = if has_loop_device { MOST } else { LEAST };
    let deadline = Instant::now() + took.clamp(scaled(least), scaled(MOST));
    let mut seen: Vec<Change> = Vec::new();
    while seen.len() < changes.len() && Instant::now() < deadline {
        let now = look()?;
        let again = changes.iter().filter(|change| now.iter().any(|it| it.is_about_the_same(change)));
        let new: Vec<Change> = again.filter(|change| !seen.contains(change)).cloned().collect();
        seen.extend(new);
        poll(&mut [], PollTimeout::from(BETWEEN))?;
    }
    Ok(seen)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(path: &str) -> Change {
        Change::Value { path: path.into(), before: Some("3".into()), after: Some("4".into()) }
    }

    #[test]
    fn only_what_somebody_changes_again_is_somebody_elses() {
        let mut looks = 0;
        let found = made_by_others(&[change("/noisy"), change("/quiet")], Duration::ZERO, || {
            looks += 1;
            Ok(if looks % 3 == 0 { vec![change("/noisy"), change("/unknown")] } else { Vec::new() })
        });
        assert_eq!(found.unwrap(), [change("/noisy")]);
    }

    #[test]
    fn nothing_is_waited_for_where_nothing_changed() {
        assert!(made_by_others(&[], MOST, || unreachable!()).unwrap().is_empty());
    }
}
