//! Several inputs in one run.

use std::cell::{Cell, RefCell};
use std::fs;
use std::io;

use super::Args;
use super::aside::Aside;
use super::kept::Keep;
use super::lead;
use super::opening::{Opened, open, open_keeping};
use super::report::{came_to, not_there, nothing_readable, report, unread};
use super::show::{Show, Until};
use super::write::Source;
use crate::cause::Head;
use crate::cli::Look;
use crate::cli::interrupt::{INTERRUPTED, Interrupt};
use crate::cli::output::Progress;
use crate::input::Input;
use crate::model::{InputFile, Meta, Sink, Text, Time};
use crate::pipeline::{self, Threads};
use crate::select::{Select, Stream};

/// An input as it is known before anything is decoded.
pub struct Known<'a> {
    pub name: &'a str,
    pub format: Option<&'static str>,
    link_types: Vec<String>,
    start: Option<Time>,
    /// Bytes of the file, where it is one.
    size: Option<u64>,
    /// It comes as it happens, or at least cannot be read twice.
    live: bool,
    /// Why it cannot be opened.
    error: Option<Text>,
}

/// Decodes several inputs, in the order given or, put together, in the order of their times.
pub fn run(
    args: &Args,
    names: &[String],
    mut aside: Aside,
    interrupt: &Interrupt,
    look: Look,
) -> io::Result<u8> {
    let known = known(args, names, interrupt);
    let live = known.iter().any(|file| file.live);
    let meta = meta(&known, args.concat);
    let mut keeps: Vec<Option<Keep>> = known.iter().map(|file| aside.keep(file.name)).collect();
    let Some(out) = args.out(live, look)? else { return Ok(2) };
    let mut show = Show::new(args, out, look, live).with(aside);
    // What cannot be opened costs nothing.
    let size =
        |file: &Known<'_>| if file.error.is_some() { Some(0) } else { file.size.filter(|_| !file.live) };
    let sizes: Option<u64> = known.iter().map(size).sum();
    if lead::is_worth(args, sizes) {
        let mut head = Select::new(args.selection(), Head::default());
        decode(args, &meta, &known, &mut [], &mut Until { select: &mut head, interrupt }, look);
        if !interrupt.seen() {
            show.view.lead(head.into_inner());
        }
    }
    let mut select = Select::new(args.selection(), show);
    let run = decode(args, &meta, &known, &mut keeps, &mut Until { select: &mut select, interrupt }, look);
    let verdict = select.verdict();
    let missing: Vec<Stream> = select.missing().into_iter().cloned().collect();
    let aside = select.into_inner().end()?;
    let mut failed = !missing.is_empty();
    for (outcome, file) in run.each.iter().zip(&known) {
        failed |= came_to(file.name, file.format == Some("raw"), outcome, args.concat, look)?;
    }
    let source = Source { names: known.iter().map(|file| file.name).collect(), interrupt };
    let source = (!interrupt.seen() || aside.is_kept(&source.names)).then_some(&source);
    failed |= aside.end(source, look)?.is_some();
    if interrupt.seen() {
        return Ok(INTERRUPTED);
    }
    if args.concat {
        failed |= nothing_readable(&run.whole);
        report(&meta.input, false, &run.whole, look)?;
    }
    unread(&run.whole.summary, &args.secrets, look)?;
    not_there(&meta.input, &missing, run.whole.summary.connections, look)?;
    Ok(if failed { 2 } else { u8::from(args.fail_on.fails(verdict)) })
}

/// The inputs as they are known before; parts of one capture in the order in which they were captured.
pub fn known<'a>(args: &Args, names: &'a [String], interrupt: &Interrupt) -> Vec<Known<'a>> {
    let mut known: Vec<Known<'_>> = names.iter().map(|name| look_at(name, interrupt)).collect();
    if args.concat {
        // What has no time yet comes as it happens: later than what is over.
        known.sort_by_key(|file| (file.start.is_none(), file.start));
    }
    known
}

/// Decodes inputs that are parts of one capture for a sink.
#[cfg(feature = "parquet")]
pub fn parts<S: Sink>(
    args: &Args,
    known: &[Known<'_>],
    until: &mut Until<'_, Select<S>>,
    look: Look,
) -> pipeline::Files {
    decode(args, &meta(known, true), known, &mut [], until, look)
}

/// Decodes all of them for a sink.
fn decode<S: Sink>(
    args: &Args,
    meta: &Meta,
    known: &[Known<'_>],
    keeps: &mut [Option<Keep>],
    until: &mut Until<'_, Select<S>>,
    look: Look,
) -> pipeline::Files {
    let interrupt = until.interrupt;
    let size = |file: &Known<'_>| if file.error.is_some() { Some(0) } else { file.size };
    let total = known.iter().map(size).sum();
    let progress = RefCell::new(Progress::over_files(total, known.len(), args.scrolls(), look.lang));
    // Bytes of the files before.
    let before = Cell::new(0);
    let run = pipeline::run_files(
        meta,
        &mut |place| {
            if interrupt.seen() {
                interrupt.give_up();
                return None;
            }
            let file = &known[place];
            before.set(known[..place].iter().filter_map(size).sum());
            progress.borrow().file(place);
            let keep = keeps.get_mut(place).and_then(Option::take);
            let opened = file.error.clone().map_or_else(|| open_keeping(file.name, interrupt, keep), Err);
            Some(opened.map(|opened| {
                let threads = args.threads.of(&opened);
                (opened.input, threads)
            }))
        },
        args.means(Threads::One),
        until,
        &mut |read| progress.borrow_mut().at(before.get() + read),
    );
    progress.into_inner().end();
    run
}

/// Opens an input as far as its first packet, unless it can be read only once.
fn look_at<'a>(name: &'a str, interrupt: &Interrupt) -> Known<'a> {
    let mut known = Known {
        name,
        format: None,
        link_types: Vec::new(),
        start: None,
        size: None,
        live: false,
        error: None,
    };
    let is_stream = |meta: &fs::Metadata| !meta.is_file() && !meta.is_dir();
    if name == "-" || fs::metadata(name).as_ref().is_ok_and(is_stream) {
        known.live = true;
        return known;
    }
    match open(name, interrupt) {
        Err(why) => known.error = Some(why),
        Ok(Opened { mut input, size, .. }) => {
            known.size = size;
            known.format = Some(input.format());
            if let Input::Capture(capture) = &mut input {
                // An error will be met again when it is decoded.
                known.start = capture.next().and_then(Result::ok).map(|packet| packet.time);
                known.link_types = capture.link_types();
            }
        }
    }
    known
}

/// What all of them are.
fn meta(known: &[Known<'_>], concat: bool) -> Meta {
    let names: Vec<&str> = known.iter().map(|file| file.name).collect();
    let mut formats: Vec<&str> = Vec::new();
    let mut link_types: Vec<String> = Vec::new();
    for file in known {
        formats.extend(file.format.filter(|format| !formats.contains(format)));
        for link in &file.link_types {
            if !link_types.contains(link) {
                link_types.push(link.clone());
            }
        }
    }
    let files = known.iter().zip(1..).map(|(file, number)| InputFile {
        number,
        name: file.name.to_owned(),
        format: file.format.map(str::to_owned),
        link_types: file.link_types.clone(),
        start: file.start,
        account: None,
    });
    Meta {
        input: names.join(", "),
        format: formats.join(", "),
        link_types,
        start: known.iter().filter_map(|file| file.start).min(),
        files: files.collect(),
        concat,
        account: None,
    }
}
