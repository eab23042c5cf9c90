//! Names that live as long as the program, each once: what is described is told by the same fields and rules
//! as what is known.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, PoisonError};

use crate::model::{Cite, FieldDef, Role, Rule, Severity, Who};

#[derive(Default)]
struct Known {
    words: HashMap<String, &'static str>,
    defs: HashMap<[&'static str; 4], &'static FieldDef>,
    rules: HashMap<([&'static str; 4], Severity), &'static Rule>,
}

static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);

fn known<T>(look: impl FnOnce(&mut Known) -> T) -> T {
    look(&mut KNOWN.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Words for good.
pub fn word(text: &str) -> &'static str {
    known(|known| {
        if let Some(word) = known.words.get(text) {
            word
        } else {
            let word: &'static str = Box::leak(text.into());
            known.words.insert(text.to_owned(), word);
            word
        }
    })
}

/// A field that is described in `doc`.
pub fn field(id: &str, label: &str, help: &'static str, doc: &str) -> &'static FieldDef {
    let key = [word(id), word(label), help, word(doc)];
    known(|known| {
        *known.defs.entry(key).or_insert_with(|| {
            let [id, label, help, doc] = key;
            let cite = Cite { doc, section: "" };
            Box::leak(Box::new(FieldDef { id, label, help, cite, role: Role::Listed }))
        })
    })
}

/// A rule that stands in `doc`.
pub fn rule(
    id: &str,
    severity: Severity,
    title: &'static str,
    consequence: &'static str,
    doc: &str,
) -> &'static Rule {
    let key = ([word(id), title, consequence, word(doc)], severity);
    known(|known| {
        *known.rules.entry(key).or_insert_with(|| {
            let [id, title, consequence, doc] = key.0;
            Box::leak(Box::new(Rule {
                id,
                severity,
                cite: Cite { doc, section: "" },
                who: Who::Either,
                title,
                consequence,
                fails: None,
                usually: None,
            }))
        })
    })
}
