//! What comes due while packets go by: waits that are over, flows that are idle, memory that is short.

use std::ops::ControlFlow::Continue;

use crate::limits;

use super::{CloseReason, Flow, FlowId, Going, NEVER, StreamSink, Time, Tracker};

impl Tracker {
    /// Comes back to the flows whose time has come.
    #[inline]
    pub(super) fn keep_appointments<S: StreamSink>(
        &mut self,
        packet: u64,
        time: Time,
        sink: &mut S,
    ) -> Going {
        if time < self.first_due { Continue(()) } else { self.keep_due(packet, time, sink) }
    }

    #[inline(never)]
    pub(super) fn keep_due<S: StreamSink>(&mut self, packet: u64, time: Time, sink: &mut S) -> Going {
        while self.holding.front().is_some_and(|due| due.time <= time) {
            self.release_first(sink)?;
        }
        while self.lingering.front().is_some_and(|due| due.time <= time && due.packet <= packet) {
            if !self.linger_on(packet, time) {
                self.close_first(sink)?;
            }
        }
        let fronts = [self.holding.front(), self.lingering.front()];
        self.first_due = fronts.into_iter().flatten().map(|due| due.time).min().unwrap_or(NEVER);
        Continue(())
    }

    /// Holds nothing back for the flow that has done so for longest.
    pub(super) fn release_first<S: StreamSink>(&mut self, sink: &mut S) -> Going {
        let Some(due) = self.holding.pop_front() else { return Continue(()) };
        let Some(flow) = self.table.get_mut(due.slot) else { return Continue(()) };
        if flow.first.0 != due.flow || flow.held_since != due.since {
            return Continue(());
        }
        let before = flow.cost();
        let after = flow.let_go(FlowId(due.slot), sink);
        self.held = (self.held + flow.cost()).saturating_sub(before);
        self.after(due.slot, after, due.packet, due.time, sink)
    }

    /// Whether the flow that has been over for longest is not closed yet: who does not know of its reset goes
    /// on sending.
    fn linger_on(&mut self, packet: u64, time: Time) -> bool {
        let Some(due) = self.lingering.front() else { return false };
        let since = Time(due.time.0.saturating_sub(limits::LINGER_TIME));
        let flow = self.table.get_mut(due.slot).filter(|flow| flow.first.0 == due.flow);
        if !flow.is_some_and(|flow| flow.goes_on(since)) {
            return false;
        }
        if let Some(mut due) = self.lingering.pop_front() {
            // From now on: where times leap, the next step from the last one may be years ago.
            due.time = Time(time.0.saturating_add(limits::LINGER_TIME));
            due.packet = packet + 1;
            self.lingering.push_back(due);
        }
        true
    }

    /// Closes the flow that has been over for longest.
    pub(super) fn close_first<S: StreamSink>(&mut self, sink: &mut S) -> Going {
        let Some(due) = self.lingering.pop_front() else { return Continue(()) };
        match self.table.get_mut(due.slot) {
            Some(flow) if flow.first.0 == due.flow => self.close(due.slot, CloseReason::Closed, sink),
            _ => Continue(()),
        }
    }

    /// Memory is short: closes so many of the flows that are followed, the longest idle first.
    #[cold]
    pub fn give_up_idle<S: StreamSink>(&mut self, count: usize, sink: &mut S) -> Going {
        for slot in self.table.idle_longest(Flow::is_followed).into_iter().take(count) {
            self.close(slot, CloseReason::Evicted, sink)?;
        }
        Continue(())
    }

    /// Too much waits: gives up what the longest idle flows wait for, until half is free.
    #[cold]
    pub(super) fn relieve<S: StreamSink>(&mut self, sink: &mut S) -> Going {
        for slot in self.table.idle_longest(|flow| flow.cost() > 0) {
            if self.held <= self.max_held / 2 {
                break;
            }
            let Some(flow) = self.table.get_mut(slot) else { continue };
            let before = flow.cost();
            let after = flow.give_up_all(FlowId(slot), sink);
            self.held = (self.held + flow.cost()).saturating_sub(before);
            self.after(slot, after, 0, Time(0), sink)?;
        }
        Continue(())
    }
}
