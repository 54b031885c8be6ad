//! Where reports go: each request names a format and possibly a file.

use std::env;
use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use plimsoll_engine::sys::tell;
use plimsoll_foreign::beneath;
use plimsoll_reports::file::{can_write, write_text, write_with};
use plimsoll_reports::format::{Documents, Format, Rendered, Text, render};
use plimsoll_reports::text::printable;

use crate::args::DisplayOptions;
use crate::shared::failure::Failure;

/// A format, and the file that it goes to; standard output when there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportRequest {
    /// The format.
    pub format: Format,
    /// The file.
    pub file: Option<PathBuf>,
}

impl FromStr for ReportRequest {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (format, file) = match text.split_once('=') {
            Some((_, "")) => return Err("give a file after `=`, or leave out the `=` for standard output".to_owned()),
            Some((format, file)) => (format, Some(PathBuf::from(file))),
            None => (text, None),
        };
        Ok(Self { format: format.parse()?, file })
    }
}

impl ReportRequest {
    /// Whether it takes the place of the table on standard output. Annotations are lines for a log and stand beside it.
    fn is_printed(&self) -> bool {
        self.file.is_none() && self.format != Format::Github
    }
}

/// Fails when two formats would be mixed on standard output, or when a folder would be printed there.
pub fn agreed(requests: &[ReportRequest]) -> Result<(), Failure> {
    if requests.iter().any(|request| request.format == Format::Oci && request.file.is_none()) {
        return Err(Failure::Usage("the format oci writes several files; give a directory: oci=DIR".to_owned()));
    }
    let mut printed = requests.iter().filter(|request| request.is_printed());
    match (printed.next(), printed.next()) {
        (Some(one), Some(other)) => {
            let (one, other) = (one.format, other.format);
            Err(Failure::Usage(format!("{one} and {other} cannot both be printed; write one to a file: {other}=FILE")))
        }
        _ => Ok(()),
    }
}

/// Fails, before anything is done, when the formats are not agreed or something that is asked for cannot be written.
pub fn ready<'p>(requests: &[ReportRequest], outputs: impl IntoIterator<Item = &'p Path>) -> Result<(), Failure> {
    agreed(requests)?;
    outputs.into_iter().try_for_each(|path| can_write("results", path).map_err(Failure::host))?;
    for request in requests {
        match &request.file {
            Some(dir) if request.format == Format::Oci => made(dir).map(drop)?,
            Some(file) => can_write("report", file).map_err(Failure::host)?,
            None => {}
        }
    }
    if requests.iter().any(|request| request.format == Format::Github) { summary().map(drop) } else { Ok(()) }
}

/// The first of several failures; the others are said. So whatever can be written is, and the user has the table.
pub fn every(done: impl IntoIterator<Item = Result<(), Failure>>) -> Result<(), Failure> {
    let mut failures = done.into_iter().filter_map(Result::err);
    let first = failures.next();
    failures.for_each(|failure| say(&format!("plimsoll: {failure}")));
    first.map_or(Ok(()), Err)
}

/// Writes each request. Without one for standard output the table is printed there, unless it shall be quiet. A request that fails
/// keeps no other from being written.
pub fn deliver(requests: &[ReportRequest], documents: &Documents, display: DisplayOptions) -> Result<(), Failure> {
    let table = ReportRequest { format: Format::Table, file: None };
    let default = (!display.quiet && !requests.iter().any(ReportRequest::is_printed)).then_some(&table);
    let delivered: Vec<_> =
        requests.iter().chain(default).map(|request| deliver_one(request, documents, display)).collect();
    every(delivered)
}

