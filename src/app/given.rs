//! What the user says of protocols that are not known here.

use std::sync::Arc;

use super::DIALECTS;
use super::described::{Described, Interpreter};
use super::dialect::Decoder;
use super::protobuf::{self, Protobuf, Schema};
use crate::model::Connection;

/// Protocols that the user has described, in the order in which they are tried: before those that are known.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// As a file describes them.
    pub dialects: Vec<Arc<Described>>,
    /// Binary messages are Protocol Buffers.
    pub protobuf: Option<Proto>,
}

/// How messages of Protocol Buffers are read.
#[derive(Clone, Debug)]
pub enum Proto {
    /// By field numbers and wire types.
    Raw,
    /// By a schema.
    By(Arc<Schema>),
}

impl Given {
    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.dialects.is_empty() && self.protobuf.is_none()
    }

    /// What reads the messages of a connection, as far as its handshake says what it may speak.
    pub fn decoders(&self, connection: Option<&Connection>) -> Vec<Box<dyn Decoder>> {
        let fitting = self.dialects.iter().filter(|described| described.fits(connection));
        let mut all: Vec<Box<dyn Decoder>> = Vec::new();
        all.extend(
            fitting.map(|described| -> Box<dyn Decoder> { Box::new(Interpreter::new(described.clone())) }),
        );
        // Who has agreed on another protocol does not speak this one.
        let agreed = connection.and_then(|connection| connection.subprotocol.as_deref());
        let other = agreed.and_then(super::agreed).is_some_and(|(at, _)| *DIALECTS[at] != protobuf::DIALECT);
        match &self.protobuf {
            Some(Proto::Raw) if !other => all.push(Box::new(Protobuf::by(None))),
            Some(Proto::By(schema)) if !other => all.push(Box::new(Protobuf::by(Some(schema.clone())))),
            _ => {}
        }
        all
    }
}
