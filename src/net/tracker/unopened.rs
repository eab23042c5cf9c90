//! SYNs that came to nothing.

use super::Tracker;
use crate::limits;
use crate::model::{At, Unopened};
use crate::net::ip::Datagram;
use crate::net::{Packet, StreamSink, icmp};

impl Tracker {
    /// Takes what may be an ICMP message on a SYN.
    #[cold]
    pub(super) fn unreachable(&mut self, datagram: &Datagram<'_>, packet: &Packet<'_>) {
        let Some((key, why)) = icmp::unreachable(datagram) else { return };
        let flow = self.table.only(&key).and_then(|slot| self.table.get_mut(slot));
        let Some(flow) = flow.filter(|flow| flow.unopened().is_some()) else { return };
        let flow = flow.first.0;
        let is_known = self.unreachable.iter().any(|(known, ..)| *known == flow);
        if !is_known && self.unreachable.len() < limits::UNREACHABLE {
            let at = At { packet: packet.number, byte: 0, time: Some(packet.time) };
            self.unreachable.push((flow, why, at));
        }
    }

    /// Says why a flow that ends was never opened, where that is certain.
    pub(super) fn tell_unopened<S: StreamSink>(&mut self, slot: u32, sink: &mut S) {
        let Some(flow) = self.table.get_mut(slot) else { return };
        let Some((server, why)) = flow.unopened() else { return };
        let (packet, time) = flow.pulse.last();
        let at = At { packet, byte: 0, time: Some(time) };
        let flow = flow.first.0;
        let told = self.unreachable.iter().position(|(told, ..)| *told == flow);
        let told = told.map(|told| self.unreachable.swap_remove(told));
        // One that was sent once may be answered after the capture.
        let is_certain = !matches!(why, Unopened::Silence { syns: 1, .. });
        let (why, at) = told.map_or((why, at), |(_, why, at)| (why, at));
        if is_certain || told.is_some() {
            sink.unopened(server, why, at);
        }
    }
}
