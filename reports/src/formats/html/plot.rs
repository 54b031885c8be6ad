//! Plots as SVG: lines over two axes, stacked bars, time lines. They use the colours of the page.

use maud::{Markup, html};

use super::untrusted::Line;

const WIDTH: f64 = 640.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 40.0;
/// How many colours the page has; then they begin anew.
const COLOURS: usize = 8;

/// A named line.
pub(super) struct Series<'a> {
    pub(super) name: &'a str,
    pub(super) points: Vec<(f64, f64)>,
}

/// One axis: its title, the greatest value, and labels at values.
pub(super) struct Scale<'a> {
    pub(super) title: &'a str,
    pub(super) most: f64,
    pub(super) ticks: Vec<(f64, String)>,
}

impl<'a> Scale<'a> {
    /// From 0 up to a round number that is not below `most`.
    pub(super) fn even(title: &'a str, most: f64) -> Self {
        let step = round_up(most.max(f64::MIN_POSITIVE) / 5.0);
        let count = (most / step).ceil().max(1.0);
        let ticks = (0..=count as u32).map(|number| f64::from(number) * step);
        let digits = if step < 0.1 { 2 } else { usize::from(step < 1.0) };
        Self { title, most: count * step, ticks: ticks.map(|value| (value, format!("{value:.digits$}"))).collect() }
    }
}

/// The next of 1, 2, 5, 10, 20, …
fn round_up(value: f64) -> f64 {
    let unit = 10_f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0].into_iter().map(|part| part * unit).find(|step| *step >= value).unwrap_or(unit)
}

