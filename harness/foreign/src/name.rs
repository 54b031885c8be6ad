//! What may become the name of a file.

/// The text, when it is the name of one file: not empty, no separator, neither `.` nor `..`, no control character, at most 255
/// bytes, and no option of a command line.
///
/// # Errors
/// What is wrong with it, to be put behind the text.
pub fn of_file(text: &str) -> Result<&str, &'static str> {
    match text {
        "" => Err("is empty"),
        "." | ".." => Err("names a directory that is there already"),
        _ if text.contains('/') => Err("has a slash"),
        _ if text.starts_with('-') => Err("begins like an option"),
        _ if text.chars().any(char::is_control) => Err("has a control character"),
        _ if text.len() > 255 => Err("is longer than 255 bytes"),
        _ => Ok(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_part_of_a_path_is_a_name() {
        for good in ["a", "linux.masked-paths-1", "...", "ä b", ".hidden"] {
            assert_eq!(of_file(good), Ok(good));
        }
        let long = "x".repeat(256);
        for bad in ["", ".", "..", "a/b", "/a", "../x", "a\0b", "\u{1b}[2J", "-rf", long.as_str()] {
            assert!(of_file(bad).is_err(), "{bad:?}");
        }
    }
}
