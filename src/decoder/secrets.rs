//! The secrets with which TLS is deciphered.

use std::sync::Arc;

use super::Decoder;
use crate::model::Sink;
use crate::tls::{BadLine, Secrets};

impl<S: Sink> Decoder<S> {
    /// Deciphers TLS with these secrets, together with those that it has.
    #[must_use]
    pub fn with_secrets(mut self, secrets: Arc<Secrets>) -> Self {
        self.memory.undeciphered.is_given |= secrets.count() > 0;
        if self.memory.secrets.is_empty() {
            self.memory.secrets = secrets;
        } else {
            Arc::make_mut(&mut self.memory.secrets).add(&secrets);
        }
        self
    }

    /// Deciphers what comes from now on with the secrets of these lines of a key log, too; tells what is
    /// wrong with some of them.
    pub fn add_secrets(&mut self, log: &[u8]) -> Vec<BadLine> {
        self.memory.undeciphered.is_given = true;
        self.read_secrets(log)
    }

    /// The capture itself has these lines.
    pub(crate) fn captured_secrets(&mut self, log: &[u8]) {
        self.memory.undeciphered.is_captured = true;
        // A program wrote them: what is wrong with some is not worth telling.
        self.read_secrets(log);
    }

    fn read_secrets(&mut self, log: &[u8]) -> Vec<BadLine> {
        Arc::make_mut(&mut self.memory.secrets).read(log)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::super::Beginning;
    use super::*;
    use crate::model::{At, Flow, FlowId, ON, Side, Unit, Wants};

    struct Nobody;

    impl Sink for Nobody {
        fn wants(&self) -> Wants {
            Wants::NOTHING
        }

        fn take(&mut self, _: &Unit<'_>) -> Flow {
            ON
        }
    }

    /// A hello in a record: of a client, or of a server that chooses TLS 1.2.
    fn hello(kind: u8) -> Vec<u8> {
        let choice: &[u8] = if kind == 1 { &[0, 2, 0xC0, 0x2B, 1, 0] } else { &[0xC0, 0x2B, 0] };
        let body = [&[3, 3][..], &[7; 32], &[0], choice].concat();
        let length = body.len() as u8;
        [&[22, 3, 1, 0, length + 4, kind, 0, 0, length][..], &body].concat()
    }

    #[test]
    fn what_takes_time_to_read_is_read_for_the_first_connection_of_tls() {
        static READ: AtomicUsize = AtomicUsize::new(0);
        let secrets = Secrets::default().or_later(|secrets| {
            READ.fetch_add(1, Ordering::Relaxed);
            let line = format!("CLIENT_RANDOM {} {}", "07".repeat(32), "5a".repeat(48));
            assert_eq!(secrets.read(line.as_bytes()), []);
        });
        let mut decoder = Decoder::new(Nobody).with_secrets(Arc::new(secrets));
        for (id, begins, expected) in
            [(0, &b"GET / HTTP/1.1\r\n\r\n"[..], 0), (1, &hello(1), 1), (2, &hello(1), 1)]
        {
            let ends = ["192.0.2.1:40000", "192.0.2.80:443"].map(|end| end.parse().unwrap());
            decoder.open(FlowId(id), &Beginning::opened(ends));
            decoder.data(FlowId(id), Side::A, begins, At::default());
            decoder.data(FlowId(id), Side::B, &hello(2), At::default());
            assert_eq!(READ.load(Ordering::Relaxed), expected, "{id}");
        }
        let counted = decoder.memory.census.take();
        assert!(counted.iter().all(|it| it.protocol != "tls"), "what is deciphered is counted later");
    }

    #[test]
    fn secrets_are_added_in_place_while_connections_are_deciphered() {
        let line = |random: &str| format!("CLIENT_RANDOM {} {}\n", random.repeat(32), "5a".repeat(48));
        let mut decoder = Decoder::new(Nobody);
        decoder.add_secrets(line("07").as_bytes());
        let place = Arc::as_ptr(&decoder.memory.secrets);
        let ends = ["192.0.2.1:40000", "192.0.2.80:443"].map(|end| end.parse().unwrap());
        for id in [FlowId(0), FlowId(1)] {
            decoder.open(id, &Beginning::opened(ends));
            decoder.data(id, Side::A, &hello(1), At::default());
            decoder.data(id, Side::B, &hello(2), At::default());
            decoder.add_secrets(line(&format!("1{}", id.0)).as_bytes());
        }
        assert_eq!(decoder.memory.secrets.count(), 3);
        assert_eq!(decoder.memory.census.take(), [], "what is deciphered is counted later");
        assert_eq!(Arc::as_ptr(&decoder.memory.secrets), place, "a copy for each would take up all memory");
    }
}
