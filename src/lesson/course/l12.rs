//! Lesson 12: what polling and push cost, and how late they are.

use super::draw::{host, pick};
use crate::compare::heads::Heads;
use crate::compare::latency::Latency;
use crate::compare::model::cost;
use crate::compare::wire::Wire;
use crate::compare::words::grouped;
use crate::compare::{Scenario, Way};
use crate::lesson::{Answer, Instance, Make};
use crate::model::LengthForm;
use crate::synth::Rng;

pub static EXERCISES: &[Make] = &[
    Make { id: "heads-on-the-wire", make: heads_on_the_wire },
    Make { id: "published-megabits", make: published_megabits },
    Make { id: "fair-ratio", make: fair_ratio },
    Make { id: "long-poll-mean", make: long_poll_mean },
    Make { id: "empty-polls", make: empty_polls },
];

/// The name of what is published: another one for everybody.
fn feed(rng: &mut Rng) -> String {
    let subject = pick(rng, &["prices", "scores", "weather", "trains", "quakes", "tides", "orders", "votes"]);
    format!("{subject}.{}", host(rng))
}

/// 871 becomes 909 when line ends are counted.
fn heads_on_the_wire(rng: &mut Rng) -> Instance {
    let host = feed(rng);
    let browser = Heads::browser();
    let mut request = browser.request.asking("GET", &format!("/since/{}", rng.below(100_000)));
    request = request.with("Host", &host).with("Referer", format!("http://{host}/"));
    for (name, value) in [("Cache-Control", "no-cache"), ("DNT", "1"), ("Pragma", "no-cache")] {
        if rng.one_in(2) {
            request = request.with(name, value);
        }
    }
    request = request.with(
        "Cookie",
        format!("visitor={:0width$x}", rng.below(1 << 32), width = 8 + rng.below(40) as usize),
    );
    let mut response = browser.response.with("Content-Length", "21");
    if rng.one_in(2) {
        response = response.with("Vary", "Cookie");
    }
    let mut lines = Vec::new();
    for head in [&request, &response] {
        lines.push(head.start.clone());
        lines.extend(head.fields.iter().map(|(name, value)| format!("{name}: {value}")));
        lines.push(String::new());
    }
    let count = lines.len() as u64;
    // Start line and empty line, and a line a field.
    let in_request = request.fields.len() as u64 + 2;
    let wire = request.len() + response.len();
    let published = wire - 2 * count;
    Instance::new(Answer::Number(wire))
        .hole("host", host)
        .hole("published", published)
        .hole("lines", count)
        .mistake("as-published", Answer::Number(published))
        .mistake("lf-only", Answer::Number(published + count))
        .mistake("empty-lines-forgotten", Answer::Number(wire - 4))
        .mistake("one-head-only", Answer::Number(published + 2 * in_request))
        .mistake("one-head-only", Answer::Number(wire - 2 * in_request))
        .file("poll.http", lines.join("\r\n") + "\r\n")
        .command(["compare", "--request-headers", "{file:poll.http}", "--payload", "21"])
}

/// 665 "Mbps" and 697 megabits are the same.
fn published_megabits(rng: &mut Rng) -> Instance {
    let clients = 1000 * (2 + rng.below(249));
    let bytes = 500 + rng.below(900);
    let bits = clients * bytes * 8;
    let mega = |by: f64| bits as f64 / by;
    // 2^20 and 1024 · 1000 are 2.4 % apart.
    let answer = |value: f64| Answer::decimal(tenths(value), (value * 0.002).max(0.06));
    Instance::new(answer(mega(1_048_576.0)))
        .hole("feed", feed(rng))
        .hole("clients", grouped(clients))
        .hole("bytes", bytes)
        .hole("bits", grouped(bits))
        .hole("mega", tenths(mega(1e6)))
        .mistake("decimal-mega", answer(mega(1e6)))
        .mistake("bytes-not-bits", answer(mega(8.0 * 1_048_576.0)))
        .mistake("half-and-half", answer(mega(1_024_000.0)))
        .command(["compare", "--preset", "quantum-leap"])
}

/// 8.55 for a message of one's own.
fn fair_ratio(rng: &mut Rng) -> Instance {
    let wire = Wire { tls: false, ..Scenario::default().wire };
    let ack = wire.acks(1.0).total();
    let open = (wire.open() + wire.close()).total();
    loop {
        let (payload, heads) = (10 + rng.below(290), 550 + rng.below(500));
        let frame_header = match LengthForm::minimal(payload) {
            LengthForm::Bits7 => 2,
            LengthForm::Bits16 => 4,
            LengthForm::Bits64 => 10,
        };
        // The request's head and the response's: any cut between them costs the same.
        let poll = (wire.write(0, heads / 2) + wire.write(payload, heads - heads / 2)).total();
        let frame = wire.write(payload, frame_header).total();
        let (polling, pushed) = (poll + ack, frame + ack);
        let ratios = [
            polling / pushed,
            (polling + open) / pushed,
            heads as f64 / frame_header as f64,
            (heads + payload) as f64 / (frame_header + payload) as f64,
            poll / frame,
            (polling - ack) / pushed,
        ];
        if !are_apart(&ratios, 0.05) {
            continue;
        }
        let answer = |at: usize| Answer::decimal(hundredths(ratios[at]), 0.015);
        return Instance::new(answer(0))
            .hole("feed", feed(rng))
            .hole("payload", payload)
            .hole("heads", heads)
            .hole("segment", wire.headers())
            .hole("open", open)
            .hole("polling", polling)
            .hole("frame", pushed)
            .hole("frame-header", frame_header)
            .mistake("new-connection-each-poll", answer(1))
            .mistake("heads-only", answer(2))
            .mistake("no-packets", answer(3))
            .mistake("no-acknowledgement", answer(4))
            .mistake("one-segment-for-the-poll", answer(5))
            .command(["compare", "--preset", "fair"]);
    }
}

