//! What many records say alike is said once: what a field is for, and how a header is drawn.

use std::collections::HashMap;

use super::shown::words;
use super::wire::W;
use crate::lang::Lang;
use crate::model::{Cite, Frame, LengthForm};
use crate::render::bits::{self, Kind};
use crate::render::json::value::{List, ToJson, members, with};

/// What makes two fields the same to a reader.
type Def = (&'static str, &'static str, Cite);

/// What makes two headers look the same, bits aside.
type Shape = (LengthForm, bool);

/// See the [module](self).
#[derive(Debug)]
pub struct Known {
    lang: Lang,
    defs: HashMap<Def, usize>,
    defs_listed: Vec<Def>,
    shapes: Vec<(Shape, Vec<Cell>)>,
    /// How many of each have been told.
    told: (usize, usize),
}

/// A run of bits in a header, with a name.
#[derive(Debug)]
struct Cell {
    label: String,
    start: u64,
    end: u64,
}

impl Known {
    /// Nothing known yet.
    pub fn new(lang: Lang) -> Self {
        Self { lang, defs: HashMap::new(), defs_listed: Vec::new(), shapes: Vec::new(), told: (0, 0) }
    }

    /// The number of a kind of field.
    pub fn def(&mut self, label: &'static str, help: &'static str, cite: Cite) -> usize {
        let def = (label, help, cite);
        *self.defs.entry(def).or_insert_with(|| {
            self.defs_listed.push(def);
            self.defs_listed.len() - 1
        })
    }

    /// The number of the drawing of a frame's header.
    pub fn shape(&mut self, frame: &Frame<'_>) -> usize {
        let shape = (frame.header.length_form, frame.header.masking_key.is_some());
        if let Some(place) = self.shapes.iter().position(|(known, _)| *known == shape) {
            return place;
        }
        let header = bits::parts(frame).into_iter().filter(|part| part.kind != Kind::Payload);
        let lang = self.lang;
        let cells =
            header.map(|part| Cell { label: label(lang, part.label), start: part.start, end: part.end });
        self.shapes.push((shape, cells.collect()));
        self.shapes.len() - 1
    }

    /// Writes what was not told before, as members of an object that has some.
    pub fn tell_new(&mut self, w: &mut W) {
        let (defs, shapes) = self.told;
        self.told = (self.defs_listed.len(), self.shapes.len());
        self.tell(defs, shapes, w);
    }

    /// Writes all of it, as members of an object that has some.
    pub fn tell_all(&self, w: &mut W) {
        self.tell(0, 0, w);
    }

    fn tell(&self, defs: usize, shapes: usize, w: &mut W) {
        let lang = self.lang;
        if let [_, ..] = &self.defs_listed[defs..] {
            let all = self.defs_listed.iter().enumerate().skip(defs).map(|(number, (label, help, cite))| {
                with(move |w: &mut W| {
                    w.raw("[");
                    number.put(w);
                    w.raw(",");
                    (&*words(lang.words(label)), &*words(lang.words(help)), *cite).put(w);
                    w.raw("]");
                })
            });
            members!(w, "defs": List(all));
        }
        if let [_, ..] = &self.shapes[shapes..] {
            let all = self.shapes.iter().enumerate().skip(shapes).map(|(number, (_, cells))| {
                with(move |w: &mut W| {
                    let cells = cells.iter().map(|it| (it.label.as_str(), it.start, it.end));
                    (number, List(cells)).put(w);
                })
            });
            members!(w, "shapes": List(all));
        }
    }
}

/// A name that a diagram of text writes down the lines of a narrow column.
fn label(lang: Lang, lines: &[&'static str]) -> String {
    let is_column = lines.iter().all(|line| line.len() <= 1);
    let words: Vec<&str> =
        lines.iter().map(|line| if is_column { line } else { lang.words(line).trim() }).collect();
    words.join(if is_column { "" } else { " " })
}
