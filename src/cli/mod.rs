//! The command line.

pub mod encode;
