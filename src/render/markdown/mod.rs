//! Markdown for the terminal: the pages of the lessons, read where the work is done.
//!
//! What the marks say is said without colour too: code keeps its backticks and
//! emphasis its asterisks when there is no ink to tell them by, headings are underlined,
//! and a screen reader meets the text in its order.

mod run;
mod table;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options as Dialect, Parser, Tag, TagEnd};

use super::Options;
use super::page::Page;
use super::style::Ink;
use run::Run;
use table::Table;

/// Columns that code is set in by, where it has room for them.
const CODE_INDENT: usize = 4;

/// Lays out a text in Markdown.
pub fn render(text: &str, options: &Options) -> String {
    let mut writer = Writer {
        page: Page::of_prose(options),
        marks: !options.color,
        run: Run::default(),
        inks: Vec::new(),
        lists: Vec::new(),
        indent: 0,
        bullet: None,
        tight: true,
        table: None,
        code: None,
        link: None,
    };
    Parser::new_ext(text, Dialect::ENABLE_TABLES).for_each(|event| writer.event(event));
    writer.flush();
    std::mem::take(writer.page.lines())
}

struct Writer<'t> {
    page: Page,
    /// Whether marks stand for inks.
    marks: bool,
    /// The words of the paragraph, heading or cell that is being read.
    run: Run,
    inks: Vec<Ink>,
    /// The number of the next item of each open list; `None` where items have bullets.
    lists: Vec<Option<u64>>,
    /// Columns that the lines of the open items are set in by.
    indent: usize,
    /// The mark of an item whose first line has not been written.
    bullet: Option<String>,
    /// Blocks follow without an empty line between them: inside an item.
    tight: bool,
    table: Option<Table>,
    /// The text of a code block, and whether it is a session of commands.
    code: Option<(String, bool)>,
    link: Option<pulldown_cmark::CowStr<'t>>,
}

