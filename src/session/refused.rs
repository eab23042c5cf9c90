//! Connections that no server took, as far as they were to become a WebSocket.

use std::net::SocketAddr;

use super::Memory;
use super::failed::Failures;
use crate::http::{CONNECTION_REFUSED, CONNECTION_UNANSWERED, DESTINATION_UNREACHABLE};
use crate::limits;
use crate::model::quantity::wait;
use crate::model::{
    At, Body, Case, Diagnosis, Dir, Finding, Flow, Measure, ON, Out, Quantity, Text, Unit, Unopened,
    Unreachable,
};

/// SYNs that came to nothing, by the server and why.
#[derive(Debug, Default)]
pub struct Refusals {
    servers: Vec<Refusal>,
    /// Connections that were opened, of whatever kind.
    pub opened: u64,
    /// There were more than are remembered.
    too_many: bool,
}

#[derive(Debug)]
struct Refusal {
    server: SocketAddr,
    why: Unopened,
    first: At,
    last: At,
    times: u64,
}

/// Nanoseconds in which a gateway says so when a connection was refused, and when it was not answered since
/// its last SYN.
const GATEWAY_KNOWS: i64 = 250_000_000;
const GATEWAY_WAITS: i64 = 30_000_000_000;

impl Refusal {
    /// Whether it came to nothing for the same reason.
    fn is_alike(&self, server: SocketAddr, why: Unopened) -> bool {
        let is_silent = |why| matches!(why, Unopened::Silence { .. });
        self.server == server && (self.why == why || is_silent(self.why) && is_silent(why))
    }

    /// One more of them.
    fn add(&mut self, why: Unopened, at: At) {
        (self.last, self.times) = (at, self.times + 1);
        if let (Unopened::Silence { syns, waited }, Unopened::Silence { syns: more, waited: other }) =
            (&mut self.why, why)
        {
            *syns = syns.saturating_add(more);
            *waited = (*waited).max(other);
        }
    }

    /// Whether a gateway that was asked for a WebSocket tried it, by what it answered right after.
    fn is_of_gateway(&self, memory: &Memory) -> bool {
        let within = match self.why {
            Unopened::Silence { .. } => GATEWAY_WAITS,
            _ => GATEWAY_KNOWS,
        };
        memory.has_gateway_failed(self.last.time, within)
    }

    /// What is the same in all of them.
    fn case(&self, what: Text) -> Case {
        Case { server: Some(self.server), ..Case::new(what, Vec::new()) }
    }

    fn finding(&self) -> Finding {
        let Self { server, times, .. } = self;
        let expected = Text::with("a server that listens at {}", server);
        match self.why {
            Unopened::Reset => {
                let got = match times {
                    1 => Text::new("a TCP reset in answer to SYN"),
                    times => Text::with("a TCP reset in answer to SYN, {} times", times),
                };
                let what = match times {
                    1 => Text::with("nothing listens at {}: RST answered the client's SYN", server),
                    times => {
                        Text::with("nothing listens at {}: RST answered the SYNs of {} connections", server)
                            .and(times)
                    }
                };
                Finding::new(&CONNECTION_REFUSED, Dir::Server, expected, got).like(self.case(what))
            }
            Unopened::Silence { syns, waited } => {
                let nanos = i64::try_from(waited).unwrap_or(i64::MAX);
                let waited = wait(nanos);
                let got = match times {
                    1 => Text::with("nothing in answer to {} SYNs within {}", syns).and(waited),
                    times => {
                        Text::with("nothing in answer to {} SYNs of {} connections, up to {} each", syns)
                            .and(times)
                            .and(waited)
                    }
                };
                let what = Text::with("{} did not answer any of {} SYNs", server).and(syns);
                let case = self.case(what);
                let waited = Measure::of(Quantity::Waited, nanos);
                let case = Case { measures: vec![waited], ..case };
                Finding::new(&CONNECTION_UNANSWERED, None, expected, got).like(case)
            }
            Unopened::Unreachable { by, why } => {
                let got = match times {
                    1 => Text::new("ICMP from {1}: {0}").word(why.name()).and(by),
                    times => Text::new("ICMP from {1}: {0}, {2} times").word(why.name()).and(by).and(times),
                };
                let [what, fix] = match why {
                    Unreachable::Port if by == server.ip() => [
                        "a firewall of the host rejects the connection (REJECT), or nothing listens there",
                        "start the server, and let its firewall have the port open",
                    ],
                    Unreachable::Port | Unreachable::Prohibited => [
                        "a firewall or a router does not let the connection through",
                        "ask who keeps that firewall, or take a way or a port that it lets through",
                    ],
                    Unreachable::Host => [
                        "the host is off or has another address: its neighbours do not find it",
                        "see that the address is right and that the host is on",
                    ],
                    Unreachable::Network | Unreachable::Other => [
                        "a router knows no way there: a VPN that is down, a wrong address, a missing route",
                        "see that the address is right, and look at the routes on the way",
                    ],
                };
                let said = Text::with("{} cannot be reached: {}, says ICMP from {}", server)
                    .word(why.name())
                    .and(by);
                Finding::new(&DESTINATION_UNREACHABLE, None, expected, got)
                    .like(self.case(said))
                    .because(Diagnosis::new(DESTINATION_UNREACHABLE.id, what, fix))
            }
        }
    }
}

impl Refusals {
    /// One more, whose last packet is `at`.
    pub fn count(&mut self, server: SocketAddr, why: Unopened, at: At) {
        if let Some(known) = self.servers.iter_mut().find(|known| known.is_alike(server, why)) {
            known.add(why, at);
        } else if self.servers.len() < limits::OTHERS_LISTED {
            self.servers.push(Refusal { server, why, first: at, last: at, times: 1 });
        } else {
            // Somebody looks for open ports.
            self.too_many = true;
        }
    }

    /// Tells of those where WebSocket was spoken or asked for otherwise, and of what is all there is.
    pub fn tell(&self, failures: &Failures, memory: &Memory, out: &mut Out<'_>) -> Flow {
        // localhost has two addresses, which are tried one after the other.
        let failed = failures.servers.iter().map(|failure| failure.server);
        let servers = self.servers.iter().map(|refusal| refusal.server).chain(failed);
        let ports = || servers.clone().map(|server| server.port());
        let is_one = ports().min() == ports().max();
        let is_all = !self.too_many && self.opened == failures.connections && is_one;
        for failure in failures.servers.iter().filter(|it| is_all || memory.is_server(it.server)) {
            emit(failure.finding(), failure.first, failure.last, out)?;
        }
        for refusal in &self.servers {
            if !is_all && !memory.is_server(refusal.server) && !refusal.is_of_gateway(memory) {
                continue;
            }
            //= RFC 6455 §4.1
            //# If the connection could not be opened, either because a direct
            //# connection failed or because any proxy used returned an error,
            //# then the client MUST _Fail the WebSocket Connection_ and abort
            //# the connection attempt.
            emit(refusal.finding(), refusal.first, refusal.last, out)?;
        }
        ON
    }
}

/// Tells what was found in the packets from `first` to `last`.
fn emit(finding: Finding, first: At, last: At, out: &mut Out<'_>) -> Flow {
    out.emit(&Unit {
        time: last.time,
        packets: (first.packet > 0).then_some((first.packet, last.packet)),
        findings: &[finding],
        ..Unit::of(0, Body::Note)
    })
}
