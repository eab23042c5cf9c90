use super::*;
use crate::lesson::{lesson, roster};

fn students() -> Vec<Student> {
    roster::read("id,name,override\nanna,Anna <b>Li</b> *\n张伟,张伟,again\n".as_bytes())
        .expect("a good list")
}

#[test]
fn a_set_asks_what_the_tool_asks() {
    let lessons = [lesson(0).expect("lesson 0")];
    let [anna, wei] = &students()[..] else { panic!("two students") };
    let set = handout("ws 2026", anna, &lessons, Lang::En);
    let text = set.markdown();
    for exercise in &lessons[0].exercises {
        let instance = exercise.instance("ws 2026", "anna");
        assert!(text.contains(&format!("### {} (", exercise.name())), "{text}");
        assert!(
            text.contains(&prose(&instance.fill(exercise.data.prompt.in_(Lang::En), Lang::En))),
            "{text}"
        );
    }
    assert!(text.contains("--course 'ws 2026' --student anna"), "{text}");
    // A byte is two places, whatever the answer's length; what is too long is for the computer.
    assert!(
        text.contains(&format!(
            "| 0.2 | 1 | bytes in hex, two digits a byte, such as 81 05 48 | `{}` |",
            ["__"; 16].join(" ")
        )),
        "{text}"
    );
    assert!(text.contains("not on paper: at the computer"), "{text}");
    assert!(text.contains("| 0.3 | 1 | a number, such as 71 or 8.55 |  |"), "{text}");
    let text = handout("ws 2026", wei, &lessons, Lang::Zh).markdown();
    assert!(text.contains("--student again") && text.contains("## 第 0 课：你好，字节"), "{text}");
    let instance = lessons[0].exercises[2].instance("ws 2026", "again");
    assert!(text.contains(&instance.fill("{bytes}", Lang::Zh)), "{text}");
}

#[test]
fn the_key_stands_apart_from_the_handout() {
    let lessons = [lesson(0).expect("lesson 0")];
    let students = students();
    let instance = lessons[0].exercises[2].instance("c", "anna");
    let right = format!("**Right answer**: `{}`", instance.print(&instance.right));
    let answers = key("c", &students[0], &lessons, Lang::En).markdown();
    assert!(answers.contains(&right), "{answers}");
    // Mistakes are told in sentences, not by their ids.
    let told = lessons[0].exercises[2].diagnosis(
        &instance,
        "read-as-decimal",
        &instance.mistakes[0].answer,
        Lang::En,
    );
    let told = told.expect("it is described");
    assert!(answers.contains(told.split('.').next().unwrap_or_default()), "{told}: {answers}");
    assert!(!answers.contains("read-as-decimal"), "{answers}");
    let questions = handout("c", &students[0], &lessons, Lang::En).markdown();
    assert!(!questions.contains("Right answer") && !questions.contains(&told), "{questions}");
    let table = key_csv("c", &students, &lessons);
    assert_eq!(table.lines().count(), 1 + 2 * 4);
    assert!(table.contains(&format!("anna,0.3,{}\n", instance.print(&instance.right))), "{table}");
}

#[test]
fn names_are_text_and_nothing_else() {
    let lessons = [lesson(0).expect("lesson 0")];
    let students = students();
    let set = handout("<script>", &students[0], &lessons, Lang::Zh);
    let html = page(&set.title, &[&set], Lang::Zh);
    assert!(
        html.contains("<html lang=\"zh-Hans\">") && html.contains("Anna &lt;b&gt;Li&lt;/b&gt; *</h1>"),
        "{html}"
    );
    assert!(!html.contains("<script>") && html.contains("&lt;script&gt;"), "{html}");
    let index = index("c", &students, &lessons, &["md", "html"], Lang::En);
    let html = page(&index.title, &[&index], Lang::En);
    assert!(html.contains("<a href=\"%E5%BC%A0%E4%BC%9F.html\">html</a>"), "{html}");
}

/// All tags that are opened are closed, in order.
#[test]
fn pages_are_well_formed() {
    let lessons: Vec<_> = crate::lesson::lessons().iter().collect();
    let students = students();
    let sets: Vec<_> = students.iter().map(|student| key("c", student, &lessons, Lang::En)).collect();
    let html = page("all", &sets.iter().collect::<Vec<_>>(), Lang::En);
    let mut open = Vec::new();
    for tag in html.split('<').skip(1).filter_map(|rest| rest.split_once('>')).map(|(tag, _)| tag) {
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        match name {
            "!DOCTYPE" | "meta" | "br" | "hr" => {}
            _ if tag.starts_with('/') => assert_eq!(open.pop(), Some(name), "{tag}"),
            _ => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}
