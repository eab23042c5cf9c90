//! The WebSocket framing layer.

pub mod encode;
pub mod mask;
