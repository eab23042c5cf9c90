//! `--as`: packets that were pasted as text.

use std::io::{self, Read};

use clap::ValueEnum;

use super::Args;
use super::show::Show;
use crate::cli::Look;
use crate::limits;
use crate::model::Flow;
use crate::render::{messages, tree};
use crate::select::Select;
use crate::timeline;

/// What pasted text is.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Pasted {
    /// A body of Engine.IO 3: packets with their lengths, or one packet
    Engineio3,
    /// A body of Engine.IO 4, packets joined by U+001E, or one packet
    Engineio4,
    /// A packet of Socket.IO, with or without Engine.IO's type before it
    Socketio,
}

/// Explains packets that were pasted as text.
pub(super) fn show(args: &Args, protocol: Pasted, name: &str, look: Look) -> io::Result<u8> {
    let mut text = name.to_owned();
    if name == "-" {
        text.clear();
        io::stdin().take(limits::TEXT_INPUT).read_to_string(&mut text)?;
    }
    let text = text.trim_end_matches(['\r', '\n']);
    let read = match protocol {
        Pasted::Engineio3 => timeline::pasted::engine_io(text, 3),
        Pasted::Engineio4 => timeline::pasted::engine_io(text, 4),
        Pasted::Socketio => timeline::pasted::socket_io(text),
    };
    // The tree would show a message without a frame; what it means is the point here.
    let args =
        Args { view: if *args.view == tree::VIEW { &messages::VIEW } else { args.view }, ..args.clone() };
    let Some(out) = args.out(false, look)? else { return Ok(2) };
    let mut select = Select::new(args.selection(), Show::new(&args, out, look, false));
    // An error of writing shows at the end.
    let _: Flow = timeline::pasted::show(&read, &mut select);
    let verdict = select.verdict();
    select.into_inner().end().map(drop)?;
    Ok(if read.is_readable() { u8::from(args.fail_on.fails(verdict)) } else { 2 })
}