/// Lines over two axes.
pub(super) fn lines(title: &str, x: &Scale<'_>, y: &Scale<'_>, series: &[Series<'_>]) -> Markup {
    let at = |(horizontal, vertical): (f64, f64)| {
        let across = LEFT + horizontal / x.most * (WIDTH - LEFT - RIGHT);
        (across, HEIGHT - BOTTOM - vertical / y.most * (HEIGHT - TOP - BOTTOM))
    };
    let path = |points: &[(f64, f64)]| {
        let placed = points.iter().map(|point| at(*point));
        placed.map(|(x, y)| format!("{x:.1},{y:.1}")).collect::<Vec<_>>().join(" ")
    };
    figure(
        title,
        series.iter().map(|one| one.name),
        &html! {
            svg.plot viewBox={ "0 0 " (WIDTH) " " (HEIGHT) } role="img" aria-label=(title) {
                @for (value, label) in &x.ticks {
                    @let (across, bottom) = at((*value, 0.0));
                    line.grid x1=(round(across)) x2=(round(across)) y1=(TOP) y2=(bottom) {}
                    text x=(round(across)) y=(bottom + 16.0) text-anchor="middle" { (label) }
                }
                @for (value, label) in &y.ticks {
                    @let (left, height) = at((0.0, *value));
                    line.grid x1=(left) x2=(WIDTH - RIGHT) y1=(round(height)) y2=(round(height)) {}
                    text x=(left - 6.0) y=(round(height + 4.0)) text-anchor="end" { (label) }
                }
                text x=((LEFT + WIDTH) / 2.0) y=(HEIGHT - 6.0) text-anchor="middle" { (x.title) }
                text transform={ "translate(14 " (HEIGHT / 2.0) ") rotate(-90)" } text-anchor="middle" { (y.title) }
                @for (number, one) in series.iter().enumerate() {
                    polyline class={ "l" (number % COLOURS) } points=(path(&one.points)) {}
                }
            }
        },
    )
}

const ROW: f64 = 28.0;
const NAME: f64 = 130.0;

/// A bar a row, made of parts that follow each other; parts of the same name have the same colour.
pub(super) fn stacked(title: &str, unit: &str, parts: &[&str], rows: &[(&str, Vec<f64>)]) -> Markup {
    let most = rows.iter().map(|(_, values)| values.iter().sum::<f64>()).fold(f64::MIN_POSITIVE, f64::max);
    let scale = (WIDTH - NAME - 80.0) / most;
    let height = ROW * rows.len() as f64 + 8.0;
    let begin = |values: &[f64], at: usize| NAME + values[..at].iter().sum::<f64>() * scale;
    figure(
        title,
        parts.iter().copied(),
        &html! {
            svg.plot viewBox={ "0 0 " (WIDTH) " " (height) } role="img" aria-label=(title) {
                @for (row, (name, values)) in rows.iter().enumerate() {
                    @let top = ROW * row as f64 + 4.0;
                    text x=(NAME - 8.0) y=(top + 15.0) text-anchor="end" { (Line(name)) }
                    @for (at, value) in values.iter().enumerate() {
                        rect class={ "c" (at % COLOURS) } x=(round(begin(values, at))) y=(top) height=(ROW - 8.0)
                            width=(round(value * scale)) { title { (parts[at]) ": " (format!("{value:.2}")) " " (unit) } }
                    }
                    text x=(round(begin(values, values.len()) + 6.0)) y=(top + 15.0) {
                        (format!("{:.1}", values.iter().sum::<f64>())) " " (unit)
                    }
                }
            }
        },
    )
}

/// What happened when: a lane a task, and the name of what it did as colour.
pub(super) struct Lane<'a> {
    pub(super) name: &'a str,
    /// Number of the colour, begin, length, and what.
    pub(super) spans: Vec<(usize, f64, f64, &'a str)>,
}

/// Lanes over one time axis.
pub(super) fn lanes(title: &str, most: f64, colours: &[&str], lanes: &[Lane<'_>]) -> Markup {
    const LANE: f64 = 14.0;
    let scale = Scale::even("ms", most);
    let height = LANE * lanes.len() as f64 + 28.0;
    let across = |at: f64| NAME + at / scale.most * (WIDTH - NAME - RIGHT);
    figure(
        title,
        colours.iter().copied(),
        &html! {
            svg.plot viewBox={ "0 0 " (WIDTH) " " (height) } role="img" aria-label=(title) {
                @for (value, label) in &scale.ticks {
                    line.grid x1=(round(across(*value))) x2=(round(across(*value))) y1="0" y2=(height - 22.0) {}
                    text x=(round(across(*value))) y=(height - 8.0) text-anchor="middle" { (label) }
                }
                @for (row, lane) in lanes.iter().enumerate() {
                    @let top = LANE * row as f64;
                    text x=(NAME - 8.0) y=(top + 11.0) text-anchor="end" { (Line(lane.name)) }
                    @for (colour, at, ms, what) in &lane.spans {
                        rect class={ "c" (colour % COLOURS) } x=(round(across(*at))) y=(top + 2.0) height=(LANE - 3.0)
                            width=(round((across(*ms) - NAME).max(0.3))) { title { (what) ": " (format!("{ms:.2} ms")) } }
                    }
                }
            }
        },
    )
}

/// The drawing with a title and a key to its colours.
fn figure<'a>(title: &str, names: impl Iterator<Item = &'a str>, drawing: &Markup) -> Markup {
    html! {
        figure {
            figcaption { (title) }
            (drawing)
            ul.key { @for (number, name) in names.enumerate() { li { i class={ "k" (number % COLOURS) } {} (Line(name)) } } }
        }
    }
}

/// Tenths of a pixel are enough.
fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_ends_at_a_round_number() {
        let scale = Scale::even("ms", 43.0);
        let labels: Vec<&str> = scale.ticks.iter().map(|(_, label)| label.as_str()).collect();
        assert_eq!(labels, ["0", "10", "20", "30", "40", "50"]);
        assert!((Scale::even("ms", 0.7).most - 0.8).abs() < 1e-9);
        assert!(Scale::even("ms", 0.0).most > 0.0);
    }
}
