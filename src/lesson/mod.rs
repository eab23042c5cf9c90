//! The course: lessons that ask for a prediction, show the truth, and name mistakes.
//!
//! ```text
//! lessons/NN-slug/lesson.toml ─► data ──┐
//! course/lNN.rs: generators ────────────┼─► Exercise ─► Instance ─► Judgement
//! seed: course, student, exercise ─► Rng┘               ▲
//!                       what was typed ─► answer ───────┘
//! ```
//!
//! For a class, [`roster`] reads the list of students, [`handout`] prints everybody's
//! exercises, a [`report`] is what a learner hands in, [`grade`] judges it anew, and
//! [`check`] looks at the course itself.
//!
//! The words of a lesson stand in its folder, in English and Chinese. What varies from
//! learner to learner comes from a generator: it draws bytes from a seed, lets the
//! tool's own encoder and decoder say what is right, and works out what one answers who
//! makes a known mistake. So a wrong answer is met by the name of what was done, and a
//! page can never miscount bytes. Nothing here reads a clock, a file or the environment.

pub mod answer;
pub mod check;
pub mod choice;
mod course;
pub mod data;
pub mod fields;
mod fold;
pub mod grade;
pub mod handout;
pub mod instance;
mod judge;
pub mod judgement;
pub mod progress;
pub mod report;
pub mod roster;
pub mod seed;
pub mod seen;
mod ticks;
mod told;

use std::sync::LazyLock;

use crate::lang::Lang;

pub use answer::Answer;
pub use choice::Choice;
pub use data::{BELIEFS, Bilingual, ExerciseData, LessonData};
pub use fields::Layout;
pub use instance::{Instance, Make};
pub use judgement::{Difference, Judgement, Said, Tick};
pub use progress::Progress;
pub use seed::{GENERATION, Seed};
pub use seen::{Seen, decode};
pub use told::Told;

/// Bytes in pairs of hex digits, as texts show them.
pub fn hex(bytes: &[u8]) -> String {
    answer::bytes_in_hex(bytes)
}

/// A lesson: a page to read and exercises.
#[derive(Debug)]
pub struct Lesson {
    /// Its folder, such as `03-first-two-bytes`.
    pub slug: &'static str,
    /// Its words but for the page.
    pub data: LessonData,
    /// Its exercises, in order.
    pub exercises: Vec<Exercise>,
    en: &'static str,
    zh: &'static str,
}

/// An exercise: what is asked, and who makes its instances.
#[derive(Debug)]
pub struct Exercise {
    /// The number of its lesson.
    pub lesson: u8,
    /// Its place in the lesson, from 1.
    pub place: u8,
    /// The lesson's folder and the exercise's id: what seeds and reports know it by.
    pub key: String,
    /// Its words.
    pub data: ExerciseData,
    make: Make,
}

static LESSONS: LazyLock<Vec<Lesson>> = LazyLock::new(|| {
    let lessons = course::SOURCES.iter().map(Lesson::read).collect::<Result<_, String>>();
    // The lessons are part of the program, and a test reads them all.
    lessons.expect("the lessons are as they were tested")
});

/// All lessons, in order.
pub fn lessons() -> &'static [Lesson] {
    &LESSONS
}

/// The lesson with this number.
pub fn lesson(number: u8) -> Option<&'static Lesson> {
    lessons().iter().find(|lesson| lesson.data.number == number)
}

/// The exercise with this name, such as `3.2`.
pub fn exercise(name: &str) -> Option<&'static Exercise> {
    let (number, place) = name.split_once('.')?;
    let place = place.parse::<usize>().ok()?.checked_sub(1)?;
    lesson(number.parse().ok()?)?.exercises.get(place)
}

impl Lesson {
    fn read(source: &course::Source) -> Result<Self, String> {
        let slug = source.slug;
        let mut data = data::parse(source.toml).map_err(|e| format!("lessons/{slug}/lesson.toml: {e}"))?;
        let exercises = std::mem::take(&mut data.exercises);
        let ids: Vec<_> = exercises.iter().map(|exercise| exercise.id.as_str()).collect();
        let makes: Vec<_> = source.makes.iter().map(|make| make.id).collect();
        if ids != makes {
            return Err(format!(
                "lessons/{slug}/lesson.toml has the exercises {ids:?}, the generators are {makes:?}"
            ));
        }
        let exercises = exercises.into_iter().zip(source.makes).zip(1..);
        let exercises = exercises.map(|((exercise, make), place)| Exercise {
            lesson: data.number,
            place,
            key: format!("{slug}/{}", exercise.id),
            data: exercise,
            make: *make,
        });
        let exercises = exercises.collect();
        Ok(Self { slug, data, exercises, en: source.en, zh: source.zh })
    }

    /// The page, in Markdown.
    pub fn page(&self, lang: Lang) -> &'static str {
        match lang {
            Lang::En => self.en,
            Lang::Zh => self.zh,
        }
    }
}

impl Exercise {
    /// Its name, such as `3.2`.
    pub fn name(&self) -> String {
        format!("{}.{}", self.lesson, self.place)
    }

    /// A student's instance.
    pub fn instance(&self, course: &str, student: &str) -> Instance {
        self.of(&Seed { course, student, exercise: &self.key, variant: 0 })
    }

    /// The instance of a seed.
    pub fn of(&self, seed: &Seed<'_>) -> Instance {
        let mut rng = seed.rng();
        let mut instance = (self.make.make)(&mut rng);
        instance.complete(&self.data, &mut rng);
        instance
    }

    /// An instance to show how it is done: another one than the student's.
    pub fn example(&self, course: &str, student: &str) -> Instance {
        let own = self.question(&self.instance(course, student), Lang::En);
        let variants = (Seed::EXAMPLE..).take(100);
        let examples =
            variants.map(|variant| self.of(&Seed { course, student, exercise: &self.key, variant }));
        let mut others = examples.filter(|other| self.question(other, Lang::En) != own);
        others.next().expect("a generator makes more than one instance")
    }

    /// All that is asked: the prompt and the options, each a line.
    pub fn question(&self, instance: &Instance, lang: Lang) -> String {
        let prompt = instance.fill(self.data.prompt.in_(lang), lang);
        let lines = std::iter::once(prompt.trim().to_owned());
        let options = instance.labelled(lang);
        lines.chain((!options.is_empty()).then(String::new)).chain(options).collect::<Vec<_>>().join("\n")
    }

    /// The diagnosis of a known mistake; `given` is what was answered.
    pub fn diagnosis(&self, instance: &Instance, id: &str, given: &Answer, lang: Lang) -> Option<String> {
        let text = self.data.mistakes.get(id)?.in_(lang);
        let given = &instance.canonical(given);
        let got = instance.print(given);
        let slip = instance.mistakes.iter().find(|slip| slip.id == id && slip.answer.accepts(given));
        let slip = slip.or_else(|| instance.mistakes.iter().find(|slip| slip.id == id));
        let own = |name: &str| {
            if name == "got" { Some(got.as_str()) } else { instance.value(name, slip, lang) }
        };
        Some(data::fill(text, own).trim().to_owned())
    }
}
