//! What else there is in a capture: connections that are no WebSocket, counted by kind.

use crate::limits;
use crate::model::{Other, SealedTraffic};

/// Connections of other protocols, as far as they are told apart.
#[derive(Debug, Default)]
pub struct Census {
    kinds: Vec<Other>,
}

impl Census {
    /// One more connection.
    pub fn count(&mut self, one: Other) {
        self.add(Other { connections: 1, ..one });
    }

    /// More connections that are alike.
    pub fn add(&mut self, more: Other) {
        if let Some(known) = self.kinds.iter_mut().find(|known| is_alike(known, &more)) {
            known.connections += more.connections;
            if let Some(sealed) = &more.sealed {
                known.sealed.get_or_insert_default().join(sealed);
            }
            match (&mut known.lacking, more.lacking) {
                (Some(known), Some(more)) => known.connections += more.connections,
                (known, more) => *known = known.or(more),
            }
        } else if self.kinds.len() < limits::OTHERS_LISTED {
            self.kinds.push(more);
        } else {
            // The others are counted without what tells them apart.
            self.rest(more.protocol, more.connections);
        }
    }

    /// What was seen of a connection since it was counted as one of a kind.
    pub fn carried(&mut self, kind: &Other, sealed: &SealedTraffic) {
        if let Some(known) = self.kinds.iter_mut().find(|known| is_alike(known, kind)) {
            known.sealed.get_or_insert_default().join(sealed);
        }
    }

    fn rest(&mut self, protocol: &'static str, connections: u64) {
        let rest = self.kinds.iter_mut().find(|known| {
            known.protocol == protocol && known.server.is_none() && known.server_name.is_none()
        });
        match rest {
            Some(rest) => rest.connections += connections,
            None => self.kinds.push(Other { protocol, connections, ..Other::default() }),
        }
    }

    /// All of them, the most numerous first.
    pub fn take(&mut self) -> Vec<Other> {
        let mut kinds = std::mem::take(&mut self.kinds);
        kinds.sort_by_key(|kind| std::cmp::Reverse(kind.connections));
        kinds
    }
}

/// Whether two are of a kind, whatever goes over them.
fn is_alike(one: &Other, other: &Other) -> bool {
    one.protocol == other.protocol
        && one.server == other.server
        && one.server_name == other.server_name
        && one.version == other.version
        && one.alpn == other.alpn
        && (one.is_joined, one.is_read, one.has_secrets)
            == (other.is_joined, other.is_read, other.has_secrets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alike_are_counted_together_and_kinds_are_bounded() {
        let mut census = Census::default();
        let tls = |name: &str| Other { protocol: "tls", server_name: Some(name.into()), ..Other::default() };
        for number in 0..1000 {
            census.count(tls("often.example"));
            census.count(tls(&format!("{number}.example")));
        }
        let kinds = census.take();
        assert_eq!((kinds[0].connections, kinds[0].server_name.as_deref()), (1000, Some("often.example")));
        assert_eq!(kinds.len(), limits::OTHERS_LISTED + 1);
        assert_eq!(kinds.iter().map(|kind| kind.connections).sum::<u64>(), 2000);
    }
}
