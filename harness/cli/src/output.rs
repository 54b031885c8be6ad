//! Where reports go: each wish is a format and perhaps a file.

use std::io::{self, Write};
use std::path::PathBuf;
use std::str::FromStr;

use plimsoll_reports::file::write_text;
use plimsoll_reports::format::{Documents, Format, render};

use crate::args::Look;
use crate::failure::Failure;

/// A format, and the file that it goes to; standard output when there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wish {
    /// The format.
    pub format: Format,
    /// The file.
    pub file: Option<PathBuf>,
}

impl FromStr for Wish {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (format, file) = match text.split_once('=') {
            Some((_, "")) => return Err("name a file after `=`, or leave the `=` out for standard output".to_owned()),
            Some((format, file)) => (format, Some(PathBuf::from(file))),
            None => (text, None),
        };
        Ok(Self { format: format.parse()?, file })
    }
}

/// Fails when two formats would be mixed on standard output.
pub fn agreed(wishes: &[Wish]) -> Result<(), Failure> {
    let mut printed = wishes.iter().filter(|wish| wish.file.is_none());
    match (printed.next(), printed.next()) {
        (Some(one), Some(other)) => {
            let (one, other) = (one.format, other.format);
            Err(Failure::Usage(format!("{one} and {other} cannot both be printed; give one a file: {other}=FILE")))
        }
        _ => Ok(()),
    }
}

/// Writes each wish. Without one for standard output the table is printed there, unless it shall be quiet.
pub fn deliver(wishes: &[Wish], documents: &Documents, look: Look) -> Result<(), Failure> {
    for wish in wishes {
        let text = render(wish.format, documents, look.style()).map_err(Failure::Usage)?;
        match &wish.file {
            Some(path) => write_text(&text, "report", path).map_err(Failure::host)?,
            None => print(&text)?,
        }
    }
    if look.quiet || wishes.iter().any(|wish| wish.file.is_none()) {
        return Ok(());
    }
    print(&render(Format::Table, documents, look.style()).map_err(Failure::Usage)?)
}

/// Prints to standard output. A reader such as `head` may have seen enough.
pub fn print(text: &str) -> Result<(), Failure> {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(why) if why.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(Failure::host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_is_a_format_and_perhaps_a_file() {
        assert_eq!("table".parse(), Ok(Wish { format: Format::Table, file: None }));
        assert_eq!("html=a=b".parse(), Ok(Wish { format: Format::Html, file: Some("a=b".into()) }));
        assert!("html=".parse::<Wish>().unwrap_err().contains("leave the `=` out"));
        assert!("pdf".parse::<Wish>().unwrap_err().contains("there are table, "));
    }

    #[test]
    fn only_one_format_is_printed() {
        let wishes = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<Wish>>();
        assert!(agreed(&wishes(&["table", "html=x"])).is_ok());
        assert!(agreed(&wishes(&["table", "html"])).unwrap_err().to_string().contains("html=FILE"));
    }
}
