//! Archives: exchanges that somebody tells of, in the order of their times.

use std::collections::HashMap;

use super::{Part, Read};
use crate::decoder::{Decoder, polls};
use crate::input::InputError;
use crate::input::har::{Archive, Exchange, Story, Told, Wanted};
use crate::limits;
use crate::model::{
    Account, At, CloseCode, Flow, FlowId, Interest, Meta, Sink, StreamEnd, Time, ToldHead, ToldMessage,
};

/// What happens in an exchange, in this order.
#[derive(Clone, Copy)]
enum What {
    Asked,
    Answered,
    Message(usize),
    Failed(usize),
    Over,
}

/// When something happens, in which exchange, and what.
struct Happens {
    /// As far as it is known when; else when what came before it did.
    order: Time,
    time: Option<Time>,
    exchange: usize,
    what: What,
}

impl<S: Sink> Decoder<S> {
    /// An archive: it is read to its end first, as its entries overlap.
    pub(super) fn archive(
        &mut self,
        archive: Archive,
        part: Part<'_>,
        progress: &mut dyn FnMut(u64),
    ) -> Read {
        let name = archive.name().to_owned();
        let wants = self.wants();
        let payload = if wants.app { wants.payload.max(limits::APP_PAYLOAD) } else { wants.payload };
        let wanted = Wanted { target: &|target| polls(target.as_bytes()), payload, memory: self.memory() };
        let story = archive.read(wanted, progress);
        let is_archive = !matches!(story.error, Some(InputError::Unsupported { .. }));
        let account = is_archive.then(|| Account { by: story.by.clone() });
        let about = Meta {
            input: name,
            format: "har".to_owned(),
            start: story.exchanges.iter().filter_map(|it| it.asked).min(),
            account,
            ..Meta::default()
        };
        let mut flow = self.describe(part, &about);
        if flow.is_continue() {
            flow = Play { story: &story, flows: Flows::default() }.tell(self);
        }
        Read {
            bytes: story.bytes,
            requests: Some(story.entries),
            is_silent: story.is_silent && story.exchanges.iter().any(|it| it.opens),
            is_full: story.is_full,
            halves: story.halves,
            error: story.error,
            ..Read::new(flow)
        }
    }
}

/// What an archive tells, on its way to the decoder.
struct Play<'s> {
    story: &'s Story,
    flows: Flows,
}

impl Play<'_> {
    fn tell<S: Sink>(mut self, decoder: &mut Decoder<S>) -> Flow {
        for happens in order(&self.story.exchanges) {
            if let Some(time) = happens.time {
                decoder.tick(time);
            }
            if self.happens(&happens, decoder) == Interest::Stop {
                return Flow::Break(());
            }
        }
        self.flows.close(decoder)
    }

    fn happens<S: Sink>(&mut self, it: &Happens, decoder: &mut Decoder<S>) -> Interest {
        let exchange = &self.story.exchanges[it.exchange];
        let at = At { time: it.time, ..At::default() };
        let is_whole = self.story.is_whole && !exchange.told;
        match it.what {
            What::Asked => {
                let (flow, is_new) = self.flows.of(it.exchange, exchange);
                if is_new {
                    decoder.open_told(flow, exchange.server, exchange.secure);
                }
                decoder.head_told(flow, &ToldHead { is_whole, ..exchange.request() }, at)
            }
            What::Answered => {
                let (Some(flow), Some(head)) = (self.flows.at(it.exchange), exchange.response()) else {
                    return Interest::Follow;
                };
                let interest = decoder.head_told(flow, &ToldHead { is_whole, ..head }, at);
                if !exchange.opens {
                    self.flows.is_free(it.exchange, exchange);
                }
                interest
            }
            What::Message(place) => {
                let Some(flow) = self.flows.at(it.exchange) else { return Interest::Follow };
                let Told { dir, kind, ref content, length, .. } = exchange.messages[place];
                decoder.message_told(flow, &ToldMessage { dir, kind, content, length }, at)
            }
            What::Failed(place) => {
                let Some(flow) = self.flows.at(it.exchange) else { return Interest::Follow };
                decoder.failure_told(flow, &exchange.failures[place].0, at)
            }
            What::Over => {
                let Some(flow) = self.flows.ends(it.exchange) else { return Interest::Follow };
                if let Some(code) = exchange.code {
                    decoder.code_told(flow, CloseCode(code));
                }
                let ended = decoder.close(flow, StreamEnd::Capture, it.time);
                if ended.is_break() { Interest::Stop } else { Interest::Follow }
            }
        }
    }
}

