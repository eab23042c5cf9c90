//! One learner's own version of an exercise, and what its generator says about it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use super::answer::{Answer, label};
use super::choice::Choice;
use super::data::{self, Bilingual, ExerciseData};
use super::fields::Layout;
use super::judgement::{Judgement, Said};
use crate::lang::Lang;
use crate::model::{Diagnosis, Text};
use crate::synth::Rng;

/// A generator of an exercise's instances.
#[derive(Clone, Copy, Debug)]
pub struct Make {
    /// The exercise's id in `lesson.toml`.
    pub id: &'static str,
    /// Makes the instance of a seed, always the same.
    pub make: fn(&mut Rng) -> Instance,
}

/// One version of an exercise.
///
/// ```
/// use wstool::lesson::{Answer, Instance, hex};
///
/// let length: u16 = 0x0180;
/// let bytes = length.to_be_bytes();
/// let instance = Instance::new(Answer::Number(u64::from(length)))
///     .hole("bytes", hex(&bytes))
///     .mistake("little-endian", Answer::Number(u64::from(length.swap_bytes())))
///     .command(["decode", &format!("82fe {}", hex(&bytes))]);
/// assert_eq!(instance.fill("Which length is {bytes}?", wstool::lang::Lang::En), "Which length is 01 80?");
/// ```
#[derive(Clone)]
pub struct Instance {
    /// What fills the holes of the texts.
    pub holes: BTreeMap<String, Bilingual>,
    /// What the learner is given to look at.
    pub files: Vec<Given>,
    /// The right answer; for a file a sample of one.
    pub right: Answer,
    /// The known wrong answers.
    pub mistakes: Vec<Slip>,
    /// What can be chosen, in the order of the labels.
    pub options: Vec<Choice>,
    /// The arguments of a `wstool` that shows the truth; `{file:NAME}` is the path of a given file.
    pub command: Vec<String>,
    /// The options' order is part of the question.
    pub(super) ordered: bool,
    pub(super) judge: Option<Arc<Judge>>,
    /// What the bytes of the answer are.
    pub(super) layout: Layout,
    pub(super) fold: Option<fn(&str) -> Option<String>>,
    pub(super) tell: Option<Arc<Tell>>,
    /// Holes that words of `[exercise.words]` fill, by the ids of both.
    pub(super) wordings: BTreeMap<String, &'static str>,
    /// `[exercise.words]`.
    words: BTreeMap<String, Bilingual>,
}

/// Tells from a wrong text how it was made.
pub type Tell = dyn Fn(&str) -> Option<Diagnosis> + Send + Sync;

/// Judges the content of a file.
pub type Judge = dyn Fn(&[u8]) -> Judgement + Send + Sync;

/// A file given to the learner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// What it is called.
    pub name: &'static str,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// What a learner who makes a known mistake answers.
#[derive(Clone, Debug, PartialEq)]
pub struct Slip {
    /// The mistake's id in `lesson.toml`.
    pub id: &'static str,
    /// The answer that whoever makes it comes to.
    pub answer: Answer,
    /// Holes of the diagnosis besides those of the instance.
    pub holes: BTreeMap<String, Bilingual>,
}

impl Instance {
    /// An instance with this right answer, which comes from the tool's own decoder
    /// or encoder. For an exercise that wants a file, a sample of a right one.
    pub fn new(right: Answer) -> Self {
        Self {
            holes: BTreeMap::new(),
            files: Vec::new(),
            right,
            mistakes: Vec::new(),
            options: Vec::new(),
            command: Vec::new(),
            ordered: false,
            judge: None,
            layout: Layout::Bytes,
            fold: None,
            tell: None,
            wordings: BTreeMap::new(),
            words: BTreeMap::new(),
        }
    }

    /// What fills `{name}` in every text of the exercise.
    #[must_use]
    pub fn hole(mut self, name: &str, value: impl ToString) -> Self {
        let value = value.to_string();
        self.holes.insert(name.to_owned(), Bilingual::new(value.clone(), value));
        self
    }

    /// What fills `{name}` are the words with this id in `[exercise.words]`. They may have
    /// holes that values fill.
    #[must_use]
    pub fn words(mut self, name: &str, id: &'static str) -> Self {
        self.wordings.insert(name.to_owned(), id);
        self
    }

