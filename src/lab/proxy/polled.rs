//! What is done to HTTP that polls, or streams events: faults, and rules.
//!
//! A message is what a request or an answer says; of Engine.IO 4 each of its packets that carry something.

use std::sync::Arc;
use std::time::Duration;

use super::events::Event;
use super::head;
use super::judge::{End, Judge, Order, called, instead};
use super::rule::{Content, Then};
use super::whole::Exchange;
use crate::model::{Dir, Text};

/// What becomes of a message.
enum Fate {
    Passes,
    /// It is taken out of its body, or what it is all of does not arrive.
    Lost,
    Becomes(Vec<u8>),
    /// It does not arrive, and its sender is answered this.
    Answered(Vec<String>),
    /// Both connections end.
    Ends,
}

impl Judge {
    /// What happens with a request that polls, or its answer, by the words of somebody who looked at its
    /// messages or else by the rules; and what is to be said of it.
    pub fn exchange(&mut self, mut exchange: Exchange, words: Vec<Option<Then>>) -> (Vec<Order>, Vec<Text>) {
        let (mut orders, mut notes) = (Vec::new(), Vec::new());
        let from = exchange.from;
        if self.closing {
            return (orders, notes);
        }
        if let Some(status) = self.plan.status.filter(|_| from == Dir::Client) {
            notes.push(Text::with(
                "status: a request is answered with {}, and the server does not hear of it",
                status,
            ));
            let body = format!("wstool proxy: --fault status={status} was asked for.\n");
            return (self.answered(&head::answer(status, "Fault", &body), orders), notes);
        }
        let messages: Vec<(usize, Content)> = exchange.messages().collect();
        let (mut delay, mut is_changed, mut count) = (Duration::ZERO, false, 0);
        let words = words.into_iter().chain(std::iter::repeat(None));
        for ((place, message), word) in messages.iter().zip(words) {
            let may_answer = from == Dir::Client && !exchange.has_packets();
            let (fate, waits) = self.fate(message, word, may_answer, &mut notes);
            delay = delay.max(waits);
            match fate {
                Fate::Passes => count += 1,
                Fate::Becomes(new) => {
                    exchange.change(*place, Some(new));
                    (is_changed, count) = (true, count + 1);
                }
                Fate::Lost if exchange.has_packets() => {
                    exchange.change(*place, None);
                    is_changed = true;
                }
                Fate::Answered(texts) => {
                    let answer = head::answer(200, "OK", &texts.join("\n"));
                    return (self.answered(&answer, orders), notes);
                }
                // A request without an answer, or an answer that does not come: HTTP has nothing else for it.
                Fate::Lost | Fate::Ends => {
                    self.closing = true;
                    orders.push(Order::End(from.peer(), End::Cut));
                    return (orders, notes);
                }
            }
        }
        let bytes = if is_changed { exchange.changed() } else { exchange.unchanged() };
        orders.push(Order::Send(from.peer(), bytes, delay));
        for _ in 0..count {
            self.passed += 1;
            if self.closing {
                break;
            }
            self.end(from.peer(), &mut orders, &mut notes);
        }
        (orders, notes)
    }

    /// What happens with a server-sent event, and what is to be said of it.
    pub fn event(&mut self, event: Event, word: Option<Then>) -> (Vec<Order>, Vec<Text>) {
        let (mut orders, mut notes) = (Vec::new(), Vec::new());
        if self.closing {
            return (orders, notes);
        }
        let to = event.content.from.peer();
        let (fate, delay) = self.fate(&event.content, word, false, &mut notes);
        let bytes = match fate {
            Fate::Passes => event.bytes(None),
            Fate::Becomes(data) => event.bytes(Some(data)),
            Fate::Lost => return (orders, notes),
            // Nobody answers an event.
            Fate::Ends | Fate::Answered(_) => {
                self.closing = true;
                orders.push(Order::End(to, End::Cut));
                return (orders, notes);
            }
        };
        orders.push(Order::Send(to, bytes, delay));
        self.passed += 1;
        self.end(to, &mut orders, &mut notes);
        (orders, notes)
    }

    /// The proxy answers instead of the server, behind which both connections end.
    fn answered(&mut self, answer: &[u8], mut orders: Vec<Order>) -> Vec<Order> {
        self.closing = true;
        orders.push(Order::Send(Dir::Client, answer.to_vec(), Duration::ZERO));
        orders.push(Order::End(Dir::Client, End::Cut));
        orders
    }

    /// What becomes of a message, by somebody's word or else by the rules, and how long it waits.
    fn fate(
        &mut self,
        message: &Content,
        word: Option<Then>,
        may_answer: bool,
        notes: &mut Vec<Text>,
    ) -> (Fate, Duration) {
        let Content { from, kind, .. } = *message;
        let rules = Arc::clone(&self.rules);
        let rule = if word.is_none() { self.rule(&rules, message) } else { None };
        let delay = self.delay(rule);
        let mut new = None;
        if let Some(then) = word.as_ref().or(rule.map(|rule| &rule.then)) {
            let about = |words| Text::with(words, called(rule)).and(from).and(kind.name());
            match then {
                Then::Pass => {}
                Then::Drop => {
                    notes.push(about("{}: the {}'s {} message is dropped"));
                    return (Fate::Lost, delay);
                }
                Then::Replace(text) => {
                    let payload = instead(rule, message, text);
                    if payload != message.payload {
                        notes.push(about("{}: the {}'s {} message is replaced"));
                        new = Some(payload);
                    }
                }
                Then::Answer(answers) if may_answer => {
                    notes.push(about("{}: the {}'s {} message is answered instead"));
                    return (Fate::Answered(answers.clone()), delay);
                }
                Then::Answer(_) => {
                    notes.push(about("{}: the {}'s {} message stays: HTTP has no other answer to it"));
                }
                Then::Close(..) => {
                    notes.push(about("{}: closed at the {}'s {} message"));
                    return (Fate::Ends, delay);
                }
            }
        }
        if self.loses(message, notes) {
            return (Fate::Lost, delay);
        }
        let fate = self.spoiled(message, new, notes).map_or(Fate::Passes, Fate::Becomes);
        (fate, delay)
    }
}
