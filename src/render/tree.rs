//! The default view: the handshake, then each frame with its fields.

use super::choice::Choice;
use super::json::Scope;
use super::outline::{Outline, looked_into};
use super::page::Page;
use super::said::{self, Setter};
use super::screen::{Layout, Screen};
use super::style::Ink;
use super::{Options, frames, rows, verdicts};
use crate::model::{Body, Frame, Unit, Wants};

/// A conversation as blocks: a heading, fields in rows, findings under them.
pub type Tree<W> = Screen<TreeLayout, W>;

/// See [`Tree`].
#[derive(Debug, Default)]
pub struct TreeLayout;

/// Its place in the list of views.
pub static VIEW: Choice =
    Choice::of::<TreeLayout>("tree", "The handshake, then each frame with its fields", Scope::All);

impl Layout for TreeLayout {
    fn wants(options: &Options) -> Wants {
        Wants { app: true, ..looked_into(options) }
    }

    fn unit(&mut self, outline: &mut Outline, unit: &Unit<'_>, page: &mut Page) {
        say(outline, unit, page);
    }
}

/// Says a unit, frames with all of their fields.
pub fn say(outline: &mut Outline, unit: &Unit<'_>, to: &mut dyn Setter) {
    match unit.body {
        Body::Frame(frame) => {
            heading(outline, unit, frame, to);
            rows::say(unit, frame, to);
            verdicts::say(outline, unit, to);
        }
        _ => outline.unit(unit, to),
    }
}

/// A frame's heading, and what is missing of it.
pub fn heading(outline: &mut Outline, unit: &Unit<'_>, frame: &Frame<'_>, to: &mut dyn Setter) {
    let lang = outline.lang();
    let (mut what, mut about) = std::mem::take(&mut outline.blank);
    what.clear();
    about.clear();
    outline.frequent.frame(frame.n, &mut what);
    frames::about(&outline.frequent, unit.dir, frame, &mut about);
    outline.heading(unit, &what, &about, to);
    outline.blank = (what, about);
    if let Some(absent) = frames::absent(lang, frame) {
        said::say(Ink::Warning, &absent, to);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Roles;
    use crate::render::fixture::{self, Show};
    use crate::render::scenes;

    fn show() -> Show<TreeLayout> {
        Show::new(Options::default())
    }

    #[test]
    fn a_handshake_and_the_frames_of_rfc_6455_5_7() {
        let mut show = show();
        show.body(None, Body::Meta(&fixture::meta("chat.pcap")), &[]);
        show.connection(Roles::Handshake, None);
        show.handshake();
        scenes::rfc_5_7(&mut show);
        insta::assert_snapshot!(show.text());
    }

    #[test]
    fn frames_with_findings_and_hostile_payloads() {
        let mut show = show();
        show.connection(Roles::Masking, None);
        scenes::troubled(&mut show);
        insta::assert_snapshot!(show.text());
    }

    #[test]
    fn a_closing_handshake_and_the_totals() {
        let mut show = show();
        scenes::ending(&mut show);
        insta::assert_snapshot!(show.text());
    }

    #[test]
    fn frames_without_fields_show_their_payload() {
        let mut show = show();
        show.fields = false;
        scenes::rfc_5_7(&mut show);
        scenes::ending(&mut show);
        insta::assert_snapshot!(show.text());
    }

    #[test]
    fn headings_of_several_connections_say_which() {
        let mut show = show();
        show.conn = 12;
        show.frame(crate::model::Dir::Client, &scenes::masked(0x81, b"Hello"));
        show.frame(crate::model::Dir::Server, b"\x01\x03Hel");
        let text = show.text();
        let headings: Vec<&str> = text.lines().filter(|line| line.starts_with("frame")).collect();
        assert_eq!(
            headings,
            [
                "frame 1  client → server  text, 5 bytes    connection 12 · packet 4 · 0.000000 s",
                "frame 2  server → client  text, first fragment, 3 bytes",
            ]
        );
    }

    #[test]
    fn a_payload_limit_shows_all_that_it_keeps() {
        let mut show = Show::<TreeLayout>::new(Options { payload: Some(1000), ..Options::default() });
        let wire = [&[0x82, 0x7E, 0x03, 0xE8][..], &[0x55; 1000]].concat();
        show.frame(crate::model::Dir::Server, &wire);
        let text = show.text();
        assert_eq!(text.matches("55").count(), 1000);
        assert!(!text.contains("more byte"));
    }

    #[test]
    fn ascii_keeps_the_columns() {
        let mut show = Show::<TreeLayout>::new(Options { ascii: true, ..Options::default() });
        show.handshake();
        show.frame(crate::model::Dir::Client, &scenes::masked(0x81, "你好".as_bytes()));
        insta::assert_snapshot!(show.text());
    }
}