impl<'t> Writer<'t> {
    fn event(&mut self, event: Event<'t>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => match &mut self.code {
                Some((code, _)) => code.push_str(&text),
                None => self.run.push(self.ink(), &text),
            },
            Event::Code(code) => {
                let code = if self.marks { format!("`{code}`") } else { code.into_string() };
                self.run.push(Ink::Client, &code);
            }
            Event::SoftBreak => self.run.soft_break(),
            Event::HardBreak => {
                self.words(Ink::Plain);
                self.page.line();
            }
            Event::Rule => {
                self.block();
                self.page.put(Ink::Faint, "---").line();
            }
            // Nothing of the lessons is written in these.
            Event::Html(_)
            | Event::InlineHtml(_)
            | Event::FootnoteReference(_)
            | Event::TaskListMarker(_)
            | Event::InlineMath(_)
            | Event::DisplayMath(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'t>) {
        match tag {
            Tag::Paragraph | Tag::Heading { .. } => self.block(),
            Tag::BlockQuote(_) => {
                self.flush();
                self.indent += 2;
            }
            Tag::CodeBlock(kind) => {
                self.flush();
                self.block();
                let session = matches!(&kind, CodeBlockKind::Fenced(info) if info.as_ref() == "console");
                self.code = Some((String::new(), session));
            }
            Tag::List(first) => {
                self.flush();
                if self.lists.is_empty() {
                    self.block();
                }
                self.tight = true;
                self.lists.push(first);
            }
            Tag::Item => self.item(),
            Tag::Table(_) => {
                self.block();
                self.table = Some(Table::default());
            }
            Tag::TableHead | Tag::TableRow => {
                if let Some(table) = &mut self.table {
                    table.row();
                }
            }
            Tag::Emphasis => self.mark("*", Ink::Strong),
            Tag::Strong => self.mark("**", Ink::Strong),
            Tag::Link { dest_url, .. } => self.link = Some(dest_url),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => self.flush(),
            TagEnd::Heading(level) => self.heading(level),
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.indent -= 2;
            }
            TagEnd::CodeBlock => self.code_block(),
            TagEnd::List(_) => {
                self.flush();
                self.lists.pop();
                self.tight = !self.lists.is_empty();
            }
            TagEnd::Item => {
                self.flush();
                self.indent -= self.item_indent();
            }
            TagEnd::Table => {
                if let Some(table) = self.table.take() {
                    table.write(&mut self.page, self.indent);
                }
            }
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.run);
                if let Some(table) = &mut self.table {
                    table.cell(cell.into_text());
                }
            }
            TagEnd::Emphasis => self.unmark("*"),
            TagEnd::Strong => self.unmark("**"),
            TagEnd::Link => {
                // A page of the course is named in its own words; other places by their address.
                if let Some(link) = self.link.take().filter(|link| link.contains("://")) {
                    self.run.push(Ink::Faint, &format!(" <{link}>"));
                }
            }
            _ => {}
        }
    }

    fn ink(&self) -> Ink {
        self.inks.last().copied().unwrap_or(Ink::Plain)
    }

    fn mark(&mut self, mark: &str, ink: Ink) {
        if self.marks {
            self.run.push(Ink::Plain, mark);
        }
        self.inks.push(ink);
    }

    fn unmark(&mut self, mark: &str) {
        self.inks.pop();
        if self.marks {
            self.run.push(Ink::Plain, mark);
        }
    }

    /// A block begins: an empty line before it, except inside a list.
    fn block(&mut self) {
        if !(self.tight && self.bullet.is_some()) && self.lists.is_empty() {
            self.page.gap();
        }
    }

    fn item(&mut self) {
        self.flush();
        let bullet = match self.lists.last_mut() {
            Some(Some(number)) => {
                *number += 1;
                format!("{}. ", *number - 1)
            }
            _ => "- ".to_owned(),
        };
        self.bullet = Some(bullet);
        self.indent += self.item_indent();
    }

    fn item_indent(&self) -> usize {
        if self.lists.last().is_some_and(Option::is_some) { 3 } else { 2 }
    }

    /// Writes the words that were read, and ends their line.
    fn flush(&mut self) {
        if self.run.is_empty() {
            return;
        }
        self.words(Ink::Plain);
        self.page.line();
    }

    fn words(&mut self, over: Ink) {
        let run = std::mem::take(&mut self.run);
        if let Some(bullet) = self.bullet.take() {
            self.page.to(self.indent - bullet.len()).put(Ink::Plain, &bullet);
        }
        run.write(&mut self.page, over, self.indent);
    }

    fn heading(&mut self, level: HeadingLevel) {
        let columns = self.page.measure(self.run.text()).min(self.page.width());
        self.words(Ink::Strong);
        self.page.line();
        let line = match level {
            HeadingLevel::H1 => "=",
            HeadingLevel::H2 => "-",
            _ => return,
        };
        self.page.put(Ink::Faint, &line.repeat(columns)).line();
    }

    /// Code stands as it is; lines that do not fit are left to the terminal.
    fn code_block(&mut self) {
        let Some((code, session)) = self.code.take() else { return };
        let widest = code.lines().map(|line| self.page.measure(line)).max().unwrap_or(0);
        let indent = self.indent + self.page.width().saturating_sub(self.indent + widest).min(CODE_INDENT);
        for line in code.lines() {
            let ink = if session && line.starts_with("$ ") { Ink::Strong } else { Ink::Plain };
            if !line.is_empty() {
                self.page.to(indent).put(ink, line);
            }
            self.page.line();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        render(text, &Options::default())
    }

    #[test]
    fn a_page_in_black_and_white() {
        let text = "# Lesson 3: *bits*\n\nThe first byte has `FIN` and an **opcode**;\n\
             see [lesson 4](../04/en.md) and \
                    [the RFC](https://www.rfc-editor.org/rfc/rfc6455).\n\n## Try\n\n```console\n\
                    $ wstool decode 8100\n\
                    ...\n```\n\n    81 00\n\n- one\n\
                    - two, which is long enough to go on and on until it has to be \
                    continued on another line\n  - inner\n\n1. first\n2. second\n\n> said\n";
        insta::assert_snapshot!(shown(text));
    }

    #[test]
    fn a_table_keeps_its_columns_and_fits() {
        let text = "| Hex | 含义 | Remark |\n|---|---|---|\n\
                    | `0x0a` | 换行 | a remark that is so long that it needs \
                    more than one line of the page |\n| `0xff` | | |\n";
        let page = shown(text);
        assert!(page.lines().all(|line| crate::render::columns::width(line) <= 80), "{page}");
        insta::assert_snapshot!(page);
    }

    #[test]
    fn chinese_lines_join_without_a_space() {
        assert_eq!(shown("客户端必须\n加掩码。\n用 FIN\n结束"), "客户端必须加掩码。用 FIN 结束\n");
    }

    #[test]
    fn ink_takes_the_place_of_marks() {
        let page = render("Use `FIN` *now*.", &Options { color: true, ..Options::default() });
        assert!(page.contains("FIN\u{1b}[0m") && !page.contains(['`', '*']), "{page:?}");
    }

    #[test]
    fn a_page_commands_no_terminal() {
        assert!(!shown("a\u{1b}[2Jb\n\n`\u{9b}1m`\n").contains(['\u{1b}', '\u{9b}']));
    }
}
