//! A live run in sentences: what follows from it, what it rests on, what it does not show.

use super::{Check, Live, Sum};
use crate::compare::words::{grouped, number, said, time};
use crate::compare::{Scenario, Way, assumptions, model};
use crate::model::Text;
use crate::model::report::Assumption;

pub(super) fn verdict(s: &Scenario, sums: &[Sum<'_>], live: &Live) -> Vec<Text> {
    let bytes = |sum: &Sum<'_>| Some(sum.bytes(s, None)[2] / (sum.cost.steady.total() / s.rate) - 1.0);
    let mut verdict = Vec::new();
    verdict.extend(held_against(sums, "What a message costs in bytes", &bytes));
    verdict.extend(held_against(sums, "The mean latency", &|sum: &Sum<'_>| sum.late()));
    let fewest = sums.iter().map(|sum| sum.messages).fold(f64::INFINITY, f64::min);
    if fewest.is_finite() && fewest > 0.0 {
        verdict.push(said!(
            "Chance: messages come at random, and with {} of them their number is {} % off as a rule, and \
             what a message costs by short polling with it.",
            grouped(fewest as u64),
            format!("{:.1}", 100.0 / fewest.sqrt())
        ));
    }
    let server = |way: Way| sums.iter().find(|sum| sum.way == way)?.each(|run| run.server);
    if let (Some(short), Some(long), Some(web)) =
        (server(Way::ShortPolling), server(Way::LongPolling), server(Way::WebSocket))
    {
        let micro = |seconds: f64| said!("{} microseconds", number(seconds * 1e6));
        let idle = model::cost(s, Way::ShortPolling).empty.unwrap_or_default() > 0.2;
        verdict.push(said!(
            "Processor: a message cost this server {} by WebSocket, {} by long polling and {} by short \
             polling, which {}.",
            micro(web),
            micro(long),
            micro(short),
            if idle { "also answers polls for nothing" } else { "gathers several in an answer" },
        ));
    }
    if let Some(check) = &live.check {
        let socket: u64 = check.iter().map(|side| side.socket).sum();
        verdict.push(if check.iter().all(Check::holds) {
            said!(
                "Check: of a WebSocket connection's {} bytes on its socket the project's own decoder finds \
                 every one, as heads, frame headers and payloads.",
                grouped(socket)
            )
        } else {
            Text::new("Check failed: the decoder does not find as many bytes as the socket carried.")
        });
    }
    verdict
}

/// How well a quantity agrees with its formula.
fn held_against(
    sums: &[Sum<'_>],
    what: &'static str,
    difference: &dyn Fn(&Sum<'_>) -> Option<f64>,
) -> Option<Text> {
    let known = sums.iter().filter_map(|sum| Some((sum, difference(sum)?)));
    let (farthest, off) = known.max_by(|a, b| a.1.abs().total_cmp(&b.1.abs()))?;
    let side = if off < 0.0 { "below" } else { "above" };
    let percent = off.abs() * 100.0;
    let shown = format!("{percent:.1}");
    Some(if percent <= 10.0 {
        said!(
            "{} is as the formulas say: farthest off is {}, {} % {}.",
            what,
            farthest.way.name(),
            shown,
            side
        )
    } else {
        said!(
            "{} is not as the formula says for {}, {} % {}: too few messages (--rate, --clients, \
             --duration), or a machine too busy to be on time.",
            what,
            farthest.way.name(),
            shown,
            side
        )
    })
}

/// What the numbers rest on: of the model's list what holds here, and how it was measured.
pub(super) fn rests_on(s: &Scenario, live: &Live) -> Vec<Assumption> {
    const SHARED: [&str; 8] = [
        "--rate",
        "--request-headers",
        "--cookies",
        "--closed-loop",
        "--heartbeat",
        "--mtu",
        "--ack-delay",
        "--event",
    ];
    let mut list: Vec<Assumption> =
        assumptions::common(s).into_iter().filter(|a| SHARED.contains(&a.option)).collect();
    let mut add = |option, text: Text| list.push(Assumption { option, text });
    add("--seed", said!("seed {}: the same moments for every way, others in each run", live.seed));
    add(
        "--delay",
        if s.delay > 0.0 {
            said!(
                "a delay line between clients and server holds every byte for {} in each direction; TCP's \
                 own packets are not delayed, which opening a connection would show and nothing else",
                time(s.delay)
            )
        } else {
            Text::new("no delay: loopback is faster than any network, and what is late here is programs")
        },
    );
    add(
        "",
        said!(
            "bytes are counted on the sockets, where they leave the delay line; the {} bytes of TCP/IP \
             headers a segment, the segments and their acknowledgements are modelled from what was written \
             when: loopback's own packets are larger and acknowledged otherwise",
            s.wire.headers()
        ),
    );
    add(
        "",
        Text::new(
            "each way runs for a while before it is measured, until it is steady; latencies are those of \
             the messages received while it is measured",
        ),
    );
    add(
        "",
        Text::new(
            "processor time is that of the server's thread (HTTP, framing, publishing) and of the clients' \
             thread; the delay line has its own, which is not counted; the kernel's work for a thread is \
             part of its time",
        ),
    );
    add(
        "",
        Text::new(
            "memory is what the resident set of a server in a process of its own grows by when clients \
             connect and ask, a client, without messages; the kernel's socket buffers are not in it",
        ),
    );
    if live.debug {
        add("", Text::new("this wstool was built without optimisation: its processor times mean little"));
    }
    list
}

pub(super) fn limits(live: &Live) -> Vec<Text> {
    let mut limits = Vec::new();
    if live.ways.iter().any(|(_, runs)| runs.iter().any(|run| run.server.is_none())) {
        limits.push(Text::new("Processor time was not measured: this system does not tell."));
    }
    if live.memory.is_empty() {
        limits.push(Text::new("Memory was not measured: that takes a system with /proc/self/statm."));
    }
    limits.push(Text::new(
        "One machine, one implementation, no loss and no limit of bandwidth: this shows how the ways \
             compare, not how many clients a server bears.",
    ));
    limits
}
