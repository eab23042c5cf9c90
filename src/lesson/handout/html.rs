//! Sets as a page to print.

use pulldown_cmark::{Event, Options, Parser, html};

use super::Set;
use crate::lang::Lang;

/// Lines of an exercise that take about half a page.
const TALL: usize = 24;

const STYLE: &str = include_str!("print.css");

/// A page of HTML that holds these sets, each on a sheet of its own. It needs nothing
/// from elsewhere.
pub fn page(title: &str, sets: &[&Set], lang: Lang) -> String {
    let code = match lang {
        Lang::En => "en",
        Lang::Zh => "zh-Hans",
    };
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"{code}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>"
    );
    text(&mut out, title);
    out.push_str("</title>\n<style>\n");
    out.push_str(STYLE);
    out.push_str("</style>\n</head>\n<body>\n");
    for set in sets {
        article(&mut out, set);
    }
    out.push_str("</body>\n</html>\n");
    out
}

fn article(out: &mut String, set: &Set) {
    out.push_str("<article>\n<header>\n");
    markdown(out, &set.head);
    out.push_str("</header>\n");
    for group in &set.groups {
        out.push_str("<section class=\"lesson\">\n");
        markdown(out, &group.head);
        for item in &group.items {
            // What fills a page is better divided than moved away from its heading.
            let tall = item.lines().count() > TALL;
            out.push_str(if tall {
                "<section class=\"exercise tall\">\n"
            } else {
                "<section class=\"exercise\">\n"
            });
            markdown(out, item);
            out.push_str("</section>\n");
        }
        out.push_str("</section>\n");
    }
    for piece in &set.tail {
        out.push_str("<section class=\"tail\">\n");
        markdown(out, piece);
        out.push_str("</section>\n");
    }
    out.push_str("</article>\n");
}

/// Markdown as HTML. Tags in it are text: bytes of an exercise may look like some.
fn markdown(out: &mut String, markdown: &str) {
    let events = Parser::new_ext(markdown, Options::ENABLE_TABLES).map(|event| match event {
        Event::Html(tags) | Event::InlineHtml(tags) => Event::Text(tags),
        other => other,
    });
    html::push_html(out, events);
}

fn text(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            _ => out.push(c),
        }
    }
}
