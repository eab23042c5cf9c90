//! The formulas of `wstool compare` beside its simulation, which knows none of them.

use wstool::compare::play::Play;
use wstool::compare::simulate::play;
use wstool::compare::{Direction, Scenario, Way, model};

/// Fifty questions, each value of each assumption in several of them.
fn grid() -> Vec<Scenario> {
    let pick = |values: &[f64], i: usize| values[i % values.len()];
    let scenario = |i: usize| {
        let mut s = Scenario {
            rate: pick(&[0.05, 0.3, 1.0, 5.0, 30.0], i),
            delay: pick(&[0.0, 0.005, 0.05, 0.3], i / 2),
            interval: pick(&[0.3, 1.0, 4.0], i) / pick(&[0.05, 0.3, 1.0, 5.0, 30.0], i),
            payload: [0, 21, 300, 5000][i % 4],
            heartbeat: pick(&[25.0, 5.0, 0.0], i / 3),
            closed_loop: i % 7 == 3,
            direction: [Direction::Down, Direction::Both, Direction::Down, Direction::Up][i / 5 % 4],
            ..Scenario::default()
        };
        s.keep_alive = if i % 11 == 2 { 3.0 } else { 60.0 };
        s.wire.tls = i % 5 == 1;
        s.wire.ipv6 = i % 6 == 2;
        s.http2 = i % 10 == 6;
        s.wire.ack_delay = pick(&[0.04, 0.0, 0.2], i / 4);
        s
    };
    (0..50).map(scenario).collect()
}

/// The questions `part` of five, so that they are asked side by side.
fn agree_within_one_percent(part: usize) {
    let mut wrong = Vec::new();
    for (i, s) in grid().iter().enumerate().filter(|(i, _)| i % 5 == part) {
        s.check().unwrap();
        for way in Way::ALL {
            let cost = model::cost(s, way);
            let varies = cost.latency.worst() > cost.latency.quantile(0.0) + 1e-9;
            let messages = match way {
                Way::ShortPolling if varies => 40_000,
                _ if varies => 25_000,
                _ => 4_000,
            };
            let seen = play(s, way, Play { seed: i as u64 + 1, messages, ..Play::default() });
            let mut compare = |what: &str, played: f64, formula: f64, nothing: f64| {
                if (played - formula).abs() > 0.01 * formula.abs().max(nothing) {
                    wrong.push(format!("{i} {way:?} {what}: played {played:.6}, formula {formula:.6}"));
                }
            };
            compare("mean", seen.latency.mean(), cost.latency.mean(), 1e-6);
            compare("requests", seen.requests as f64 / seen.seconds, cost.requests, 0.01);
            compare("bytes", seen.load.total() / seen.seconds, cost.steady.total(), 1.0);
            if let Some(empty) = cost.empty {
                compare("empty", seen.empty as f64 / seen.polls as f64, empty, 1.0);
            }
            for q in [0.5, 0.95] {
                // The share of messages the formula's quantile divides off, from either side of it.
                let at = cost.latency.quantile(q);
                let (low, high) =
                    (seen.latency.share_within(at - 1e-6), seen.latency.share_within(at + 1e-6));
                compare("quantile", q.clamp(low, high), q, 1.0);
            }
            let most = cost.latency.worst();
            assert!(seen.latency.worst() <= most + 1e-6, "{way:?} {most} {}", seen.latency.worst());
        }
    }
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn formulas_and_play_agree_within_one_percent_0() {
    agree_within_one_percent(0);
}

#[test]
fn formulas_and_play_agree_within_one_percent_1() {
    agree_within_one_percent(1);
}

#[test]
fn formulas_and_play_agree_within_one_percent_2() {
    agree_within_one_percent(2);
}

#[test]
fn formulas_and_play_agree_within_one_percent_3() {
    agree_within_one_percent(3);
}

#[test]
fn formulas_and_play_agree_within_one_percent_4() {
    agree_within_one_percent(4);
}
