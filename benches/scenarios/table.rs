//! The table: for each figure the medians of the rounds, the ratio to the floor, and whether the target is met.

mod rows;

use std::fmt;

use super::record::Sample;
use super::server::Kind;
use rows::{ROWS, Row, Target};

/// Of its core. A load that uses more may be what was measured.
const LOAD_SHARE_MAX: f64 = 0.9;
/// Stands behind a figure for which that is so.
const LOAD_BOUND: &str = "*";

const HEADINGS: [&str; 8] = ["scenario", "figure", "ours", "floor", "oracle", "ours/floor", "target", "met"];

/// The figures of all samples.
pub struct Table<'s>(pub &'s [Sample]);

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let played = |row: &&Row| self.0.iter().any(|sample| sample.scenario == row.scenario);
        let mut lines = vec![HEADINGS.map(str::to_owned)];
        lines.extend(ROWS.iter().filter(played).map(|row| self.line(row)));
        let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default();
        let widths: [usize; HEADINGS.len()] = std::array::from_fn(width);
        for line in &lines {
            let mut text = String::new();
            for (column, (cell, width)) in line.iter().zip(widths).enumerate() {
                match column {
                    0 | 1 | 7 => text.push_str(&format!("{cell:<width$}  ")),
                    _ => text.push_str(&format!("{cell:>width$}  ")),
                }
            }
            writeln!(f, "{}", text.trim_end())?;
        }
        if self.0.iter().any(is_load_bound) {
            writeln!(f, "{LOAD_BOUND} the load used more than {LOAD_SHARE_MAX} of its core: the server may do better")?;
        }
        Ok(())
    }
}

impl Table<'_> {
    fn line(&self, row: &Row) -> [String; HEADINGS.len()] {
        let ours = self.median(row, Kind::Ours);
        let ratio = self.ratio(row);
        let (target, judged) = match row.target {
            Target::None => (String::new(), None),
            Target::AtMost(bound) => (format!("<= {}", number(bound)), Some(ours.map(|ours| ours <= bound))),
            Target::AtLeast(bound) => (format!(">= {}", number(bound)), Some(ours.map(|ours| ours >= bound))),
            Target::OfFloor(bound) => (format!("<= {bound:.2}x"), Some(ratio.map(|ratio| ratio <= bound))),
            Target::OfFloorIn(_, bound) => (format!("<= {bound:.2}x full"), Some(ratio.map(|ratio| ratio <= bound))),
        };
        let met = match judged {
            None => "",
            Some(Some(true)) => "yes",
            Some(Some(false)) => "NO",
            Some(None) => "not measured",
        };
        let cell = |kind| self.median(row, kind).map_or("-".to_owned(), |value| number(value) + self.mark(row, kind));
        [
            row.scenario.to_owned(),
            row.label.to_owned(),
            cell(Kind::Ours),
            cell(Kind::Floor),
            cell(Kind::Oracle),
            ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}x")),
            target,
            met.to_owned(),
        ]
    }

    fn median(&self, row: &Row, kind: Kind) -> Option<f64> {
        median(self.samples(row, kind).filter_map(|sample| sample.figure(row.figure)).collect())
    }

    /// Marks the figure if one of its samples was bound by the load.
    fn mark(&self, row: &Row, kind: Kind) -> &'static str {
        if self.samples(row, kind).any(is_load_bound) { LOAD_BOUND } else { "" }
    }

    fn samples(&self, row: &Row, kind: Kind) -> impl Iterator<Item = &Sample> {
        self.0.iter().filter(move |sample| sample.scenario == row.scenario && sample.kind == kind)
    }

    /// The median of the rounds' ratios: what drifts from round to round drifts for both.
    fn ratio(&self, row: &Row) -> Option<f64> {
        let of_floor = if let Target::OfFloorIn(figure, _) = row.target { figure } else { row.figure };
        let figure = |round: usize, kind: Kind, name: &str| {
            let is_it =
                |sample: &&Sample| sample.scenario == row.scenario && sample.kind == kind && sample.round == round;
            self.0.iter().find(is_it)?.figure(name)
        };
        let rounds = self.0.iter().map(|sample| sample.round + 1).max().unwrap_or_default();
        let ratio = |round| Some(figure(round, Kind::Ours, row.figure)? / figure(round, Kind::Floor, of_floor)?);
        median((0..rounds).filter_map(ratio).collect())
    }
}

fn is_load_bound(sample: &Sample) -> bool {
    sample.figure("load_share").is_some_and(|share| share > LOAD_SHARE_MAX)
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.retain(|value| value.is_finite());
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let upper = *values.get(middle)?;
    let lower = if values.len().is_multiple_of(2) { values.get(middle - 1)? } else { &upper };
    Some(f64::midpoint(*lower, upper))
}

/// Three significant digits, or all before the point.
fn number(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0.. => format!("{value:.1}"),
        1.0.. => format!("{value:.2}"),
        0.0 => "0".to_owned(),
        _ => format!("{value:.3}"),
    }
}
