//! `wstool compare --live` in a build without the lab: there is nothing to measure with.

use super::args::Args;
use crate::compare::Scenario;
use crate::lang::Lang;
use crate::model::Text;
use crate::model::report::Report;

/// Says that nothing can be measured.
pub fn measure(_: &Args, _: Scenario, _: Lang) -> Result<(Report, u8), Text> {
    Err(wanted())
}

/// Says that nothing can be served.
pub fn serve(_: &Args, _: Scenario, _: u8) -> Result<(), Text> {
    Err(wanted())
}

fn wanted() -> Text {
    Text::new("--live: this build has no servers and clients to measure: build it with --features lab")
}