    /// A file to look at. `{file:NAME}` in texts and in the command is its path.
    #[must_use]
    pub fn file(mut self, name: &'static str, bytes: impl Into<Vec<u8>>) -> Self {
        self.files.push(Given { name, bytes: bytes.into() });
        self
    }

    /// The answer of one who makes a known mistake. One mistake may have several answers.
    #[must_use]
    pub fn mistake(self, id: &'static str, answer: Answer) -> Self {
        self.mistake_with(id, answer, &[])
    }

    /// As [`Instance::mistake`], with holes for its diagnosis only.
    #[must_use]
    pub fn mistake_with(mut self, id: &'static str, answer: Answer, holes: &[(&str, &str)]) -> Self {
        let both = |text: &str| Bilingual::new(text, text);
        let holes = holes.iter().map(|(name, text)| ((*name).to_owned(), both(text))).collect();
        self.mistakes.push(Slip { id, answer, holes });
        self
    }

    /// What can be chosen or has to be put in order. The instance shuffles them.
    #[must_use]
    pub fn choices<C: Into<Choice>>(mut self, choices: impl IntoIterator<Item = C>) -> Self {
        self.options = choices.into_iter().map(Into::into).collect();
        self
    }

    /// Leaves the options in the order given: where it is natural (yes, no), or the
    /// generator has shuffled them itself.
    #[must_use]
    pub fn in_this_order(mut self) -> Self {
        self.ordered = true;
        self
    }

