//! Units on their way into tables.

use std::collections::HashMap;
use std::io::{self, Write};

use super::batch::Batch;
use super::columns::{self, CAUSES, CONNECTIONS, FINDINGS, FRAMES, MESSAGES};
use super::parquet::{About, File};
use super::{TABLES, Table};
use crate::cause::Head;
use crate::limits;
use crate::model::{Body, Connection, Flow, Judgement, Sink, Time, Unit, Wants};

/// Nanoseconds of a day.
const DAY: u64 = 86_400_000_000_000;

/// Which file rows go to.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The table.
    pub table: &'static Table,
    /// The day (UTC), as a time in it; `None` for rows without a time.
    pub day: Option<Time>,
    /// Which file of that day, from 0.
    pub part: u32,
}

/// Gives a file to write to.
type Open<'a> = Box<dyn FnMut(Place) -> io::Result<Box<dyn Write + Send>> + 'a>;

/// Puts the units of a capture into tables: a file for each table and day, or more where memory is short.
pub struct Tables<'a> {
    open: Open<'a>,
    sets: Vec<Set>,
    about: About,
    /// Bytes of a payload that are kept.
    payload: u64,
    /// A connection that is over, until it is judged.
    over: Option<Over>,
    head: Head,
    /// When something was seen last: what has no time stands with its day.
    last: Option<Time>,
    error: Option<io::Error>,
}

/// A table, and the days of it that are being written.
struct Set {
    table: &'static Table,
    /// The one used last is last.
    days: Vec<Day>,
    /// Those that were ever begun, with the number of files.
    begun: HashMap<Option<u64>, u32>,
    rows: u64,
}

struct Day {
    number: Option<u64>,
    batch: Batch,
    file: Option<File>,
}

struct Over {
    connection: Connection,
    conn: u32,
    time: Option<Time>,
    packets: Option<(u64, u64)>,
    rules: Vec<&'static crate::model::Rule>,
}

impl<'a> Tables<'a> {
    /// Tables of the capture that is called so; `open` is asked for each file. Of each payload, at most
    /// `payload` bytes are kept.
    pub fn new(
        tables: &[&'static Table],
        capture: &str,
        payload: u64,
        open: impl FnMut(Place) -> io::Result<Box<dyn Write + Send>> + 'a,
    ) -> Self {
        let set = |table: &&'static Table| Set { table, days: Vec::new(), begun: HashMap::new(), rows: 0 };
        Self {
            open: Box::new(open),
            sets: TABLES.iter().filter(|table| tables.contains(table)).map(set).collect(),
            about: About { capture: capture.to_owned(), error: None },
            payload,
            over: None,
            head: Head::default(),
            last: None,
            error: None,
        }
    }

    /// Ends all files, of which each table has one at least; how many rows each table has.
    ///
    /// # Errors
    /// The first error of a file.
    pub fn end(mut self) -> io::Result<Vec<(&'static Table, u64)>> {
        self.settle(None);
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        let Self { open, sets, about, .. } = &mut self;
        for set in &mut *sets {
            if set.begun.is_empty() {
                set.day(None, open, about)?;
            }
            for day in std::mem::take(&mut set.days) {
                set.finish(day, open, about)?;
            }
        }
        Ok(sets.iter().map(|set| (set.table, set.rows)).collect())
    }

    /// Adds a row to a table, if that is asked for.
    fn row(&mut self, table: &'static Table, time: Option<Time>, put: impl FnOnce(&mut Batch)) {
        let Some(set) = self.sets.iter_mut().find(|set| set.table == table) else { return };
        if self.error.is_some() {
            return;
        }
        let day = time.or(self.last).map(|time| time.0 / DAY);
        let result = set.day(day, &mut self.open, &self.about).and_then(|place| {
            let Some(day) = set.days.get_mut(place) else { return Ok(()) };
            put(&mut day.batch);
            set.rows += 1;
            let is_full = day.batch.bytes >= limits::TABLE_BYTES || day.batch.rows >= limits::TABLE_ROWS;
            if is_full { set.flush(place, &mut self.open) } else { Ok(()) }
        });
        self.error = result.err();
    }

    /// The connection that is over is judged, or nobody judges it.
    fn settle(&mut self, verdict: Option<&Judgement<'_>>) {
        let Some(over) = self.over.take() else { return };
        let unit = Unit {
            time: over.time,
            packets: over.packets,
            counted: &over.rules,
            ..Unit::of(over.conn, Body::Note)
        };
        let began = over.connection.ending.as_ref().and_then(|ending| ending.began).or(over.time);
        self.row(&CONNECTIONS, began, |batch| columns::connection(batch, &unit, &over.connection, verdict));
    }

    fn findings(&mut self, unit: &Unit<'_>) {
        for finding in unit.findings {
            self.row(&FINDINGS, unit.time, |batch| columns::finding(batch, unit, finding));
        }
    }
}

impl Sink for Tables<'_> {
    fn wants(&self) -> Wants {
        Wants { payload: self.payload.max(1), app: true, causes: true, ..Wants::NOTHING }
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        self.head.see(unit);
        self.last = unit.time.or(self.last);
        match unit.body {
            Body::Judgement(verdict) if self.over.as_ref().is_some_and(|over| over.conn == unit.conn) => {
                self.settle(Some(verdict));
            }
            Body::Frame(frame) => {
                self.row(&FRAMES, unit.time, |batch| columns::frame(batch, unit, frame));
            }
            Body::Message(_) | Body::Packet(_) => {
                let payload = self.payload;
                self.row(&MESSAGES, unit.time, |batch| columns::message(batch, unit, payload));
            }
            Body::Connection(connection) if connection.ending.is_some() => {
                self.settle(None);
                self.over = Some(Over {
                    connection: connection.clone(),
                    conn: unit.conn,
                    time: unit.time,
                    packets: unit.packets,
                    rules: unit.rules().collect(),
                });
            }
            Body::Summary(summary) => {
                self.settle(None);
                self.about.error = summary.error.as_ref().map(ToString::to_string);
                let head = std::mem::take(&mut self.head);
                for group in head.groups() {
                    self.row(&CAUSES, group.first.time, |batch| columns::cause(batch, &group));
                }
            }
            _ => {}
        }
        self.findings(unit);
        if self.error.is_some() { Flow::Break(()) } else { Flow::Continue(()) }
    }
}