/// Whether a learner's answer can be told from every other: no two are closer than this.
fn are_apart(values: &[f64], least: f64) -> bool {
    values.iter().enumerate().all(|(at, a)| values[..at].iter().all(|b| (a - b).abs() > least))
}

/// The mean of long polling lies between one transit and two.
fn long_poll_mean(rng: &mut Rng) -> Instance {
    loop {
        let delay = 20 + rng.below(131);
        // Messages in a transit, from 0.1 to 0.6 on average: neither mean is near d nor near 2d.
        let rate = tenths((0.1 + 0.005 * rng.below(101) as f64) * 1000.0 / delay as f64);
        let d = delay as f64 / 1000.0;
        let scenario = Scenario { rate, delay: d, ..Scenario::default() };
        let mean = cost(&scenario, Way::LongPolling).latency.mean();
        let gap = 2.0 * d * rate;
        let empty = (-gap).exp();
        // A gap of one transit: whoever comes in it waits for any part of it.
        let short = Latency::mixed(&[
            (rate * d, Latency::uniform(d, 2.0 * d)),
            ((-rate * d).exp(), Latency::constant(d)),
        ]);
        let means = [mean, d, 2.0 * d, 3.0 * d, short.mean(), 0.5 / rate + d].map(|seconds| 1000.0 * seconds);
        if !are_apart(&means, 2.0) {
            continue;
        }
        let answer = |at: usize| Answer::decimal(tenths(means[at]), (means[at] * 0.002).max(0.11));
        return Instance::new(answer(0))
            .hole("feed", feed(rng))
            .hole("rate", rate)
            .hole("delay", delay)
            .hole("gap", format!("{gap:.3}"))
            .hole("double", format!("{:.3}", 2.0 * gap))
            .hole("empty", format!("{empty:.3}"))
            .mistake("always-waiting", answer(1))
            .mistake("always-in-the-gap", answer(2))
            .mistake("worst-case", answer(3))
            .mistake("gap-of-one-transit", answer(4))
            .mistake("half-the-interval", answer(5))
            .mistake("in-seconds", Answer::decimal(means[0] / 1000.0, 0.001))
            .command(["compare", "--rate", &rate.to_string(), "--delay", &delay.to_string()]);
    }
}

/// None comes with the probability e^(−λT).
fn empty_polls(rng: &mut Rng) -> Instance {
    loop {
        let interval = 2 + rng.below(29);
        let rate = (1 + rng.below(60)) as f64 / 100.0;
        let mean = rate * interval as f64;
        let scenario = Scenario { rate, interval: interval as f64, ..Scenario::default() };
        let empty = cost(&scenario, Way::ShortPolling).empty.unwrap_or_default();
        let shares = [empty, 1.0 - empty, 1.0 - mean, mean, (-1.0 / mean).exp()].map(|share| 100.0 * share);
        // The share as a fraction of one is another answer, too.
        if !(0.1..0.95).contains(&mean) || !are_apart(&shares, 1.0) || (shares[4] - empty).abs() < 0.2 {
            continue;
        }
        let answer = |at: usize| Answer::decimal(tenths(shares[at]), 0.11);
        return Instance::new(answer(0))
            .hole("feed", feed(rng))
            .hole("rate", rate)
            .hole("interval", interval)
            .hole("mean", hundredths(mean))
            .mistake("share-with-news", answer(1))
            .mistake("evenly-spread", answer(2))
            .mistake("messages-a-poll", answer(3))
            .mistake("upside-down", answer(4))
            .mistake("as-a-fraction", Answer::decimal(empty, 0.0051))
            .command(["compare", "--rate", &rate.to_string(), "--interval", &(1000 * interval).to_string()]);
    }
}

fn tenths(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The page's figures, by the same way as the exercises'.
    #[test]
    fn the_figures_of_the_page() {
        let wire = Wire { tls: false, ..Scenario::default().wire };
        let poll = (wire.write(0, 716) + wire.write(21, 193) + wire.acks(1.0)).total();
        let frame = (wire.write(21, 2) + wire.acks(1.0)).total();
        assert_eq!(format!("{poll} {frame} {:.2}", poll / frame), "1086 127 8.55");
        assert_eq!(format!("{:.1}", 100_000.0 * 871.0 * 8.0 / 1_048_576.0), "664.5");
        let mean = |rate: f64| {
            let scenario = Scenario { rate, ..Scenario::default() };
            format!("{:.2}", cost(&scenario, Way::LongPolling).latency.mean() * 1000.0)
        };
        assert_eq!([mean(1.0), mean(5.0)], ["54.98", "72.59"]);
    }

    /// What the tool's model says is what the page's formula says.
    #[test]
    fn the_formula_of_the_page() {
        for seed in 0..50 {
            let instance = long_poll_mean(&mut Rng::new(seed));
            let hole = |name: &str| instance.holes[name].en.parse::<f64>().expect("a number");
            let (rate, d) = (hole("rate"), hole("delay") / 1000.0);
            let e = (-2.0 * d * rate).exp();
            let mean = 1000.0 * d * (4.0 * d * rate + e) / (2.0 * d * rate + e);
            assert!(instance.right.accepts(&Answer::decimal(mean, 0.0)), "{mean}: {instance:?}");
        }
    }
}
