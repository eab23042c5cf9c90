//! The default view: the handshake, then each frame with its fields.

use super::outline::{Outline, PREVIEW};
use super::screen::{Layout, Screen};
use super::style::Ink;
use super::{Options, frames, rows, verdicts};
use crate::model::{Body, Frame, Unit, Wants};

/// A conversation as blocks: a heading, fields in rows, findings under them.
pub type Tree<W> = Screen<TreeLayout, W>;

/// See [`Tree`].
#[derive(Debug, Default)]
pub struct TreeLayout;

impl Layout for TreeLayout {
    fn wants(options: &Options) -> Wants {
        Wants { fields: true, payload: options.payload.unwrap_or(PREVIEW) }
    }

    fn unit(&mut self, outline: &mut Outline, unit: &Unit<'_>) {
        match unit.body {
            Body::Frame(frame) => {
                heading(outline, unit, frame);
                rows::show(outline, unit, frame);
                verdicts::show(&mut outline.page, unit);
            }
            _ => outline.unit(unit),
        }
    }
}

/// A frame's heading, and what is missing of it.
pub fn heading(outline: &mut Outline, unit: &Unit<'_>, frame: &Frame<'_>) {
    outline.heading(unit, &format!("frame {}", frame.n), &frames::about(frame));
    if let Some(absent) = frames::absent(frame) {
        outline.say(Ink::Warning, &absent);
    }
}
