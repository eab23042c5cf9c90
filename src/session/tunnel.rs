//! What proxies put in front: a PROXY header, or a tunnel by `CONNECT`, its answer, and what goes through it.

use super::Context;
use super::about::About;
use super::preface::Preface;
use super::told::Judged;
use crate::limits;
use crate::model::{Dir, Flow, ON, Time};

/// The heads that opened a tunnel, until something goes through it that is shown, and what stands
/// before them.
#[derive(Default)]
pub(super) struct Tunnel {
    /// A PROXY header. It stays as long as the connection.
    pub preface: Option<Preface>,
    heads: Vec<Judged>,
}

impl Tunnel {
    /// Bytes it keeps.
    pub fn cost(&self) -> usize {
        let head = |head: &Judged| {
            let headers = head.headers.iter().map(|it| it.name.len() + it.value.len() + size_of_val(it));
            size_of::<Judged>() + head.start_line.len() + head.bytes.len() + headers.sum::<usize>()
        };
        self.preface.as_ref().map_or(0, Preface::cost) + self.heads.iter().map(head).sum::<usize>()
    }
}

impl About {
    /// Keeps a head that asks for a tunnel, or answers that.
    pub fn tunnel_head(&mut self, head: Judged) {
        let tunnel = self.tunnel.get_or_insert_default();
        if tunnel.heads.len() < limits::TUNNEL_HEADS {
            tunnel.heads.push(head);
        }
    }

    /// Shows a connection that was announced, which began at `time` unless it began with a tunnel, and
    /// how that was opened.
    pub fn introduce(&mut self, time: Option<Time>, cx: &mut Context<'_, '_>) -> Flow {
        let Some(told) = &mut self.told else { return ON };
        let Some(tunnel) = &mut self.tunnel else {
            told.began = time;
            return cx.out.emit(&told.unit(time));
        };
        let first = tunnel.heads.first().and_then(|head| head.time);
        let began = tunnel.preface.as_ref().and_then(Preface::time).or(first).or(time);
        told.began = began;
        let told = &*told;
        cx.out.emit(&told.unit(began))?;
        if let Some(preface) = &tunnel.preface {
            preface.show(told.conn, self.layer.source(told.conn, Dir::Client), cx)?;
        }
        for head in &mut std::mem::take(&mut tunnel.heads) {
            // Now that the connection has a number, the spans can name it.
            let source = self.source(head.dir);
            for header in &mut head.headers {
                (header.name_at.source, header.value_at.source) = (source, source);
            }
            self.show(head, &[], true, cx)?;
        }
        ON
    }
}
