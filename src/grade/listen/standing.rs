//! Which cases were played with which agent, and what came of them, for who asks.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::lab::hub::held;
use crate::lang::Lang;
use crate::limits;
use crate::model::Text;
use crate::model::grade::{Graded, Mended};

/// A client may ask what came of a case before we have seen it come for the case itself.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came of a case, in short.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    behaviour: &'static str,
    closing: &'static str,
    verdict: &'static str,
    why: Text,
    mended: Mended,
}

impl Outcome {
    /// In short.
    pub fn of(graded: &Graded) -> Self {
        Self {
            behaviour: graded.behaviour.name(),
            closing: graded.closing.name(),
            verdict: graded.verdict().name(),
            why: graded.why.clone(),
            mended: graded.mended(),
        }
    }

    /// As harnesses are told, and in full as our own page is.
    pub fn json(&self, all: Option<Lang>) -> Value {
        match all {
            None => json!({ "behavior": self.behaviour }),
            Some(lang) => json!({
                "behavior": self.behaviour,
                "behaviorClose": self.closing,
                "verdict": self.verdict,
                "why": lang.say(&self.why),
                // What the case says is known to who has its list.
                "mend": match self.mended {
                    Mended::Mistake(remedy) => Some(lang.words(remedy.mend)),
                    Mended::Rule(_) | Mended::Nothing => Some(""),
                    Mended::Case => None,
                },
            }),
        }
    }
}

/// What is known of a case with an agent.
#[derive(Debug, Default)]
struct Standing {
    /// So many play it now.
    playing: usize,
    /// What came of it last.
    last: Option<Outcome>,
}

/// All agents.
#[derive(Debug)]
pub struct Standings {
    agents: Mutex<HashMap<String, HashMap<usize, Standing>>>,
    changed: watch::Sender<()>,
    /// How long what came of a case is waited for that nobody plays.
    patience: Duration,
}

impl Standings {
    /// Nobody has come.
    pub fn new() -> Self {
        Self { agents: Mutex::default(), changed: watch::channel(()).0, patience: PATIENCE }
    }

    /// A case begins; `false` where there are too many agents.
    pub fn begin(&self, agent: &str, case: usize) -> bool {
        let mut agents = held(&self.agents);
        if agents.len() >= limits::GRADE_AGENTS && !agents.contains_key(agent) {
            return false;
        }
        agents.entry(agent.to_owned()).or_default().entry(case).or_default().playing += 1;
        true
    }

    /// It is over.
    pub fn end(&self, agent: &str, case: usize, outcome: Outcome) {
        let mut agents = held(&self.agents);
        if let Some(standing) = agents.get_mut(agent).and_then(|cases| cases.get_mut(&case)) {
            standing.playing = standing.playing.saturating_sub(1);
            standing.last = Some(outcome);
        }
        drop(agents);
        self.changed.send_replace(());
    }

    /// What came of a case, once it is over; `None` where nobody plays it.
    pub async fn outcome(&self, agent: &str, case: usize) -> Option<Outcome> {
        let mut changed = self.changed.subscribe();
        let deadline = Instant::now() + self.patience;
        loop {
            let is_playing = {
                let agents = held(&self.agents);
                let standing = agents.get(agent).and_then(|cases| cases.get(&case));
                match standing {
                    Some(Standing { playing: 0, last: Some(outcome) }) => return Some(outcome.clone()),
                    Some(standing) => standing.playing > 0,
                    None => false,
                }
            };
            if is_playing {
                // It ends by itself.
                changed.changed().await.ok()?;
            } else {
                timeout_at(deadline, changed.changed()).await.ok()?.ok()?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::runtime::Builder;

    use super::*;

    fn outcome(behaviour: &'static str) -> Outcome {
        Outcome {
            behaviour,
            closing: "OK",
            verdict: "pass",
            why: Text::with("a {}", 1),
            mended: Mended::Nothing,
        }
    }

    #[test]
    fn what_came_of_a_case_is_waited_for_until_it_is_over() {
        let all = Standings { patience: Duration::from_millis(20), ..Standings::new() };
        assert!(all.begin("a", 1) && all.begin("a", 1) && all.begin("b", 1));
        all.end("a", 1, outcome("FAILED"));
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let (told, ()) = tokio::join!(all.outcome("a", 1), async {
                tokio::time::sleep(all.patience * 3).await;
                all.end("a", 1, outcome("OK"));
            });
            assert_eq!(told, Some(outcome("OK")));
            assert_eq!(all.outcome("a", 2).await, None, "nobody plays it");
            assert_eq!(all.outcome("nobody", 1).await, None);
        });
        let agents = (0..10_000).take_while(|number| all.begin(&format!("agent {number}"), 1)).count();
        assert_eq!(agents, limits::GRADE_AGENTS - 2);
    }

    #[test]
    fn harnesses_are_told_what_they_know() {
        assert_eq!(outcome("NON-STRICT").json(None).to_string(), r#"{"behavior":"NON-STRICT"}"#);
        let told = outcome("OK").json(Some(Lang::En));
        assert_eq!((&told["why"], &told["mend"]), (&"a 1".into(), &"".into()));
        let told = Outcome { mended: Mended::Case, ..outcome("OK") }.json(Some(Lang::En));
        assert_eq!(told["mend"], Value::Null);
    }
}
