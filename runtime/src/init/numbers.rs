//! Lists of processors and memory nodes: `0-3,7`. cpuset(7), Formats.

use crate::error::{Error, Result};
use crate::number::plain;

/// The numbers of a list, each at most `highest`.
///
/// # Errors
/// When the text is no list, or a number is too high.
pub fn parse(list: &str, highest: usize) -> Result<Vec<usize>> {
    let wrong = || Error::new(format!("`{list}` is no list of numbers up to {highest} such as 0-3,7"));
    let mut numbers = Vec::new();
    for part in list.split(',').map(str::trim).filter(|part| !part.is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let first: usize = plain(first.trim()).ok_or_else(wrong)?;
        let last: usize = plain(last.trim()).ok_or_else(wrong)?;
        if first > last || last > highest {
            return Err(wrong());
        }
        numbers.extend(first..=last);
    }
    if numbers.is_empty() { Err(wrong()) } else { Ok(numbers) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_numbers_make_a_list() {
        assert_eq!(parse("0-2,5", 9).unwrap(), [0, 1, 2, 5]);
        for list in ["", "3-1", "a", "10", "-1", "1-", "+1", "01"] {
            assert!(parse(list, 9).is_err(), "{list}");
        }
    }
}
