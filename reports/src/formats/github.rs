//! Annotations of GitHub Actions, only for unexpected verdicts. GitHub shows at most ten of a kind per step, so there are not more.

use crate::matrix::Matrix;
use crate::model::Report;
use crate::text::printable;

/// How many annotations of a kind are shown for a step.
const SHOWN: usize = 10;

/// The lines for these runs; none when all is as expected.
#[must_use]
pub fn render(reports: &[Report]) -> String {
    let labels = Matrix::new(reports).labels;
    let all: Vec<String> = reports
        .iter()
        .zip(&labels)
        .flat_map(|(report, label)| {
            report.checks.iter().filter(|check| check.is_unexpected()).map(move |check| (label, check))
        })
        .map(|(label, check)| {
            let title = format!("{label}: {} {}", check.id, check.verdict);
            let clause =
                check.clauses.first().map_or(String::new(), |clause| format!("\n{} {}", clause.level, clause.link));
            format!("::error title={}::{}", property(&title), message(&format!("{}{clause}", check.headline())))
        })
        .collect();
    let shown = if all.len() > SHOWN { SHOWN - 1 } else { all.len() };
    let mut out: String = all[..shown].iter().map(|line| format!("{line}\n")).collect();
    if shown < all.len() {
        let more = format!(
            "::error title=Plimsoll::{} more unexpected; the job summary and the results have all",
            all.len() - shown
        );
        out.push_str(&(more + "\n"));
    }
    for reason in reports.iter().filter_map(|report| report.cut_short.as_ref()) {
        out.push_str(&format!("::warning title=Plimsoll was cut short::{}\n", message(reason)));
    }
    out
}

/// Text behind the two colons, as the runner unescapes it. Line breaks that we put there stay; others are shown.
fn message(text: &str) -> String {
    let lines: Vec<String> = text.split('\n').map(|line| printable(line).replace('%', "%25")).collect();
    lines.join("%0A")
}

/// Text of a property.
fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_its_line_or_its_property() {
        assert_eq!(message("a%\r\n::b"), "a%25\\r%0A::b");
        assert_eq!(property("a: b, c"), "a%3A b%2C c");
    }
}