impl Set {
    /// The place of a day among those that are being written, behind all others.
    fn day(&mut self, day: Option<u64>, open: &mut Open<'_>, about: &About) -> io::Result<usize> {
        // Times that are all over the place are no times.
        let is_one = self.begun.len() < limits::TABLE_DAYS || self.begun.contains_key(&day);
        let day = day.filter(|_| is_one);
        if let Some(place) = self.days.iter().position(|known| known.number == day) {
            let day = self.days.remove(place);
            self.days.push(day);
        } else {
            if self.days.len() >= limits::TABLE_DAYS_AT_ONCE {
                let oldest = self.days.remove(0);
                self.finish(oldest, open, about)?;
            }
            self.begun.entry(day).or_default();
            self.days.push(Day { number: day, batch: Batch::of(self.table), file: None });
        }
        Ok(self.days.len() - 1)
    }

    /// Writes what there is of a day.
    fn flush(&mut self, place: usize, open: &mut Open<'_>) -> io::Result<()> {
        let Some(day) = self.days.get_mut(place) else { return Ok(()) };
        Self::write(self.table, &mut self.begun, day, open).map(drop)
    }

    fn write<'d>(
        table: &'static Table,
        begun: &mut HashMap<Option<u64>, u32>,
        day: &'d mut Day,
        open: &mut Open<'_>,
    ) -> io::Result<&'d mut File> {
        if day.file.is_none() {
            let count = begun.entry(day.number).or_default();
            let part = std::mem::replace(count, *count + 1);
            let time = day.number.map(|day| Time(day.saturating_mul(DAY)));
            day.file = Some(File::new(table, open(Place { table, day: time, part })?)?);
        }
        let file = day.file.as_mut().ok_or(io::ErrorKind::NotFound)?;
        file.write(&mut day.batch)?;
        Ok(file)
    }

    /// A file is full, or all is over.
    fn finish(&mut self, mut day: Day, open: &mut Open<'_>, about: &About) -> io::Result<()> {
        Self::write(self.table, &mut self.begun, &mut day, open)?;
        match day.file {
            Some(file) => file.end(self.table, about),
            None => Ok(()),
        }
    }
}