fn deliver_one(request: &ReportRequest, documents: &Documents, display: DisplayOptions) -> Result<(), Failure> {
    let done = match (render(request.format, documents, display.style()).map_err(Failure::Usage)?, &request.file) {
        (Rendered::Text(text), Some(path)) => write(&text, path),
        (Rendered::Text(text), None) => print_with(|out| text.write_to(out)),
        (Rendered::Folder(files), path) => {
            let dir = made(path.as_deref().unwrap_or(Path::new(".")))?;
            files.iter().try_for_each(|(name, text)| write(text, &dir.join(name)))
        }
    };
    let summed_up = if request.format == Format::Github { summarize(documents, display) } else { Ok(()) };
    every([done, summed_up])
}

fn write(text: &Text<'_>, path: &Path) -> Result<(), Failure> {
    write_with("report", path, |out| text.write_to(out)).map_err(Failure::host)
}

/// Writes the files into the directory, which is made if need be.
pub fn fill(dir: &Path, files: &[(&str, String)]) -> Result<(), Failure> {
    made(dir)?;
    files.iter().try_for_each(|(name, text)| write_text(text, "report", &dir.join(name)).map_err(Failure::host))
}

/// Makes a directory, if it is not there.
pub fn made(dir: &Path) -> Result<&Path, Failure> {
    let made = beneath::own_directory(dir);
    made.map_err(|why| Failure::Host(format!("cannot make the directory {}: {why}", dir.display())))?;
    Ok(dir)
}

/// Adds the summary of the job where GitHub Actions asks for it.
fn summarize(documents: &Documents, display: DisplayOptions) -> Result<(), Failure> {
    let Some((path, mut file)) = summary()? else { return Ok(()) };
    let Rendered::Text(text) = render(Format::Markdown, documents, display.style()).map_err(Failure::Usage)? else {
        return Ok(());
    };
    text.write_to(&mut file).map_err(|why| no_summary(&path, &why))
}

/// The file of the summary, where there is to be one. Each step has a file of its own, which may hold something already.
fn summary() -> Result<Option<(PathBuf, File)>, Failure> {
    let Some(path) = env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()).map(PathBuf::from) else {
        return Ok(None);
    };
    let file = OpenOptions::new().append(true).create(true).open(&path).map_err(|why| no_summary(&path, &why))?;
    Ok(Some((path, file)))
}

fn no_summary(path: &Path, why: &io::Error) -> Failure {
    Failure::Host(format!("cannot add to the job summary {}: {why}", path.display()))
}

/// One line on standard error. Whatever is in it, a terminal obeys none of it, and no second line can be forged.
/// Errors of standard error are ignored.
pub fn say(text: &str) {
    tell(&printable(text));
}

/// Prints to standard output.
pub fn print(text: &str) -> Result<(), Failure> {
    print_with(|out| out.write_all(text.as_bytes()))
}

/// Prints what `put` puts out. A reader such as `head` may have seen enough.
fn print_with(put: impl Fn(&mut dyn Write) -> io::Result<()>) -> Result<(), Failure> {
    let mut out = BufWriter::with_capacity(1 << 16, io::stdout().lock());
    match put(&mut out).and_then(|()| out.flush()) {
        Err(why) if why.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.map_err(Failure::host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_a_format_and_perhaps_a_file() {
        assert_eq!("table".parse(), Ok(ReportRequest { format: Format::Table, file: None }));
        assert_eq!("html=a=b".parse(), Ok(ReportRequest { format: Format::Html, file: Some("a=b".into()) }));
        assert!("html=".parse::<ReportRequest>().unwrap_err().contains("leave out the `=`"));
        assert!("pdf".parse::<ReportRequest>().unwrap_err().contains("there are table, "));
    }

    #[test]
    fn only_one_format_is_printed() {
        let requests = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<ReportRequest>>();
        assert!(agreed(&requests(&["table", "html=x", "github", "oci=x"])).is_ok());
        assert!(agreed(&requests(&["oci"])).unwrap_err().to_string().contains("oci=DIR"));
        assert!(agreed(&requests(&["table", "html"])).unwrap_err().to_string().contains("html=FILE"));
    }
}
