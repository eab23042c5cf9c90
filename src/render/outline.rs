//! What a text view remembers from one unit to the next, and the heading of each.

use super::Options;
use super::advice::Adviser;
use super::clock::Clock;
use super::files::Files;
use super::said::{Block, Heading, Setter};
use super::words::Frequent;
use crate::lang::Lang;
use crate::model::{Body, InputFile, Meta, Unit, Wants};

/// Payload bytes kept of each frame and message unless asked for more.
pub const PREVIEW: u64 = 2048;

/// What a view looks at that shows annotated fields.
pub(super) fn looked_into(options: &Options) -> Wants {
    Wants { fields: true, payload: options.payload.unwrap_or(PREVIEW), causes: true, ..Wants::NOTHING }
}

/// What is remembered from one unit to the next.
#[derive(Debug)]
pub struct Outline {
    pub(super) lang: Lang,
    pub clock: Clock,
    /// What is said of nearly every frame.
    pub frequent: Frequent,
    /// What the heading before said, for the next one to say something in.
    pub blank: (String, String),
    when: String,
    /// Which of several files is shown.
    pub files: Files,
    /// What to add to findings.
    pub advice: Adviser,
    /// More than one connection was seen, so that headings must say which.
    pub(super) several: bool,
    /// Packets were pasted: there are no connections to count.
    pub pasted: bool,
}

impl Outline {
    /// Nothing said yet.
    pub fn new(options: &Options) -> Self {
        Self {
            lang: options.lang,
            clock: Clock::new(options.time),
            frequent: Frequent::new(options.lang),
            blank: Default::default(),
            when: String::new(),
            files: Files::default(),
            advice: Adviser::new(options.advice),
            several: false,
            pasted: false,
        }
    }

    /// The language of the words.
    pub fn lang(&self) -> Lang {
        self.lang
    }

    /// The input begins.
    pub fn begin(&mut self, meta: &Meta) {
        self.clock.begin(meta.start);
        self.files = Files::new(meta);
    }

    /// One of several files begins.
    pub fn enter(&mut self, file: &InputFile) {
        self.clock.begin(file.start);
        self.clock.pause();
        self.files.enter(file);
    }

    /// A block's first line: what it is, who sent it, more about it, and when.
    pub fn heading(&mut self, unit: &Unit<'_>, what: &str, about: &str, to: &mut dyn Setter) {
        self.several |= unit.conn > 1;
        self.when.clear();
        let has_time = unit.time.is_some_and(|time| self.clock.stamp_in(time, &mut self.when));
        let says_conn = matches!(unit.body, Body::Connection(_) | Body::Note);
        to.set(Block::Heading(Heading {
            what,
            from: unit.dir,
            about,
            file: self.files.label(),
            conn: (self.several && unit.conn > 0 && !says_conn).then_some(unit.conn),
            packets: unit.packets,
            when: has_time.then_some(self.when.as_str()),
        }));
    }
}
