//! Connections that were ended because nobody said anything.

use super::over::{Over, seen_in};
use crate::model::quantity::span;
use crate::model::{Case, Cite, Diagnosis, Finding, Measure, Quantity, Rule, Text, rules};

rules! {
    /// Ends after silence.
    RULES;
    IDLE_TIMEOUT = "idle-timeout-reached", Warning, Cite::rfc6455("5.5.2"), Either,
        "TCP was ended after a silence as long as a usual idle timeout, without a Close frame",
        "both endpoints learn of it late or never; messages sent meanwhile are lost",
        usually "a proxy, a load balancer or the server ends connections that were silent for so long",
        mend "send pings at less than half of that interval, from either side, or raise the timeout";
}

/// Idle timeouts that are in use, in seconds, and of what they are usual.
const USUAL: &[(u64, &str)] = &[
    (5, "Node.js servers (keepAliveTimeout)"),
    (30, "Google Cloud's load balancer and of HAProxy's examples"),
    (50, "HAProxy's example configuration"),
    (55, "Heroku's router"),
    (60, "nginx (proxy_read_timeout) and of AWS's ALB"),
    (100, "Cloudflare"),
    (240, "Azure's load balancer"),
    (300, "Envoy (stream_idle_timeout)"),
    (350, "AWS's NLB and NAT gateway"),
    (600, "Google Cloud's firewalls"),
    (3600, "HAProxy's examples (timeout tunnel)"),
];

/// Whether one of these already says why a connection was ended.
pub(super) fn explains(rule: &Rule) -> bool {
    *rule == IDLE_TIMEOUT
}

const SECOND: i64 = 1_000_000_000;

/// The usual timeout that a silence comes from, in seconds, and of what it is usual. Timers fire late, never
/// early, and a proxy rounds.
pub fn usual(silence: i64) -> Option<(u64, &'static str)> {
    USUAL.iter().copied().find(|(seconds, _)| {
        let nominal = i64::try_from(*seconds).unwrap_or_default() * SECOND;
        let late = (nominal / 100).clamp(SECOND / 5, SECOND + SECOND / 5);
        (-SECOND / 20..=late).contains(&(silence - nominal))
    })
}

pub(super) fn find(over: &Over<'_>, causes: &mut Vec<Finding>) {
    let (Some(end), Some(silence)) = (over.cut(), over.silence()) else { return };
    if !over.is_websocket() || !over.knows_silence() || !over.is_at_rest() {
        return;
    }
    let Some((seconds, whose)) = usual(silence) else { return };
    let got = Text::with("{} of silence, then {} from the {}", span(silence))
        .and(end.how.flag())
        .word(end.by.name());
    let expected = Text::with("a frame, or a ping, at least every {} s", seconds);
    let what = Text::new("ended by the {} after {} s of silence, without a Close frame")
        .word(end.by.name())
        .and(seconds);
    let case = Case::new(what, vec![Measure::of(Quantity::Silence, silence)]);
    let behind = Text::with("an idle timeout of {} s, usual of {}", seconds).word(whose);
    let ping = (seconds / 2).saturating_sub(seconds / 20).max(1);
    let mend = Text::with("a ping every {} s would have kept it open; or raise the timeout", ping);
    let finding = Finding::new(&IDLE_TIMEOUT, None, expected, got)
        .because(Diagnosis::new("idle-timeout-reached", behind, mend))
        .like(case);
    causes.push(seen_in(finding, end.packet));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_fire_late_and_hardly_early() {
        let ms = 1_000_000;
        let of = |silence: i64| usual(silence).map(|(seconds, _)| seconds);
        assert_eq!(of(5000 * ms), Some(5));
        assert_eq!(of(5130 * ms), Some(5));
        assert_eq!(of(4960 * ms), Some(5));
        assert_eq!(of(5300 * ms), None);
        assert_eq!(of(60_450 * ms), Some(60));
        assert_eq!(of(61_500 * ms), None);
        assert_eq!(of(2000 * ms), None);
    }
}
