//! A badge: the JSON of the shields.io endpoint.

use serde_json::json;

use crate::model::Report;
use crate::text::printable_json;

/// The badge of one run.
#[must_use]
pub fn render(report: &Report) -> String {
    let tally = report.tally();
    let ran = tally.ran();
    let known = report.checks.iter().filter(|check| check.is_known()).count();
    let (message, color) = match report.exit_code() {
        0 if known == 0 => (format!("{} of {ran} pass", tally.pass), "brightgreen"),
        0 => (format!("{} of {ran} pass, {known} known", tally.pass), "green"),
        1 => {
            let red = report.checks.iter().filter(|check| check.is_red()).count();
            (format!("{red} unexpected of {ran}"), "red")
        }
        3 => ("nothing ran".to_owned(), "lightgrey"),
        _ => ("incomplete".to_owned(), "orange"),
    };
    let label = format!("OCI runtime {}", report.runtime.spec);
    let badge = json!({ "schemaVersion": 1, "label": label, "message": message, "color": color });
    printable_json(&badge.to_string()) + "\n"
}
