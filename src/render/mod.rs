//! Views: each is a [`Sink`](crate::model::Sink) that shows units in one way.

mod human;
pub mod json;
pub mod stats;
