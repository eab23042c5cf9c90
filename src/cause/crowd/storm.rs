//! Clients that come back again and again.

use std::net::IpAddr;

use super::{Event, RECONNECT_STORM, SECOND, Together, range, together};
use crate::model::quantity::{grouped, span};
use crate::model::{Case, Diagnosis, Dir, Endpoint, Finding, Measure, Quantity, Text};

/// A client that comes back sooner than this has not waited.
const NO_PAUSE: i64 = SECOND;
/// Clients that are named one by one.
const NAMED: usize = 3;

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
    pub fn of(events: &[Event], is_lost: impl Fn(&Event) -> bool, least: usize) -> Option<Self> {
        let mut ended: Vec<Event> = events.iter().copied().filter(|event| is_lost(event)).collect();
        ended.sort_unstable_by_key(|event| (event.ended, event.conn));
        let (mut pauses, mut lost) = (Vec::new(), Vec::new());
        let mut next = 0;
        for event in events {
            // Each end is followed by one beginning: the first one after it.
            while let Some(before) = ended.get(next) {
                let pause = event.began.since(before.ended);
                if pause < 0 {
                    break;
                }
                next += 1;
                if pause < NO_PAUSE {
                    pauses.push(pause);
                    lost.push(*before);
                    break;
                }
            }
        }
        let client = events.first()?.client;
        (pauses.len() >= least).then_some(Self { client, pauses, lost })
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
