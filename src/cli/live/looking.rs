//! Pages in a browser that look on: each is told what is decoded of the connections it opened itself.

use std::collections::VecDeque;

use foldhash::{HashMap, HashMapExt as _, HashSet, HashSetExt as _};

use crate::lab::panels::Panels;
use crate::lab::serve::PANELS;
use crate::lang::Lang;
use crate::limits;
use crate::model::{Body, Dir, Flow, Handshake, ON, Sink, Unit, Wants};
use crate::render::Options;
use crate::render::html::Records;

/// Tells panels of what is decoded.
pub(super) struct Looking {
    panels: Panels,
    options: Options,
    /// The panel of a connection, by its number.
    panel: HashMap<u32, String>,
    /// Streams of HTTP/2 on which panels are told: what is told of others goes over them. (A connection of
    /// HTTP/1.1 is not told of at all from there on.)
    streams: HashSet<u32>,
    /// Connections of lines, which no page can open, and the panels that are told of each.
    lines: HashSet<u32>,
    liners: Vec<String>,
    /// What makes the records of each panel, and the panels in the order in which they came.
    records: HashMap<String, Records>,
    order: VecDeque<String>,
}

impl Looking {
    pub fn new(panels: Panels, options: Options) -> Self {
        Self {
            panels,
            options,
            panel: HashMap::new(),
            streams: HashSet::new(),
            lines: HashSet::new(),
            liners: Vec::new(),
            records: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    /// Whether it is about what panels are told, of which nobody is to be told.
    pub fn hides(&mut self, unit: &Unit<'_>) -> bool {
        if let Body::Connection(connection) = unit.body
            && connection.parent.is_some()
            && connection.target.as_ref().is_some_and(|target| target.starts_with(PANELS))
        {
            self.streams.insert(unit.conn);
        }
        // The last that is said of a connection.
        let is_over = matches!(unit.body, Body::Judgement(_));
        if is_over { self.streams.remove(&unit.conn) } else { self.streams.contains(&unit.conn) }
    }

    /// Whose connection it is, once a request has said so.
    fn learn(&mut self, unit: &Unit<'_>) {
        let Body::Http(head) = unit.body else { return };
        if unit.dir != Some(Dir::Client) {
            return;
        }
        let name = head.target().and_then(|target| named(target, "panel"));
        if let Some(name) = head.target().and_then(|target| named(target, "lines")) {
            // It is not told of itself what it asks for.
            self.panel.remove(&unit.conn);
            self.begin(&name);
            if !self.liners.contains(&name) {
                self.liners.push(name);
            }
            return;
        }
        match name {
            Some(name) => {
                self.begin(&name);
                self.panel.insert(unit.conn, name);
            }
            // Browsers use a connection again for another page.
            None => {
                self.panel.remove(&unit.conn);
            }
        }
    }

    /// From now on there is a panel of this name, if there was none.
    fn begin(&mut self, name: &str) {
        if self.records.contains_key(name) {
            return;
        }
        if self.order.len() >= limits::LAB_PANELS
            && let Some(oldest) = self.order.pop_front()
        {
            self.records.remove(&oldest);
            self.liners.retain(|liner| *liner != oldest);
        }
        // A page says in its name which language it is in.
        let lang = if name.starts_with("zh") { Lang::Zh } else { Lang::En };
        self.records.insert(name.to_owned(), Records::new(&Options { lang, ..self.options }));
        self.order.push_back(name.to_owned());
    }
}

/// The name of a panel in a request target, as a parameter of this name.
fn named(target: &str, parameter: &str) -> Option<String> {
    let (_, query) = target.split_once('?')?;
    let (_, name) = form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == parameter)?;
    Panels::is_name(&name).then(|| name.into_owned())
}

impl Sink for Looking {
    fn wants(&self) -> Wants {
        Records::new(&self.options).wants()
    }

    fn take(&mut self, unit: &Unit<'_>) -> Flow {
        self.learn(unit);
        if let Body::Connection(connection) = unit.body
            && connection.handshake == Handshake::Lines
        {
            self.lines.insert(unit.conn);
        }
        let liners = if self.lines.contains(&unit.conn) { &self.liners[..] } else { &[] };
        for name in liners.iter().chain(self.panel.get(&unit.conn)) {
            if let Some(record) = self.records.get_mut(name).and_then(|records| records.of(unit)) {
                self.panels.tell(name, record);
            }
        }
        // The last that is said of a connection.
        if matches!(unit.body, Body::Judgement(_)) {
            self.panel.remove(&unit.conn);
            self.lines.remove(&unit.conn);
        }
        ON
    }
}
