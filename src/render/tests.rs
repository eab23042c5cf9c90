//! What every view promises.

use super::TimeStyle;
use super::bits::BitsLayout;
use super::fixture::Show;
use super::hex::HexLayout;
use super::messages::MessagesLayout;
use super::table::TableLayout;
use super::tree::TreeLayout;
use super::{Layout, Options, scenes::everything};
use crate::lang::Lang;
use unicode_width::UnicodeWidthStr;

/// Columns of a diagram of 32 bits.
const DIAGRAM: usize = 79;

fn shown<L: Layout>(options: Options) -> String {
    let mut show = Show::<L>::new(options);
    everything(&mut show);
    show.text()
}

fn in_every_view(options: Options) -> [(&'static str, String); 5] {
    [
        ("tree", shown::<TreeLayout>(options)),
        ("bits", shown::<BitsLayout>(options)),
        ("hex", shown::<HexLayout>(options)),
        ("table", shown::<TableLayout>(options)),
        ("messages", shown::<MessagesLayout>(options)),
    ]
}

#[test]
fn no_line_is_wider_than_the_page_and_no_control_character_gets_out() {
    let widths =
        [Options::NARROWEST, 50, 60, 72, 80, 132].map(|width| Options { width, ..Options::default() });
    let limits = [100, 100_000].map(|limit| Options { payload: Some(limit), ..Options::default() });
    let times = [TimeStyle::Utc, TimeStyle::Delta].map(|time| Options { time, ..Options::default() });
    let ascii = Options { ascii: true, ..Options::default() };
    let chinese = widths.map(|options| Options { lang: Lang::Zh, ..options });
    for options in [&widths[..], &limits, &times, &[ascii], &chinese].concat() {
        for (view, text) in in_every_view(options) {
            for line in text.lines() {
                // Of the view bits the diagrams stay as wide as they are.
                let is_drawn = view == "bits" && line.width() <= DIAGRAM;
                assert!(line.width() <= options.width || is_drawn, "{view} at {}: {line:?}", options.width);
                assert!(!line.ends_with(' '), "{view}: {line:?}");
                assert!(!line.chars().any(char::is_control), "{view}: {line:?}");
                assert!(!line.contains(['\u{202e}', '\u{202c}']), "{view}: {line:?}");
                assert!(!options.ascii || line.is_ascii(), "{view}: {line:?}");
            }
        }
    }
}

#[test]
fn colour_adds_nothing_but_colour() {
    let plain = in_every_view(Options::default());
    let colored = in_every_view(Options { color: true, ..Options::default() });
    for ((view, plain), (_, colored)) in plain.into_iter().zip(colored) {
        assert!(colored.contains("\x1b["));
        let mut stripped = String::new();
        for (at, part) in colored.split("\x1b[").enumerate() {
            let text = if at == 0 { part } else { part.split_once('m').unwrap().1 };
            stripped.push_str(text);
        }
        let trim =
            |text: &str| text.lines().map(|line| line.trim_end().to_owned() + "\n").collect::<String>();
        assert_eq!(trim(&stripped), plain, "{view}");
    }
}
