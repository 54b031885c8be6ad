//! The page, as a validator and a browser see it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::BufReader;
use std::path::Path;
use std::process::Command;

use plimsoll_reports::html;
use plimsoll_reports::model::bench::Benchmark;
use plimsoll_reports::model::proof::Proof;
use plimsoll_reports::model::{Report, Verdict};

use crate::golden::assert_golden;
use crate::hostile::poisoned;
use crate::sample::bench::bench as sample_bench;
use crate::sample::proof::proof;
use crate::sample::{report, with_verdicts};
use crate::tools::{content, tool, written};

/// A second runtime that does not agree with the first.
fn other() -> Report {
    let mut other = report();
    other.runtime.version = "crun version 1.28".into();
    for check in &mut other.checks {
        check.known = None;
    }
    other
}

fn render(reports: &[Report], proofs: &[Proof]) -> String {
    page(reports, proofs, &[])
}

fn page(reports: &[Report], proofs: &[Proof], benchmarks: &[Benchmark]) -> String {
    let mut bytes = Vec::new();
    html::write(&mut bytes, reports, proofs, benchmarks).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn a_benchmark_has_its_plots_and_nothing_of_a_runtime_is_markup() {
    let page = page(&[], &[], &[sample_bench()]);
    assert_golden("bench.html", &page);
    assert_eq!(page.matches("<figure>").count(), 11);
    assert!(!page.contains("evil \u{1b}") && !page.contains("<b>"));
}

#[test]
fn the_pages_are_as_committed() {
    assert_golden("report.html", &render(&[report()], &[proof()]));
    assert_golden("matrix.html", &render(&[report(), other()], &[]));
}

#[test]
fn nothing_of_a_runtime_becomes_markup_or_is_hidden() {
    let page = render(&[poisoned("<script>alert(1)</script>\" onclick=\"x")], &[]);
    assert!(!page.contains("<script>alert") && !page.contains("\" onclick"));
    assert_eq!(page.matches("<script>").count(), 1);
    assert_eq!(page.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}'), None);
}

#[test]
fn a_page_loads_nothing() {
    let page = render(&[report(), other()], &[proof()]);
    for loads in ["src=", "<link", "@import", "url(", "fetch(", "<iframe", "<img"] {
        assert!(!page.contains(loads), "{loads}");
    }
}

#[test]
fn every_link_within_the_page_has_a_target() {
    let page = render(&[report(), other()], &[proof()]);
    let quoted = |key: &str| -> BTreeSet<String> {
        page.split(key).skip(1).map(|rest| rest.split('"').next().unwrap_or_default().to_owned()).collect()
    };
    let (links, targets) = (quoted(" href=\"#"), quoted(" id=\""));
    assert!(links.len() > 10);
    assert_eq!(links.difference(&targets).collect::<Vec<_>>(), Vec::<&String>::new());
}

#[test]
fn a_large_page_is_rendered_whole() {
    let verdicts: Vec<Verdict> = Verdict::ALL.into_iter().cycle().take(100_000).collect();
    let report = with_verdicts(&verdicts);
    let page = render(&[report], &[]);
    assert_eq!(page.matches("<li class=\"check\"").count(), 100_000);
}

#[test]
fn a_validator_finds_nothing() {
    let Some(mut validator) = tool("html-validate", "npm install -g html-validate") else { return };
    let dir = tempfile::tempdir().unwrap();
    let pages = [render(&[report()], &[proof()]), render(&[report(), other()], &[]), render(&[poisoned("<b>")], &[])];
    for (name, page) in ["one.html", "two.html", "hostile.html"].iter().zip(&pages) {
        written(dir.path(), name, page);
    }
    content(validator.args(["--preset", "recommended,standard,a11y", "*.html"]).current_dir(dir.path()));
}

/// Chromium without a window and without a network.
fn chromium(dir: &Path) -> Option<Command> {
    let mut command = tool("chromium", "apt-get install chromium")?;
    command.args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]);
    command.args(["--disable-background-networking", "--disable-component-update", "--hide-scrollbars"]);
    command.arg(format!("--user-data-dir={}", dir.join("profile").display()));
    Some(command)
}

#[test]
fn a_browser_filters_and_reads_without_a_script_too() {
    let dir = tempfile::tempdir().unwrap();
    let Some(mut browser) = chromium(dir.path()) else { return };
    let page = render(&[report(), other()], &[]);
    let ask =
        "<script>for (const box of document.querySelectorAll('[value=fail],[name=differs]')) box.click()</script>";
    let path = written(dir.path(), "page.html", &page.replace("</body>", &format!("{ask}</body>")));
    let output = content(browser.arg("--dump-dom").arg(&path));
    let dom = String::from_utf8(output.stdout).unwrap();
    assert!(dom.contains(">0 of 11 checks</output>"), "{dom}");
    assert!(page.contains("<form class=\"filter\" id=\"filter\" hidden>"), "the filter is only for scripts");
}

/// The picture of a page: width, height and its pixels as RGB.
fn picture(page: &Path, dir: &Path, size: (u32, u32), dark: bool) -> Option<Vec<[u8; 3]>> {
    let mut browser = chromium(dir)?;
    let png = dir.join("page.png");
    browser.arg(format!("--window-size={},{}", size.0, size.1)).arg(format!("--screenshot={}", png.display()));
    if dark {
        browser.arg("--blink-settings=preferredColorScheme=0");
    }
    content(browser.arg(page));
    let mut reader = png::Decoder::new(BufReader::new(File::open(&png).unwrap())).read_info().unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    assert_eq!((info.width, info.height), size);
    let channels = info.color_type.samples();
    fs::remove_file(png).unwrap();
    Some(pixels.chunks(channels).map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect())
}

#[test]
fn a_browser_shows_the_main_views_light_and_dark_and_on_a_phone() {
    let dir = tempfile::tempdir().unwrap();
    let page = written(dir.path(), "page.html", &render(&[report(), other()], &[proof()]));
    for (size, dark) in [((1200, 900), false), ((1200, 900), true), ((500, 900), false)] {
        let Some(pixels) = picture(&page, dir.path(), size, dark) else { return };
        let background = if dark { [0x14, 0x18, 0x1b] } else { [0xff, 0xff, 0xff] };
        let blank = pixels.iter().filter(|pixel| **pixel == background).count();
        assert!(blank > pixels.len() / 2, "{size:?} dark {dark}: the background is that of the theme");
        // The bars of the matrix: what passed and what failed.
        for colour in [[0x3f, 0x9d, 0x58], if dark { [0xd9, 0x53, 0x4e] } else { [0xd0, 0x44, 0x40] }] {
            assert!(pixels.iter().filter(|pixel| **pixel == colour).count() > 100, "{size:?} dark {dark} {colour:?}");
        }
    }
}
