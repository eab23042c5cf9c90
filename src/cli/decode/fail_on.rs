//! Which findings make a run fail.

use clap::ValueEnum;

use crate::model::Severity;
use crate::select::Verdict;

/// Which findings make a run fail.
#[allow(missing_docs)] // clap shows what is said of values
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    Error,
    Warning,
    Note,
    Never,
}

impl FailOn {
    /// Whether this verdict does.
    pub fn fails(self, verdict: Verdict) -> bool {
        match self {
            Self::Never => false,
            Self::Note => verdict.reaches(Severity::Note),
            Self::Warning => verdict.reaches(Severity::Warning),
            Self::Error => verdict.reaches(Severity::Error),
        }
    }
}
