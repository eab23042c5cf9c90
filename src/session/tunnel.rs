//! What proxies put in front: a PROXY header, or a tunnel by `CONNECT`, its answer, and what goes through it.

use super::judged::Judged;
use super::preface::Preface;

/// The heads that opened a tunnel, until something goes through it that is shown, and what stands
/// before them.
#[derive(Default)]
pub(super) struct Tunnel {
    /// A PROXY header. It stays as long as the connection.
    pub preface: Option<Preface>,
    pub heads: Vec<Judged>,
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
