//! Which files there are, and what is in them; `tests/cli/tables.rs` holds rows against records.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use ::parquet::file::metadata::RowGroupMetaData;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use bytes::Bytes;

use super::columns::FINDINGS;
use super::*;
use crate::limits;
use crate::model::{Body, Cite, Finding, Rule, Severity, Sink, Summary, Time, Unit, Who};

/// Nanoseconds of a day.
const DAY: u64 = 86_400_000_000_000;

static RULE: Rule = Rule {
    id: "a-rule",
    severity: Severity::Warning,
    cite: Cite::rfc6455("5.1"),
    who: Who::Either,
    title: "a title",
    consequence: "none",
    fails: None,
    usually: None,
};

#[derive(Clone, Default)]
struct Files(Arc<Mutex<BTreeMap<String, Vec<u8>>>>);

struct File(Files, String);

impl Write for File {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut files = self.0.0.lock().unwrap();
        files.entry(self.1.clone()).or_default().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The findings of units at these times: each file, and its rows by row group.
fn write(times: impl Iterator<Item = Option<u64>>) -> BTreeMap<String, Vec<i64>> {
    let files = Files::default();
    let open = |place: Place| -> io::Result<Box<dyn Write + Send>> {
        let day = place.day.map_or_else(|| "none".to_owned(), |day| (day.0 / DAY).to_string());
        Ok(Box::new(File(files.clone(), format!("{}/{day}/{}", place.table.name, place.part))))
    };
    let mut tables = Tables::new(&[&FINDINGS], "a capture", 10, open);
    let finding = [Finding::new(&RULE, None, "this".into(), "that".into())];
    for time in times {
        let unit = Unit { time: time.map(Time), findings: &finding, ..Unit::of(1, Body::Note) };
        assert!(tables.take(&unit).is_continue());
    }
    let summary = Summary { error: Some("it was cut".into()), ..Summary::default() };
    let _ = tables.take(&Unit::about_input(Body::Summary(&summary)));
    let rows = tables.end().unwrap();
    assert!(rows[0].0 == &FINDINGS);
    let files = std::mem::take(&mut *files.0.lock().unwrap());
    let read = |(name, bytes): (String, Vec<u8>)| {
        let reader = SerializedFileReader::new(Bytes::from(bytes)).unwrap();
        let said = reader.metadata().file_metadata().key_value_metadata().unwrap().clone();
        for (key, value) in [
            ("wstool.schema", SCHEMA),
            ("wstool.table", "findings"),
            ("wstool.capture", "a capture"),
            ("wstool.error", "it was cut"),
        ] {
            let found = said.iter().find(|it| it.key == key).and_then(|it| it.value.clone());
            // A file that is full before the end does not know how the capture ends.
            assert!(found.as_deref() == Some(value) || found.is_none() && key == "wstool.error", "{key}");
        }
        (name, reader.metadata().row_groups().iter().map(RowGroupMetaData::num_rows).collect())
    };
    files.into_iter().map(read).collect()
}

#[test]
fn each_day_has_files_of_its_own() {
    let of = |days: &[Option<u64>]| {
        write(days.iter().map(|day| day.map(|day| day * DAY + 7)))
            .into_iter()
            .map(|(name, rows)| format!("{name}: {rows:?}"))
            .collect::<Vec<_>>()
    };
    assert_eq!(of(&[]), ["findings/none/0: []"], "a table without rows is there all the same");
    assert_eq!(of(&[None, Some(3), None, Some(3)]), ["findings/3/0: [3]", "findings/none/0: [1]"]);
    // Two are written at a time.
    assert_eq!(
        of(&[Some(1), Some(2), Some(1), Some(2), Some(3), Some(1), Some(1)]),
        ["findings/1/0: [2]", "findings/1/1: [2]", "findings/2/0: [2]", "findings/3/0: [1]"]
    );
}

#[test]
fn times_that_are_all_over_the_place_make_no_days() {
    let days = limits::TABLE_DAYS as u64;
    let files = write((0..days + 50).map(|day| Some(day * DAY)));
    assert_eq!(files.len() as u64, days + 1);
    assert_eq!(files["findings/none/0"], [50]);
}

#[test]
fn what_is_gathered_is_bounded() {
    let files = write((0..limits::TABLE_ROWS as u64 + 5).map(Some));
    let groups = &files["findings/0/0"];
    let most = i64::try_from(limits::TABLE_ROWS).expect("it is small");
    assert!(groups.len() >= 2 && groups.iter().all(|rows| *rows <= most), "{groups:?}");
    assert_eq!(groups.iter().sum::<i64>(), most + 5);
}
