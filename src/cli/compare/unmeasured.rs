//! `wstool compare --live` in a build without the lab: there is nothing to measure with.

use super::args::Args;
use crate::compare::Scenario;
use crate::model::report::Report;

const WANTED: &str = "--live: this build has no servers and clients to measure: build it with --features lab";

/// Says that nothing can be measured.
pub fn measure(_: &Args, _: Scenario) -> Result<(Report, u8), String> {
    Err(WANTED.to_owned())
}

/// Says that nothing can be served.
pub fn serve(_: &Args, _: Scenario, _: u8) -> Result<(), String> {
    Err(WANTED.to_owned())
}
