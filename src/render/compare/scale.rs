//! Where a value stands on an axis, and which values are named there.

use crate::model::report::Axis;

/// Values on pixels.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    log: bool,
    low: f64,
    high: f64,
    /// Pixels of the lowest and the highest value.
    from: f64,
    to: f64,
}

impl Scale {
    /// An axis that holds all of `values`. A logarithmic one needs positive values and ends
    /// at numbers that begin with 1, 2 or 5.
    pub(super) fn new(axis: &Axis, values: impl Iterator<Item = f64>, from: f64, to: f64) -> Self {
        let usable = values.filter(|value| value.is_finite() && (!axis.log || *value > 0.0));
        let (low, high) = usable
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        let (mut low, mut high) = if low <= high { (low, high) } else { (1.0, 10.0) };
        if axis.log {
            low = below(low);
            high = above(high);
        } else {
            low = low.min(0.0);
        }
        if low >= high {
            high = if axis.log { low * 10.0 } else { low + 1.0 };
        }
        Self { log: axis.log, low, high, from, to }
    }

    /// The same axis without room at its ends.
    pub(super) fn tight(axis: &Axis, low: f64, high: f64, from: f64, to: f64) -> Self {
        Self { log: axis.log, low, high, from, to }
    }

    /// Where a value stands.
    pub(super) fn at(self, value: f64) -> f64 {
        let share = if self.log {
            (value.max(self.low / 10.0) / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.from + share * (self.to - self.from)
    }

    /// Values to name.
    pub(super) fn ticks(self) -> Vec<f64> {
        if !self.log {
            let step = above((self.high - self.low) / 6.0);
            let count = ((self.high - self.low) / step).floor() as usize;
            return (0..=count).map(|i| self.low + i as f64 * step).collect();
        }
        let decades = (self.high / self.low).log10();
        let digits: &[f64] = if decades > 4.0 { &[1.0] } else { &[1.0, 2.0, 5.0] };
        let first = self.low.log10().floor() as i32;
        let last = self.high.log10().ceil() as i32;
        let all = (first..=last).flat_map(|e| digits.iter().map(move |digit| digit * 10f64.powi(e)));
        all.filter(|value| (self.low * 0.9999..=self.high * 1.0001).contains(value)).collect()
    }
}

/// The next number not above that begins with 1, 2 or 5.
fn below(value: f64) -> f64 {
    let decade = 10f64.powf(value.log10().floor());
    [5.0, 2.0, 1.0]
        .map(|digit| digit * decade)
        .into_iter()
        .find(|n| *n <= value * 1.000_001)
        .unwrap_or(decade)
}

/// The next number not below.
fn above(value: f64) -> f64 {
    let decade = 10f64.powf(value.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .map(|digit| digit * decade)
        .into_iter()
        .find(|n| *n >= value * 0.999_999)
        .unwrap_or(decade)
}

/// A tick's name: `0.05`, `2k`, `10M`.
pub(super) fn name(value: f64) -> String {
    let (scaled, unit) = match value.abs() {
        v if v >= 0.999e9 => (value / 1e9, "G"),
        v if v >= 0.999e6 => (value / 1e6, "M"),
        v if v >= 9.99e3 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let text = format!("{scaled:.6}");
    format!("{}{unit}", text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(log: bool) -> Axis {
        Axis { label: "".into(), log }
    }

    #[test]
    fn a_logarithmic_axis_ends_at_round_numbers() {
        let scale = Scale::new(&axis(true), [0.05, 31.0].into_iter(), 0.0, 100.0);
        assert!((scale.at(0.05) - 0.0).abs() < 1e-6 && (scale.at(50.0) - 100.0).abs() < 1e-6);
        let names: Vec<String> = scale.ticks().into_iter().map(name).collect();
        assert_eq!(names, ["0.05", "0.1", "0.2", "0.5", "1", "2", "5", "10", "20", "50"]);
    }

    #[test]
    fn nothing_and_all_the_same_still_have_an_axis() {
        for values in [&[][..], &[1.0, 1.0], &[0.0]] {
            for log in [true, false] {
                let scale = Scale::new(&axis(log), values.iter().copied(), 0.0, 100.0);
                assert!(scale.at(1.0).is_finite() && !scale.ticks().is_empty(), "{values:?} {log}");
            }
        }
    }

    #[test]
    fn names_are_short() {
        for (value, text) in [(0.05, "0.05"), (2000.0, "2000"), (20_000.0, "20k"), (1e7, "10M"), (5e9, "5G")]
        {
            assert_eq!(name(value), text);
        }
    }
}
