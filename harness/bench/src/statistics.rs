//! Statistics of the samples. Medians, since times have a long tail on one side; intervals by the percentile bootstrap, since their
//! distribution is unknown. A ratio is taken within blocks, so that whatever slows down a block slows down both.

use fastrand::Rng;
use plimsoll_reports::model::bench::{Difference, Interval, Phase, Summary};

/// How often samples are drawn anew. The ends of an interval wander by some 3 % of its width with that many.
const DRAWS: usize = 1000;

/// What is as good as equal. Two runs of the same binary come this close and no closer, so nothing less is told apart.
pub const RESOLUTION: f64 = 0.01;

/// The value below which a share `part` of the sorted samples lies, between two of them if need be; NaN of none.
#[must_use]
pub fn quantile(sorted: &[f64], part: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = part.clamp(0.0, 1.0) * last as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

/// The middle of samples in any order, which are put into another one.
#[must_use]
pub fn median(samples: &mut [f64]) -> f64 {
    let half = samples.len() / 2;
    if samples.is_empty() {
        return f64::NAN;
    }
    let even = samples.len().is_multiple_of(2);
    let (below, middle, _) = samples.select_nth_unstable_by(half, f64::total_cmp);
    // All that is below the middle is less than it; of an even number, the greatest of that is a middle, too.
    if even { (below.iter().copied().fold(f64::MIN, f64::max) + *middle) / 2.0 } else { *middle }
}

/// What samples come to; none of none.
#[must_use]
pub fn summary(samples: &[f64], random: &mut Rng) -> Option<Summary> {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (min_ms, max_ms) = (*sorted.first()?, *sorted.last()?);
    let median_ms = quantile(&sorted, 0.5);
    let mut distances: Vec<f64> = sorted.iter().map(|sample| (sample - median_ms).abs()).collect();
    let interval = interval(median_ms, sorted.len(), random, |draw| median(&mut picked(&sorted, draw)));
    Some(Summary {
        count: sorted.len() as u64,
        median_ms,
        low_ms: interval.low,
        high_ms: interval.high,
        p90_ms: quantile(&sorted, 0.9),
        p99_ms: quantile(&sorted, 0.99),
        min_ms,
        max_ms,
        mad_ms: median(&mut distances),
        outliers: outliers(&sorted),
    })
}

/// How far the interval of a median reaches to either side, as a share of it.
#[must_use]
pub fn half_width(summary: &Summary) -> f64 {
    (summary.high_ms - summary.low_ms) / 2.0 / summary.median_ms
}

/// The median, over the blocks that both have, of the ratio within a block; none without common blocks. What slows a whole
/// block cancels out.
#[must_use]
pub fn ratio(of: &Phase, against: &Phase, random: &mut Rng) -> Option<Interval> {
    within_blocks(of, against, |of, against| of / against, random)
}

/// The median, over the blocks that both have, of the difference within a block, in milliseconds; none without common blocks.
#[must_use]
pub fn excess(of: &Phase, against: &Phase, random: &mut Rng) -> Option<Interval> {
    within_blocks(of, against, |of, against| of - against, random)
}

fn within_blocks(of: &Phase, against: &Phase, compare: fn(f64, f64) -> f64, random: &mut Rng) -> Option<Interval> {
    let (of, against) = paired(of, against);
    let compared: Vec<f64> = of.iter().zip(&against).map(|(of, against)| compare(*of, *against)).collect();
    let value = median(&mut compared.clone());
    (!compared.is_empty()).then(|| interval(value, compared.len(), random, |draw| median(&mut picked(&compared, draw))))
}

/// The ratio of the medians of two unpaired sets; none when one is empty.
#[must_use]
pub fn unpaired_ratio(of: &[f64], against: &[f64], random: &mut Rng) -> Option<Interval> {
    if of.is_empty() || against.is_empty() {
        return None;
    }
    let value = median(&mut of.to_vec()) / median(&mut against.to_vec());
    let (mut left, right) = (random.fork(), against.len());
    Some(interval(value, right, random, |draw| {
        let drawn: Vec<usize> = (0..of.len()).map(|_| left.usize(..of.len())).collect();
        median(&mut picked(of, &drawn)) / median(&mut picked(against, draw))
    }))
}

/// The samples of the blocks that both have, in the order of the blocks.
fn paired(one: &Phase, other: &Phase) -> (Vec<f64>, Vec<f64>) {
    let mut rest = other.blocks.iter().zip(&other.samples_ms).peekable();
    let mut pairs = (Vec::new(), Vec::new());
    for (block, sample) in one.blocks.iter().zip(&one.samples_ms) {
        while rest.peek().is_some_and(|(theirs, _)| *theirs < block) {
            rest.next();
        }
        if let Some((_, theirs)) = rest.next_if(|(theirs, _)| *theirs == block) {
            pairs.0.push(*sample);
            pairs.1.push(*theirs);
        }
    }
    pairs
}

/// What a ratio of times says, when `margin` does not count as a difference: that one is faster or slower, or that there is no
/// difference, where the whole interval says so; else nothing is settled.
#[must_use]
pub fn difference(ratio: Interval, margin: f64) -> Difference {
    if ratio.low > 1.0 + margin {
        Difference::Slower
    } else if ratio.high < 1.0 / (1.0 + margin) {
        Difference::Faster
    } else if ratio.low >= 1.0 / (1.0 + margin) && ratio.high <= 1.0 + margin {
        Difference::None
    } else {
        Difference::Inconclusive
    }
}

/// Median of the last third of a series over that of its first: about 1 when warm-up was enough. None of a short series.
#[must_use]
pub fn drift(samples: &[f64], random: &mut Rng) -> Option<Interval> {
    let third = samples.len() / 3;
    (third >= 3).then(|| unpaired_ratio(&samples[samples.len() - third..], &samples[..third], random))?
}

fn interval(value: f64, count: usize, random: &mut Rng, mut estimate: impl FnMut(&[usize]) -> f64) -> Interval {
    let mut draw = vec![0; count];
    let mut estimates: Vec<f64> = (0..DRAWS)
        .map(|_| {
            draw.fill_with(|| random.usize(..count));
            estimate(&draw)
        })
        .collect();
    estimates.sort_by(f64::total_cmp);
    Interval { value, low: quantile(&estimates, 0.025), high: quantile(&estimates, 0.975) }
}

fn picked(samples: &[f64], draw: &[usize]) -> Vec<f64> {
    draw.iter().map(|&at| samples[at]).collect()
}

/// Samples that are further from the middle half than three times its width (Tukey's far outliers).
fn outliers(sorted: &[f64]) -> u64 {
    let (first, third) = (quantile(sorted, 0.25), quantile(sorted, 0.75));
    let reach = 3.0 * (third - first);
    sorted.iter().filter(|&&sample| sample < first - reach || sample > third + reach).count() as u64
}

#[cfg(test)]
mod tests;
