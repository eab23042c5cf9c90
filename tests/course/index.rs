//! The course's front page and its table of contents name every lesson, in both languages.

use std::fs;
use std::path::Path;

use wstool::lang::Lang;
use wstool::lesson;

#[test]
fn every_lesson_is_listed_by_its_title() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("lessons");
    for (page, dot) in [("README.md", " | "), ("SUMMARY.md", " · ")] {
        let text = fs::read_to_string(folder.join(page)).expect("the page can be read");
        for lesson in lesson::lessons() {
            for lang in Lang::ALL {
                let (number, slug, code) = (lesson.data.number, lesson.slug, lang.code());
                let title = lesson.data.title.in_(lang);
                let entry = match page {
                    "SUMMARY.md" => format!("[{number}{dot}{title}]({slug}/{code}.md)"),
                    _ => format!("| {number}{dot}[{title}]({slug}/{code}.md){dot}"),
                };
                assert!(text.contains(&entry), "lessons/{page} lacks {entry}");
            }
        }
        let pages = text.matches("/en.md)").count();
        assert_eq!((pages, text.matches("/zh.md)").count()), (16, 16), "lessons/{page}");
    }
}

/// A page is headed by the title that the lists show.
#[test]
fn pages_are_headed_by_their_titles() {
    for lesson in lesson::lessons() {
        for lang in Lang::ALL {
            let first = lesson.page(lang).lines().next().unwrap_or_default();
            let titled = first.starts_with("# ") && first.ends_with(lesson.data.title.in_(lang));
            assert!(titled, "lessons/{}/{}.md: {first}", lesson.slug, lang.code());
        }
    }
}
