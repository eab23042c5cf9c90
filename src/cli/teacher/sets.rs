//! `teacher handout` and `teacher key`: a set a student, and an index of them.

use std::io::{self, Write};
use std::path::Path;

use super::files::Outbox;
use super::{Class, Trouble, chosen, students};
use crate::cli::output;
use crate::lang::Lang;
use crate::lesson::Lesson;
use crate::lesson::handout::{self, Set};
use crate::lesson::roster::Student;

/// What is wanted, for whom.
pub(super) struct Order<'c> {
    course: &'c str,
    students: Vec<Student>,
    lessons: Vec<&'static Lesson>,
    lang: Lang,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Handout,
    Key,
}

impl<'c> Order<'c> {
    pub(super) fn read(class: &'c Class, lessons: &[String], lang: Lang) -> Result<Self, Trouble> {
        let lessons = chosen(lessons, lang)?;
        if handout::with_exercises(&lessons).next().is_none() {
            let message = lang.words("these lessons have no exercises");
            return Err(Trouble::Said(message.to_owned()));
        }
        Ok(Self { course: &class.seed, students: students(class, lang)?, lessons, lang })
    }

    /// Writes the sets; `kinds` are the extensions of the files.
    pub(super) fn write(
        &self,
        kind: Kind,
        kinds: &[&str],
        folder: &Path,
        force: bool,
    ) -> Result<u8, Trouble> {
        let lang = self.lang;
        let make = match kind {
            Kind::Handout => handout::handout,
            Kind::Key => handout::key,
        };
        let bar = output::steps(self.students.len() as u64, lang);
        let mut out = Outbox::new(folder);
        let mut sets: Vec<Set> = Vec::new();
        for student in &self.students {
            let mut set = make(self.course, student, &self.lessons, lang);
            if kinds.contains(&"md") {
                out.put(&format!("{}.md", student.file), set.markdown());
            }
            if kinds.contains(&"html") {
                out.put(&format!("{}.html", student.file), handout::page(&set.title, &[&set], lang));
            }
            for file in std::mem::take(&mut set.files) {
                out.put(&file.path, file.bytes);
            }
            sets.push(set);
            bar.inc(1);
        }
        bar.finish_and_clear();
        let index = handout::index(self.course, &self.students, &self.lessons, kinds, lang);
        if kinds.contains(&"md") {
            out.put("index.md", index.markdown());
        }
        if kinds.contains(&"html") {
            out.put("index.html", handout::page(&index.title, &[&index], lang));
            let all: Vec<_> = sets.iter().collect();
            out.put("all.html", handout::page(&index.title, &all, lang));
        }
        let count = out.write(force, lang).map_err(Trouble::Said)?;
        self.said(kind, count, folder, kinds)?;
        Ok(0)
    }

    fn said(&self, kind: Kind, count: usize, folder: &Path, kinds: &[&str]) -> io::Result<()> {
        let lang = self.lang;
        let (students, folder) = (self.students.len(), folder.display());
        let exercises: usize = self.lessons.iter().map(|lesson| lesson.exercises.len()).sum();
        let template = match (kind, students) {
            (Kind::Handout, 1) => "{}: handouts for {} student, {} exercises; {} files",
            (Kind::Handout, _) => "{}: handouts for {} students, {} exercises each; {} files",
            (Kind::Key, 1) => "{}: keys for {} student, {} exercises; {} files",
            (Kind::Key, _) => "{}: keys for {} students, {} exercises each; {} files",
        };
        let mut out = io::stdout().lock();
        writeln!(out, "{}", lang.fill(template, &[&folder, &students, &exercises, &count]))?;
        if kinds.contains(&"html") {
            let print = lang.words("To print them all: ");
            writeln!(out, "{print}{folder}{}all.html", std::path::MAIN_SEPARATOR)?;
        }
        out.flush()
    }

    /// Writes the right answers as one table.
    pub(super) fn write_csv(&self, folder: Option<&Path>, force: bool) -> Result<u8, Trouble> {
        let table = handout::key_csv(self.course, &self.students, &self.lessons);
        let Some(folder) = folder else {
            let mut out = io::stdout().lock();
            out.write_all(table.as_bytes())?;
            out.flush()?;
            return Ok(0);
        };
        let mut out = Outbox::new(folder);
        out.put("key.csv", table);
        let count = out.write(force, self.lang).map_err(Trouble::Said)?;
        self.said(Kind::Key, count, folder, &[])?;
        Ok(0)
    }
}
