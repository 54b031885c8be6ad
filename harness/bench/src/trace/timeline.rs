//! From single events to steps with shares, and to spans on a time line.

use std::collections::BTreeMap;
use std::time::Duration;

use plimsoll_reports::model::bench::{Span, Step, Trace};

use super::steps::WAITING;
use super::tracer::{Event, Tracer};
use crate::clock::milliseconds;
use crate::subject::Subject;

/// What happened between two moments.
pub(super) fn tell(tracer: &Tracer, subject: &Subject, operation: &str, from: Duration, to: Duration) -> Trace {
    let events: Vec<&Event> = tracer.events.iter().filter(|event| event.from >= from && event.from < to).collect();
    Trace {
        subject: subject.name.clone(),
        operation: operation.to_owned(),
        total_ms: milliseconds(to.saturating_sub(from)),
        system_calls: events.iter().filter(|event| !event.call.is_empty()).count() as u64,
        steps: steps(&events),
        spans: spans(&events, from),
    }
}

/// How many calls of a step are named.
const NAMED: usize = 3;

fn steps(events: &[&Event]) -> Vec<Step> {
    let mut order: Vec<&str> = Vec::new();
    let mut times: BTreeMap<&str, BTreeMap<&str, (f64, u64)>> = BTreeMap::new();
    let mut all = 0.0;
    for event in events.iter().filter(|event| event.step != WAITING) {
        if !order.contains(&event.step) {
            order.push(event.step);
        }
        let time = milliseconds(event.to.saturating_sub(event.from));
        let call = times.entry(event.step).or_default().entry(event.call).or_default();
        *call = (call.0 + time, call.1 + u64::from(!event.call.is_empty()));
        all += time;
    }
    let step = |name: &&str| {
        let calls = &times[*name];
        let ms: f64 = calls.values().map(|(ms, _)| ms).sum();
        let mut foremost: Vec<(&&str, f64)> =
            calls.iter().filter(|(call, _)| !call.is_empty()).map(|(call, (ms, _))| (call, *ms)).collect();
        foremost.sort_by(|a, b| b.1.total_cmp(&a.1));
        Step {
            name: (*name).to_owned(),
            ms,
            share: ms / f64::max(all, f64::MIN_POSITIVE),
            system_calls: calls.values().map(|(_, count)| count).sum(),
            foremost: foremost.iter().take(NAMED).map(|(call, ms)| format!("{call} {ms:.2} ms")).collect(),
        }
    };
    order.iter().map(step).collect()
}

/// Stretches of the same step that follow each other become one.
fn spans(events: &[&Event], begin: Duration) -> Vec<Span> {
    let mut sorted: Vec<&&Event> = events.iter().filter(|event| event.step != WAITING).collect();
    sorted.sort_by_key(|event| (event.task, event.from));
    let mut found: Vec<Span> = Vec::new();
    for event in sorted {
        let at_ms = milliseconds(event.from.saturating_sub(begin));
        let ms = milliseconds(event.to.saturating_sub(event.from));
        match found.last_mut() {
            Some(last)
                if last.task == event.task && last.step == event.step && at_ms - (last.at_ms + last.ms) < 0.01 =>
            {
                last.ms = at_ms + ms - last.at_ms;
            }
            _ => found.push(Span { task: event.task, step: event.step.to_owned(), at_ms, ms }),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(task: u32, step: &'static str, from: u64, to: u64) -> Event {
        Event { task, call: "x", step, from: Duration::from_millis(from), to: Duration::from_millis(to) }
    }

    #[test]
    fn shares_leave_waiting_out_and_neighbours_become_one_span() {
        let events =
            [event(0, "mounts", 0, 1), event(0, "mounts", 1, 3), event(0, WAITING, 3, 90), event(1, "exec", 3, 4)];
        let events: Vec<&Event> = events.iter().collect();
        let steps = steps(&events);
        let shares: Vec<_> = steps.iter().map(|step| (step.name.as_str(), step.share, step.system_calls)).collect();
        assert_eq!(shares, [("mounts", 0.75, 2), ("exec", 0.25, 1)]);
        let spans = spans(&events, Duration::ZERO);
        assert_eq!(spans.len(), 2);
        assert!((spans[0].ms - 3.0).abs() < 1e-9 && spans[1].task == 1);
    }
}
