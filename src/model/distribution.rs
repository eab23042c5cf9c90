//! How quantities were distributed, in little room.

/// Count, sum, least and greatest of some values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// How many.
    pub count: u64,
    /// Their sum, no more than fits.
    pub sum: u64,
    /// The least; 0 of none.
    pub min: u64,
    /// The greatest; 0 of none.
    pub max: u64,
}

impl Range {
    /// Takes one value.
    #[inline]
    pub fn take(&mut self, value: u64) {
        self.add(&Self { count: 1, sum: value, min: value, max: value });
    }

    /// Takes all the values another one has taken.
    #[inline]
    pub fn add(&mut self, other: &Self) {
        if other.count > 0 {
            self.min = if self.count == 0 { other.min } else { self.min.min(other.min) };
            self.max = self.max.max(other.max);
            self.count += other.count;
            self.sum = self.sum.saturating_add(other.sum);
        }
    }

    /// The mean, rounded down; 0 of none.
    pub fn mean(&self) -> u64 {
        self.sum.checked_div(self.count).unwrap_or_default()
    }
}

/// Buckets an octave is divided into.
const STEPS: u32 = 4;

/// A [`Range`] with quantiles.
///
/// They come from a histogram of logarithmic buckets, four an octave, and are off
/// by at most an eighth. The histogram is as long as the greatest value needs: at
/// most 252 buckets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Distribution {
    /// Of the same values.
    pub range: Range,
    buckets: Box<[u32]>,
}

impl Distribution {
    /// Takes one value.
    #[inline]
    pub fn take(&mut self, value: u64) {
        self.range.take(value);
        let bucket = bucket(value);
        match self.buckets.get_mut(bucket) {
            Some(count) => *count = count.saturating_add(1),
            None => self.take_first(bucket),
        }
    }

    /// The value of a bucket for which there is no room yet.
    #[cold]
    fn take_first(&mut self, bucket: usize) {
        self.reach(bucket + 1);
        self.buckets[bucket] = 1;
    }

    /// Has taken nothing, and keeps its buckets.
    pub fn clear(&mut self) {
        self.range = Range::default();
        self.buckets.fill(0);
    }

    /// Makes room for more buckets: whole octaves, so that it is seldom done.
    #[cold]
    fn reach(&mut self, buckets: usize) {
        let mut longer = std::mem::take(&mut self.buckets).into_vec();
        longer.resize(buckets.next_multiple_of(4 * STEPS as usize), 0);
        self.buckets = longer.into();
    }

    /// Takes all the values another one has taken.
    pub fn add(&mut self, other: &Self) {
        if other.range.count == 0 {
            return;
        }
        self.range.add(&other.range);
        // In no other buckets is anything.
        let (first, last) = (bucket(other.range.min), bucket(other.range.max));
        if last >= self.buckets.len() {
            self.reach(last + 1);
        }
        for (mine, theirs) in self.buckets[first..=last].iter_mut().zip(&other.buckets[first..=last]) {
            *mine = mine.saturating_add(*theirs);
        }
    }

    /// The value that `percent` of the values do not exceed, to an eighth; 0 of none.
    pub fn quantile(&self, percent: u64) -> u64 {
        let counted: u64 = self.buckets.iter().map(|count| u64::from(*count)).sum();
        let rank = (counted * percent).div_ceil(100);
        let mut below = 0;
        for (i, count) in self.buckets.iter().enumerate() {
            below += u64::from(*count);
            if below >= rank && *count > 0 {
                return middle(i).clamp(self.range.min, self.range.max);
            }
        }
        self.range.max
    }
}

/// The bucket of a value: values below eight have their own, each octave above has four.
#[inline]
fn bucket(value: u64) -> usize {
    if value < 8 {
        return value as usize;
    }
    let octave = value.ilog2();
    let step = (value >> (octave - 2)) & 3;
    (8 + (octave - 3) * STEPS) as usize + step as usize
}

/// The value in the middle of a bucket.
fn middle(bucket: usize) -> u64 {
    if bucket < 8 {
        return bucket as u64;
    }
    let (octave, step) = (3 + (bucket - 8) / 4, (bucket - 8) as u64 % 4);
    let width = 1u64 << (octave - 2);
    (4 + step) * width + (width - 1) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: impl IntoIterator<Item = u64>) -> Distribution {
        let mut distribution = Distribution::default();
        values.into_iter().for_each(|value| distribution.take(value));
        distribution
    }

    #[test]
    fn every_value_is_near_the_middle_of_its_bucket() {
        for value in (0..5000).chain((0..64).map(|bit| 1 << bit)).chain([u64::MAX, u64::MAX - 1]) {
            let middle = middle(bucket(value));
            assert!(middle.abs_diff(value) <= value / 8, "{value} is in the bucket around {middle}");
        }
        assert!((0..5000).is_sorted_by_key(bucket));
        assert_eq!(bucket(u64::MAX), 251);
    }

    #[test]
    fn quantiles_of_one_value_are_exact() {
        let one = of([171]);
        assert_eq!(
            (one.range.min, one.quantile(50), one.quantile(95), one.range.max, one.range.mean()),
            (171, 171, 171, 171, 171)
        );
        let none = of([]);
        assert_eq!((none.range.min, none.quantile(50), none.range.mean()), (0, 0, 0));
    }

    #[test]
    fn quantiles_are_right_to_an_eighth() {
        let all = of(1..=1000);
        assert!(all.quantile(50).abs_diff(500) <= 500 / 8, "{}", all.quantile(50));
        assert!(all.quantile(95).abs_diff(950) <= 950 / 8, "{}", all.quantile(95));
        assert_eq!((all.range.min, all.range.max, all.range.mean()), (1, 1000, 500));
    }

    #[test]
    fn added_distributions_are_as_one() {
        let mut left = of(0..300);
        left.add(&of(300..9000));
        assert_eq!(left, of(0..9000));
    }
}
