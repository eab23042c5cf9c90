//! Lessons and explanations speak of the same things.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use wstool::explain::{self, Group};
use wstool::lesson;

/// What a lesson teaches or mentions is a topic, and its page names the first lesson that
/// teaches it.
#[test]
fn lessons_teach_what_can_be_explained() {
    let mut wrong = String::new();
    let mut taught: BTreeMap<&str, u8> = BTreeMap::new();
    for lesson in lesson::lessons() {
        let data = &lesson.data;
        for id in data.teaches.iter().chain(&data.mentions) {
            if explain::topic(id).is_none() {
                let _ = writeln!(wrong, "{}: no topic `{id}`", lesson.slug);
            }
        }
        for id in &data.teaches {
            let first = taught.entry(id).or_insert(data.number);
            *first = data.number.min(*first);
        }
    }
    for (id, first) in taught {
        if let Some(topic) = explain::topic(id).filter(|topic| topic.lesson != Some(first)) {
            let _ = writeln!(wrong, "{id}: taught in lesson {first}, its page says {:?}", topic.lesson);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Mistakes that show a wrong belief name it by the id of its page.
#[test]
fn wrong_beliefs_have_pages() {
    let pages: Vec<_> =
        explain::topics().iter().filter(|it| it.group == Group::Belief).map(|it| it.id).collect();
    assert_eq!(pages, lesson::BELIEFS);
}
