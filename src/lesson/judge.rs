//! Judges answers.

use super::answer::Answer;
use super::instance::{Instance, Slip};
use super::judgement::{Difference, Judgement};
use crate::lang::Lang;

impl Difference {
    /// The difference in sentences.
    pub fn words(&self, instance: &Instance, lang: Lang) -> Vec<String> {
        match self {
            Self::Said(said) => vec![instance.said(said, lang)],
            _ => self.texts().iter().map(|text| lang.say(text).into_owned()).collect(),
        }
    }
}

impl Instance {
    /// Judges what was typed.
    pub fn judge(&self, typed: &str) -> Judgement {
        match self.parse(typed) {
            Ok(answer) => self.judge_answer(&answer),
            Err(expected) => Judgement::Unreadable(expected),
        }
    }

    /// Judges an answer.
    pub fn judge_answer(&self, given: &Answer) -> Judgement {
        if let (Answer::File(bytes), Some(judge)) = (given, &self.judge) {
            return judge(bytes);
        }
        let given = &self.canonical(given);
        if self.right.accepts(given) {
            return Judgement::Right;
        }
        if let Some(slip) = self.slip(given) {
            return Judgement::known(slip.id);
        }
        match (&self.right, given) {
            (Answer::Choices(right), Answer::Choices(given)) => {
                Judgement::Ticks(self.wrong_ticks(right, given))
            }
            (_, Answer::Text { text, .. }) if let Some(made) = self.made(text) => {
                Judgement::Differs(Difference::Made(made))
            }
            _ => Judgement::Differs(Difference::between(&self.right, given, self.layout)),
        }
    }

    /// The known mistake that gives this answer.
    pub fn slip(&self, given: &Answer) -> Option<&Slip> {
        // A mistake's decimal is as exact as the right one.
        let accepts = |slip: &Slip| match (&slip.answer, &self.right) {
            (Answer::Decimal { value, .. }, Answer::Decimal { tolerance, .. }) => {
                Answer::decimal(*value, *tolerance).accepts(given)
            }
            (answer, _) => answer.accepts(given),
        };
        self.mistakes.iter().find(|slip| accepts(slip))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lesson::data::{Bilingual, ExerciseData};
    use crate::lesson::judgement::{Said, Tick};
    use crate::model::Text;
    use crate::synth::Rng;

    #[test]
    fn known_mistakes_are_named() {
        let instance = Instance::new(Answer::Number(0x0180)).mistake("little-endian", Answer::Number(0x8001));
        assert_eq!(instance.judge("0x180"), Judgement::Right);
        assert_eq!(instance.judge("32769"), Judgement::known("little-endian"));
        assert_eq!(instance.judge("5"), Judgement::Differs(Difference::Value));
        assert!(matches!(instance.judge("five"), Judgement::Unreadable(_)));
    }

    #[test]
    fn a_mistake_in_decimals_has_the_tolerance_of_the_right_answer() {
        let instance =
            Instance::new(Answer::decimal(8.55, 0.01)).mistake("halved", Answer::decimal(4.275, 0.0));
        assert_eq!(instance.judge("4.28"), Judgement::known("halved"));
        assert_eq!(instance.judge("4.3"), Judgement::Differs(Difference::Value));
    }

    #[test]
    fn bytes_differ_at_an_offset() {
        let right: Vec<u8> = (0..20).collect();
        let instance = Instance::new(Answer::Hex(right.clone()));
        let mut wrong = right.clone();
        wrong[18] = 0xFF;
        let Judgement::Differs(difference) = instance.judge_answer(&Answer::Hex(wrong)) else {
            panic!("it is wrong, and nobody knows the mistake")
        };
        assert_eq!(difference.words(&instance, Lang::En), ["At offset 0x12 yours is ff, in bits 1111 1111."]);
        assert_eq!(
            difference.dump(),
            [
                "  0000  00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f",
                "  0010  10 11 ff 13",
                "              ^^ 0x12",
            ]
        );
    }

    #[test]
    fn texts_differ_where_it_counts() {
        let at = |right: Answer, given: &str| match Instance::new(right).judge(given) {
            Judgement::Differs(Difference::Text { first }) => first,
            other => panic!("{other:?}"),
        };
        assert_eq!(at(Answer::word("Upgrade; a = 1"), "upgrade;a=2"), 10);
        assert_eq!(at(Answer::exact("Upgrade"), "upgrade"), 0);
    }

    #[test]
    fn lists_and_sets_differ_in_places_and_counts() {
        let order = Instance::new(Answer::Numbers(vec![1, 2, 3]));
        let expected = Difference::Items { first: 1, given: 2, wanted: 3 };
        assert_eq!(order.judge("1, 3"), Judgement::Differs(expected));
        let set = Instance::new(Answer::choices(["a", "b"])).choices(["a", "b", "c"]);
        let tick = |id: &str, is_extra| Tick { id: id.to_owned(), is_extra };
        assert_eq!(set.judge("b c"), Judgement::Ticks(vec![tick("a", false), tick("c", true)]));
    }

    #[test]
    fn a_file_is_judged_by_its_function() {
        let judge = |bytes: &[u8]| match bytes {
            [0x81, ..] => Judgement::Right,
            [0x82, ..] => Judgement::known("binary"),
            _ => Judgement::differs("no-frame"),
        };
        let instance = Instance::new(Answer::File(vec![0x81, 0])).judged_by(judge);
        assert_eq!(instance.judge("81 00"), Judgement::Right);
        assert_eq!(instance.judge_answer(&Answer::File(vec![0x82])), Judgement::known("binary"));
        assert!(matches!(instance.judge("hello"), Judgement::Differs(Difference::Said(_))));
    }

    #[test]
    fn a_judge_speaks_with_the_words_of_the_lesson() {
        let words = Bilingual::new("Wrong: {fault}, {n} times.", "有错：{fault}，{n} 次。");
        let data = ExerciseData { words: [("fault".to_owned(), words)].into(), ..ExerciseData::default() };
        let said = Said::from("fault").hole("fault", Text::new("a {} frame").word("close")).value("n", 2);
        let mut instance = Instance::new(Answer::Number(1));
        instance.complete(&data, &mut Rng::new(1));
        let Judgement::Differs(difference) = Judgement::differs(said) else { panic!("it says how") };
        let told = Lang::ALL.map(|lang| difference.words(&instance, lang).concat());
        assert_eq!(told, ["Wrong: a close frame, 2 times.", "有错：一个 Close 帧，2 次。"]);
    }
}
