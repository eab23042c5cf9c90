//! Values of options.

use std::time::Duration;

use crate::cli::size;
use crate::lab::fault;

/// A time that is more than nothing.
///
/// # Errors
/// How it is written.
pub fn time(text: &str) -> Result<Duration, String> {
    match fault::duration(text) {
        Ok(time) if time.is_zero() => Err("more than nothing".to_owned()),
        Ok(time) => Ok(time),
        Err(problem) => Err(problem.to_string()),
    }
}

/// How large a message may be.
///
/// # Errors
/// What is understood, or which sizes are allowed.
pub fn message(text: &str) -> Result<u64, String> {
    size::within(text, 125, 1 << 30)
}
