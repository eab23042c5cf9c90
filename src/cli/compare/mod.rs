//! `wstool compare`: what polling and WebSocket cost.

mod args;
mod captures;
#[cfg(feature = "lab")]
mod live;
#[cfg(not(feature = "lab"))]
#[path = "unmeasured.rs"]
mod live;
#[cfg(feature = "lab")]
mod memory;
mod picture;
#[cfg(feature = "lab")]
mod progress;
mod units;

use std::io;

use self::args::Preset;
use self::picture::Picture;
use super::Look;
use super::output::Output;
use crate::compare::sweep::{self, Variable};
use crate::compare::{self, Scenario};
use crate::model::Text;
use crate::model::report::Report;
use crate::render::compare::write;

pub use self::args::Args;

/// Answers the question and gives the exit code.
///
/// # Errors
/// When the output cannot be written.
pub fn run(args: &Args, look: Look) -> io::Result<u8> {
    if let Some(number) = args.live_server {
        let served = args.scenario().and_then(|scenario| live::serve(args, scenario, number));
        return Ok(if served.is_ok() { 0 } else { 2 });
    }
    let result = answer(args, look).and_then(|(report, code)| {
        if let (Some(path), Some(chart)) = (&args.chart, &report.chart) {
            Picture::of(path)?.draw(chart, look.lang)?;
        }
        Ok((report, code))
    });
    match result {
        Ok((report, code)) => {
            write(&report, args.form(look), look.lang, Output::new(false))?;
            Ok(code)
        }
        Err(problem) => {
            look.tell("error: {}", &problem)?;
            Ok(2)
        }
    }
}

/// The page, and the exit code that goes with it.
fn answer(args: &Args, look: Look) -> Result<(Report, u8), Text> {
    if !args.captures.is_empty() {
        return captures::count(&args.captures, look);
    }
    let scenario = args.scenario()?;
    if let Some(path) = &args.chart {
        // Before anything takes time.
        Picture::of(path)?;
    }
    if args.live {
        return live::measure(args, scenario, look.lang);
    }
    let report = match args.preset {
        Some(Preset::QuantumLeap) => compare::presets::quantum_leap(),
        Some(Preset::Fair) => compare::presets::fair(),
        None if args.simulate => compare::report::simulated(&scenario, args.play()?, &mut |_| ()),
        None => match &args.sweep {
            Some(range) => swept(&scenario, &range[0], &range[1])?,
            None => modelled(&scenario, args.chart.is_some())?,
        },
    };
    Ok((report, 0))
}

/// By formula; with the curves over the interval for a chart.
fn modelled(scenario: &Scenario, with_chart: bool) -> Result<Report, Text> {
    let mut report = compare::report::model(scenario);
    if with_chart {
        let interval = scenario.interval;
        let swept = sweep::sweep(scenario, Variable::Interval, interval / 10.0, interval * 60.0)?;
        report.chart = swept.chart;
    }
    Ok(report)
}

/// Changes one assumption over a range.
fn swept(scenario: &Scenario, what: &str, range: &str) -> Result<Report, Text> {
    let (variable, unit) = match what {
        "rate" => (Variable::Rate, None),
        "interval" => (Variable::Interval, Some(0.001)),
        "payload" => (Variable::Payload, None),
        "clients" => (Variable::Clients, None),
        "delay" => (Variable::Delay, Some(0.001)),
        _ => {
            return Err(Text::with(
                "--sweep {}: one of rate, interval, payload, clients, delay is wanted",
                what,
            ));
        }
    };
    let (from, to) =
        range.split_once("..").ok_or(Text::new("--sweep wants a range such as 100ms..60s or 1..1000"))?;
    let value = |text: &str| match unit {
        Some(unit) => units::duration(text, unit),
        None => text.parse().map_err(|_| "a number"),
    };
    let value = |text: &str| {
        value(text).map_err(|wanted| Text::with("--sweep {}: `{}` is not {}", range).and(text).word(wanted))
    };
    sweep::sweep(scenario, variable, value(from)?, value(to)?)
}
