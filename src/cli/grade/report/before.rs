//! An earlier report, and what changed since: ours as JSON, or Autobahn's `index.json`.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::cli::trouble::of_file;
use crate::model::Text;
use crate::model::grade::{Behaviour, Change, Changes, Closing, REPORT, Transcript, Verdict, verdict_of};

/// See the [module](self).
pub struct Before {
    name: String,
    /// By peers, and by the ids or numbers of cases.
    peers: BTreeMap<String, BTreeMap<String, Verdict>>,
}

impl Before {
    /// Reads a report.
    ///
    /// # Errors
    /// That it cannot be read, or is none.
    pub fn read(path: &Path) -> Result<Self, Text> {
        let text = std::fs::read_to_string(path).map_err(|error| of_file(path, &error))?;
        let name = path.display().to_string();
        let wrong = |why: Text| Text::with("{}: {}", &name).word(why);
        let value: Value = serde_json::from_str(&text).map_err(|error| wrong(Text::with("{}", error)))?;
        let peers = if value["schema"].is_string() { ours(&value) } else { autobahn(&value) };
        let why =
            "this is no report of wstool grade --report json, and no index.json of the Autobahn testsuite";
        let peers = peers.filter(|peers| !peers.is_empty()).ok_or_else(|| wrong(why.into()))?;
        Ok(Self { name, peers })
    }

    /// What is another than it was. `is_only` says that the peer is the only one that was graded: then it is
    /// compared with the only one of the earlier report, whatever either is called.
    pub fn changes(&self, transcript: &Transcript, is_only: bool) -> Changes {
        let mut changes = Changes { since: self.name.clone(), ..Changes::default() };
        let only = self.peers.values().next().filter(|_| is_only && self.peers.len() == 1);
        let before = self.peers.get(&transcript.who.agent).or(only);
        let Some(before) = before else {
            changes.added = transcript.graded.len() as u64;
            return changes;
        };
        let mut found = 0;
        for one in &transcript.graded {
            let number = one.case.autobahn.as_ref().and_then(|number| before.get(number));
            let Some(was) = before.get(&one.case.id).or(number) else {
                changes.added += 1;
                continue;
            };
            found += 1;
            let now = one.verdict();
            let change =
                Change { id: one.case.id.clone(), autobahn: one.case.autobahn.clone(), before: *was, now };
            match rank(now).cmp(&rank(*was)) {
                std::cmp::Ordering::Greater => changes.worse.push(change),
                std::cmp::Ordering::Less => changes.better.push(change),
                std::cmp::Ordering::Equal => {}
            }
        }
        changes.left = before.len() as u64 - found;
        changes
    }
}

/// How bad a verdict is for those who have one: what was there and is not any longer is worse than what is
/// not as it should be.
fn rank(verdict: Verdict) -> u8 {
    match verdict {
        Verdict::Pass | Verdict::Informational => 0,
        Verdict::NonStrict => 1,
        Verdict::Unimplemented => 2,
        Verdict::Fail => 3,
    }
}

fn ours(report: &Value) -> Option<BTreeMap<String, BTreeMap<String, Verdict>>> {
    if report["schema"] != REPORT {
        return None;
    }
    let peer = |peer: &Value| {
        let case = |case: &Value| {
            let verdict = case["verdict"].as_str()?;
            let verdict = Verdict::ALL.into_iter().find(|known| known.name() == verdict)?;
            Some((case["id"].as_str()?.to_owned(), verdict))
        };
        let cases = peer["cases"].as_array()?.iter().filter_map(case).collect();
        Some((peer["agent"].as_str()?.to_owned(), cases))
    };
    report["peers"].as_array().map(|peers| peers.iter().filter_map(peer).collect())
}

fn autobahn(index: &Value) -> Option<BTreeMap<String, BTreeMap<String, Verdict>>> {
    let case = |(number, case): (&String, &Value)| {
        let behaviour = case["behavior"].as_str()?;
        let closing = case["behaviorClose"].as_str()?;
        let behaviour = Behaviour::ALL.into_iter().find(|known| known.name() == behaviour)?;
        let closing = Closing::ALL.into_iter().find(|known| known.name() == closing)?;
        Some((number.clone(), verdict_of(behaviour, closing)))
    };
    let peer = |(agent, cases): (&String, &Value)| {
        let cases: BTreeMap<_, _> = cases.as_object()?.iter().filter_map(case).collect();
        (!cases.is_empty()).then(|| (agent.clone(), cases))
    };
    index.as_object().map(|peers| peers.iter().filter_map(peer).collect())
}