/// All that happens, in the order of its times: what has none comes right behind what the archive has before
/// it.
fn order(exchanges: &[Exchange]) -> Vec<Happens> {
    let mut all = Vec::new();
    let mut before = Time::default();
    for (place, it) in exchanges.iter().enumerate() {
        let mut now = it.asked.unwrap_or(before);
        before = now;
        let mut push = |time: Option<Time>, what| {
            // Clocks that are read in different ways do not turn things around.
            now = time.map_or(now, |time| time.max(now));
            all.push(Happens { order: now, time: time.map(|_| now), exchange: place, what });
        };
        push(it.asked, What::Asked);
        // The answer cannot have come later than what came of it.
        let message = it.messages.iter().find_map(|message| message.time);
        let failure = it.failures.iter().find_map(|(_, time)| *time);
        let first = message.into_iter().chain(failure).min();
        let answered = it.answer.as_ref().and_then(|answer| answer.at);
        if it.answer.is_some() {
            push(answered.map(|at| first.map_or(at, |first| first.min(at))), What::Answered);
        }
        let mut failures = it.failures.iter().enumerate().peekable();
        for (number, message) in it.messages.iter().enumerate() {
            while let Some((failure, (_, time))) = failures.next_if(|(_, (_, time))| {
                time.is_some_and(|time| message.time.is_some_and(|sent| time < sent))
            }) {
                push(*time, What::Failed(failure));
            }
            push(message.time, What::Message(number));
        }
        for (failure, (_, time)) in failures {
            push(*time, What::Failed(failure));
        }
        if it.opens {
            let (order, time) = all.last().map_or((before, it.asked), |last| (last.order, last.time));
            all.push(Happens { order, time: time.or(it.asked), exchange: place, what: What::Over });
        }
    }
    all.sort_by_key(|happens| happens.order);
    all
}

/// Which connection each exchange goes over. A WebSocket has one of its own; requests of one server share
/// those that are free, or the one that the archive names.
#[derive(Default)]
struct Flows {
    of: HashMap<usize, FlowId>,
    next: u32,
    unused: Vec<FlowId>,
    /// Connections that requests share, by what they are called: those that are free, and all of them.
    shared: HashMap<(String, Option<String>), Vec<FlowId>>,
}

impl Flows {
    /// The connection of an exchange that begins, and whether it begins with it.
    fn of(&mut self, place: usize, exchange: &Exchange) -> (FlowId, bool) {
        let free = if exchange.opens { None } else { self.shared.entry(name(exchange)).or_default().pop() };
        let flow = free.or_else(|| self.unused.pop()).unwrap_or_else(|| {
            self.next += 1;
            FlowId(self.next - 1)
        });
        self.of.insert(place, flow);
        (flow, free.is_none())
    }

    fn at(&self, place: usize) -> Option<FlowId> {
        self.of.get(&place).copied()
    }

    /// Its request is answered: others may follow on the connection.
    fn is_free(&mut self, place: usize, exchange: &Exchange) {
        if let Some(flow) = self.of.remove(&place) {
            self.shared.entry(name(exchange)).or_default().push(flow);
        }
    }

    /// It is over, and its connection with it.
    fn ends(&mut self, place: usize) -> Option<FlowId> {
        let flow = self.of.remove(&place)?;
        self.unused.push(flow);
        Some(flow)
    }

    /// Those that are left are over, too; when, nobody tells.
    fn close<S: Sink>(self, decoder: &mut Decoder<S>) -> Flow {
        let mut left: Vec<FlowId> =
            self.of.into_values().chain(self.shared.into_values().flatten()).collect();
        left.sort();
        left.into_iter().try_for_each(|flow| decoder.close(flow, StreamEnd::Capture, None))
    }
}

fn name(exchange: &Exchange) -> (String, Option<String>) {
    (exchange.authority.clone(), exchange.connection.clone())
}