    /// The arguments of the `wstool` command that shows the truth after the answer.
    #[must_use]
    pub fn command<A: Into<String>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command = args.into_iter().map(Into::into).collect();
        self
    }

    /// How to judge a file. Where the judge finds a known mistake it says
    /// [`Judgement::known`]; the sample of a mistake is its [`Instance::mistake`].
    #[must_use]
    pub fn judged_by(mut self, judge: impl Fn(&[u8]) -> Judgement + Send + Sync + 'static) -> Self {
        self.judge = Some(Arc::new(judge));
        self
    }

    /// What the bytes of the answer are, so that wrong ones are compared field by field.
    #[must_use]
    pub fn laid_out(mut self, layout: Layout) -> Self {
        self.layout = layout;
        self
    }

    /// What the bytes of the answer are.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Texts that mean the same are one text: `fold` writes one as the right answer is
    /// written, `None` where it is no such text.
    #[must_use]
    pub fn folded_by(mut self, fold: fn(&str) -> Option<String>) -> Self {
        self.fold = Some(fold);
        self
    }

    /// How to tell from a wrong text what was done, where no known mistake gives it.
    #[must_use]
    pub fn told_by(mut self, tell: impl Fn(&str) -> Option<Diagnosis> + Send + Sync + 'static) -> Self {
        self.tell = Some(Arc::new(tell));
        self
    }

    /// An answer as the right one is written.
    pub(super) fn canonical(&self, given: &Answer) -> Answer {
        match (given, self.fold) {
            (Answer::Text { text, exact }, Some(fold)) if let Some(text) = fold(text) => {
                Answer::Text { text, exact: *exact }
            }
            _ => given.clone(),
        }
    }

    pub(super) fn made(&self, text: &str) -> Option<Diagnosis> {
        self.tell.as_ref().and_then(|tell| tell(text))
    }

    /// What fills a hole of a diagnosis.
    pub(super) fn value<'a>(&'a self, name: &str, slip: Option<&'a Slip>, lang: Lang) -> Option<&'a str> {
        let holes = slip.map(|slip| &slip.holes);
        let value = holes.and_then(|holes| holes.get(name)).or_else(|| self.holes.get(name));
        value.map(|value| value.in_(lang))
    }

    /// Shuffles the options and gives what has no words those of `lesson.toml`.
    pub(super) fn complete(&mut self, data: &ExerciseData, rng: &mut Rng) {
        for option in &mut self.options {
            if option.text == Bilingual::default()
                && let Some(text) = data.options.get(&option.id)
            {
                option.text.clone_from(text);
            }
        }
        self.words.clone_from(&data.words);
        // Words that are not there leave their hole open, which the course's check finds.
        let of = |(name, id): (&String, &&'static str)| {
            let words = self.words.get(*id)?;
            let [en, zh] = Lang::ALL.map(|lang| self.fill(words.in_(lang), lang));
            Some((name.clone(), Bilingual { en, zh }))
        };
        let worded: Vec<_> = self.wordings.iter().filter_map(of).collect();
        self.holes.extend(worded);
        if !self.ordered {
            rng.shuffle(&mut self.options);
        }
        // Files stand in texts by their names until someone has put them somewhere.
        for file in &self.files {
            let name = Bilingual::new(file.name, file.name);
            self.holes.insert(format!("file:{}", file.name), name);
        }
        let answer = self.right.print(&self.options);
        self.holes.insert("answer".to_owned(), Bilingual::new(answer.clone(), answer));
    }

    /// Says where a given file lies, for texts and the command.
    pub fn placed(&mut self, name: &str, path: &str) {
        self.holes.insert(format!("file:{name}"), Bilingual::new(path, path));
    }

    /// A text with its holes filled.
    pub fn fill(&self, text: &str, lang: Lang) -> String {
        data::fill(text, |name| self.holes.get(name).map(|value| value.in_(lang)))
    }

    /// What a judge says; its id where `lesson.toml` has no words for it.
    pub(super) fn said(&self, said: &Said, lang: Lang) -> String {
        let words = self.words.get(said.id).map_or(said.id, |words| words.in_(lang));
        let values: Vec<_> = said.holes.iter().map(|(name, text)| (*name, lang.say(text))).collect();
        data::fill(words, |name| values.iter().find(|(known, _)| *known == name).map(|(_, value)| &**value))
    }

    /// The arguments of the command, with the paths of the files.
    pub fn arguments(&self) -> Vec<String> {
        self.command.iter().map(|argument| self.fill(argument, Lang::En)).collect()
    }

    /// The options as they are shown, labelled `a)`, `b)` …
    pub fn labelled(&self, lang: Lang) -> Vec<String> {
        let line =
            |(at, o): (usize, &Choice)| format!("{}) {}", label(at), self.fill(o.text.in_(lang), lang));
        self.options.iter().enumerate().map(line).collect()
    }

    /// An answer as it could be typed.
    pub fn print(&self, answer: &Answer) -> String {
        answer.print(&self.options)
    }

    /// Reads what was typed.
    ///
    /// # Errors
    /// What was expected instead.
    pub fn parse(&self, typed: &str) -> Result<Answer, Text> {
        self.right.parse_like(typed, &self.options)
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Instance")
            .field("holes", &self.holes)
            .field("right", &self.right)
            .field("mistakes", &self.mistakes)
            .field("options", &self.options)
            .field("command", &self.command)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_get_their_words_and_a_shuffled_place() {
        let texts = |id: &str, en: &str, zh: &str| BTreeMap::from([(id.to_owned(), Bilingual::new(en, zh))]);
        let data = ExerciseData {
            options: texts("yes", "Yes, {n} {of}", "是 {n} {of}"),
            words: texts("sheep", "sheep, {n}", "只羊，{n}"),
            ..ExerciseData::default()
        };
        let made = || {
            let instance = Instance::new(Answer::choice("yes")).hole("n", 3).words("of", "sheep");
            instance.choices(["yes", "no", "maybe", "never"])
        };
        let orders: std::collections::BTreeSet<_> = (0..50)
            .map(|seed| {
                let mut instance = made();
                instance.complete(&data, &mut Rng::new(seed));
                let place = instance.options.iter().position(|o| o.id == "yes").expect("it is one");
                assert_eq!(instance.labelled(Lang::Zh)[place], format!("{}) 是 3 只羊，3", label(place)));
                assert_eq!(instance.print(&instance.right), label(place).to_string());
                place
            })
            .collect();
        assert_eq!(orders.len(), 4);
        let mut fixed = made().in_this_order();
        fixed.complete(&data, &mut Rng::new(1));
        assert_eq!(fixed.labelled(Lang::En)[0], "a) Yes, 3 sheep, 3");
    }

    #[test]
    fn a_command_names_files_by_their_paths() {
        let mut instance =
            Instance::new(Answer::Number(1)).file("a.pcap", [1]).command(["decode", "{file:a.pcap}"]);
        instance.complete(&ExerciseData::default(), &mut Rng::new(1));
        assert_eq!(instance.arguments(), ["decode", "a.pcap"]);
        instance.placed("a.pcap", "/home/ada/a.pcap");
        assert_eq!(instance.arguments(), ["decode", "/home/ada/a.pcap"]);
    }
}
