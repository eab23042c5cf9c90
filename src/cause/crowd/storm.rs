//! Clients that come back again and again.

use std::net::IpAddr;

use super::{Event, MILLISECOND, RECONNECT_STORM, SECOND, Together, range, together};
use crate::model::quantity::{grouped, span};
use crate::model::{Case, Diagnosis, Dir, Endpoint, Finding, Measure, Quantity, Text};

/// A client that comes back sooner than this has not waited.
const NO_PAUSE: i64 = SECOND;
/// Clients that are named one by one.
const NAMED: usize = 3;
/// How often several at one address have to come back after the same pause, to be told from as many who come
/// and go.
const SEVERAL: usize = 10;
/// By how much a program that waits equally long each time is late, where nobody else is at its address.
const LATE: i64 = 20 * MILLISECOND;

/// A client that comes back without a pause.
pub(super) struct Storm {
    client: Option<IpAddr>,
    /// How long it waited each time, in nanoseconds.
    pauses: Vec<i64>,
    /// The connections after which it did.
    lost: Vec<Event>,
}

impl Storm {
    /// What a client does after connections that ended like this, if it does it so often at least; `events`
    /// are its own, by when they began.
    ///
    /// Behind an address may be many, who come and go: whoever begins next after an end need not be the one
    /// who was lost. A program that comes back without a pause ends like that again, and takes the same time
    /// for it each time.
    pub fn of(events: &[Event], is_lost: impl Fn(&Event) -> bool, least: usize) -> Option<Self> {
        let mut ended: Vec<Event> = events.iter().copied().filter(|event| is_lost(event)).collect();
        ended.sort_unstable_by_key(|event| (event.ended, event.conn));
        let (mut pauses, mut lost) = (Vec::new(), Vec::new());
        let (mut next, mut begun, mut are_several) = (0, 0, false);
        for event in events {
            let is_one = is_lost(event);
            // Each end is followed by one beginning: the first one after it.
            while let Some(before) = ended.get(next) {
                let pause = event.began.since(before.ended);
                if pause < 0 {
                    break;
                }
                next += 1;
                if pause < NO_PAUSE {
                    if is_one {
                        // Others that are lost later are open now.
                        are_several |= begun > ended.partition_point(|it| it.ended <= event.began);
                        pauses.push(pause);
                        lost.push(*before);
                    }
                    break;
                }
            }
            begun += usize::from(is_one);
        }
        let least = if are_several { least.max(SEVERAL) } else { least };
        let slack = if are_several { 0 } else { LATE };
        let client = events.first()?.client;
        (pauses.len() >= least && are_alike(&pauses, slack)).then_some(Self { client, pauses, lost })
    }

    /// The finding about it, where so many clients of the server do the same: of many none is named.
    pub fn tell(&self, server: Endpoint, clients: usize) -> Option<Together> {
        let Self { client, pauses, lost } = self;
        let lived = range(Quantity::Lived, lost.iter().map(|event| event.ended.since(event.began)));
        let back = range(Quantity::Back, pauses.iter().copied());
        let what = match client {
            _ if clients > NAMED => {
                Text::with("{} clients connect to {} again and again, with hardly a pause", clients)
                    .and(server)
            }
            Some(client) => {
                Text::with("{} connects to {} again and again, with hardly a pause", client).and(server)
            }
            None => Text::with("a client connects to {} again and again, with hardly a pause", server),
        };
        let measures = [Some(Measure::count(Quantity::Times, pauses.len() as u64)), lived, back];
        let case = Case::new(what, measures.into_iter().flatten().collect());
        let (least, most) = (pauses.iter().min()?, pauses.iter().max()?);
        let got = Text::with(
            "back {} times, {} to {} after the last connection had ended",
            grouped(pauses.len() as u64),
        )
        .and(span(*least))
        .and(span(*most));
        let expected = "a pause that grows with each failure".into();
        let case = Case { client: *client, ..case };
        let mut finding = Finding::new(&RECONNECT_STORM, Dir::Client, expected, got).like(case);
        if lost.iter().all(|event| event.left) {
            finding = finding.because(Diagnosis::new(
                RECONNECT_STORM.id,
                "a page that is loaded again and again: each time it leaves with 1001, and opens a new \
                 connection",
                "look for what reloads the page: a script, a redirect to itself, a development server",
            ));
        }
        if lost.iter().all(|event| event.dismissed) {
            finding = finding.because(Diagnosis::new(
                RECONNECT_STORM.id,
                "the server takes each connection and closes it at once with 1000, before anybody has sent a \
                 thing: it does not want it, and the code does not say so",
                "let the server refuse before it accepts (401, 403, 429 …), or close with a code and a \
                 reason that say why (1008, 1013); let the client wait longer each time",
            ));
        }
        Some(together(finding, server, lost))
    }
}

/// Whether most pauses are of one length, but for so many nanoseconds: those of people are of any.
fn are_alike(pauses: &[i64], slack: i64) -> bool {
    let mut sorted = pauses.to_vec();
    sorted.sort_unstable();
    let last = sorted.len().saturating_sub(1);
    let (Some(short), Some(long)) = (sorted.get(last / 10), sorted.get(last - last.div_ceil(10))) else {
        return false;
    };
    *long <= short.saturating_mul(2).saturating_add(slack)
}

#[cfg(test)]
mod tests {
    use super::super::tests::event;
    use super::*;

    /// How often somebody is back, of connections that begin and end at these milliseconds.
    fn back(spans: &[(u64, u64)]) -> Option<usize> {
        let mut events: Vec<Event> = (0..).zip(spans).map(|(n, (from, to))| event(n, *from, *to)).collect();
        events.sort_unstable_by_key(|event| (event.began, event.conn));
        Storm::of(&events, |event| event.failed, 5).map(|storm| storm.pauses.len())
    }

    #[test]
    fn who_comes_and_goes_behind_one_address_is_no_storm() {
        // One after the other, at no time that a program would choose.
        let visits = [0, 380, 410, 1200, 1260, 1290, 2100, 2450, 2460, 3300, 3500, 3590];
        let brief: Vec<_> = visits.iter().map(|from| (*from, from + 8)).collect();
        assert_eq!(back(&brief), None);
        // Several at the same time.
        let lasting = [700, 300, 1100, 450, 900, 250, 820, 610, 330, 1000, 540, 760];
        let crowd: Vec<_> = visits.iter().zip(lasting).map(|(from, lasts)| (*from, from + lasts)).collect();
        assert_eq!(back(&crowd), None);
    }

    #[test]
    fn a_program_that_waits_equally_long_is_one() {
        let one: Vec<_> = (0..6).map(|n| (300 * n, 300 * n + 100)).collect();
        assert_eq!(back(&one), Some(5));
        // Two of them, whose connections end at other times.
        let two: Vec<_> =
            (0..7).flat_map(|n| [(300 * n, 300 * n + 100), (310 * n + 40, 310 * n + 150)]).collect();
        assert_eq!(back(&two), Some(12));
        assert_eq!(back(&two[..10]), None);
    }
}
