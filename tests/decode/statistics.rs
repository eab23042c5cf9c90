//! Statistics take a frame and the message that it is alone in one call. Told one by one they come to the
//! same.

use std::io::Cursor;

use wstool::input::capture::ETHERNET;
use wstool::input::{self, PcapWriter};
use wstool::model::{Flow, Sink, Unit, Wants};
use wstool::pipeline;
use wstool::render::stats::Stats;
use wstool::synth::workload::{Workload, generate};

/// Passes units on one by one.
struct OneByOne(Stats);

impl Sink for OneByOne {
    fn wants(&self) -> Wants {
        self.0.wants()
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        self.0.take(unit)
    }
}

fn capture(workload: Workload) -> Vec<u8> {
    let mut writer = PcapWriter::new(Vec::new(), ETHERNET).expect("memory takes it");
    generate(workload, 1 << 18, 3, |time, packet| writer.packet(time, packet).expect("memory takes it"));
    writer.finish().expect("memory takes it")
}

fn lines(stats: &Stats) -> String {
    let mut out = Vec::new();
    stats.lines(&mut out).expect("memory takes it");
    String::from_utf8(out).expect("text")
}

#[test]
fn told_together_or_one_by_one_they_are_the_same() {
    for workload in [Workload::Small, Workload::Flows, Workload::Deflate, Workload::Big] {
        let bytes = capture(workload);
        let input = || input::open(Box::new(Cursor::new(bytes.clone())), "made").expect("a capture");
        let (mut together, mut apart) = (Stats::new(), OneByOne(Stats::new()));
        pipeline::run(input(), &mut together, &mut |_| {});
        pipeline::run(input(), &mut apart, &mut |_| {});
        let (together, apart) = (lines(&together), lines(&apart.0));
        assert!(together.lines().count() > 4, "{workload:?}: {together}");
        assert_eq!(together, apart, "{workload:?}");
    }
}
