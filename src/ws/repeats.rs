//! What was found so often that it is only counted.
//!
//! Two bytes of input may break several rules, and a finding costs a hundred times as much as they do. So of
//! each rule and endpoint of a connection the first [`FINDINGS_BUILT`](limits::FINDINGS_BUILT) are built; of
//! the others only the rule is noted, and how many there were is told with the connection's end.

use crate::limits;
use crate::model::{Dir, Finding, More, Rule, Span, Text};

/// How often each rule was broken in a connection.
#[derive(Debug, Default)]
pub struct Repeats {
    /// Nothing in most connections.
    seen: Option<Box<Seen>>,
}

/// Rules that were broken: by the client, by the server, and by nobody.
#[derive(Debug, Default)]
struct Seen(Vec<(&'static Rule, [u64; 3])>);

impl Repeats {
    /// Whether findings of this rule are only counted by now.
    pub fn is_full(&self, rule: &'static Rule, blame: Option<Dir>) -> bool {
        let seen = self.seen().find(|(known, _)| *known == rule);
        seen.is_some_and(|(_, times)| times[place(blame)] >= limits::FINDINGS_BUILT)
    }

    /// Counts `findings`, and the rules in `counted` that `dir` broke; moves what is beyond the limit from
    /// the first to the second.
    #[cold]
    pub fn sieve(&mut self, dir: Dir, findings: &mut Vec<Finding>, counted: &mut Vec<&'static Rule>) {
        for rule in counted.iter() {
            *self.times(rule, Some(dir)) += 1;
        }
        findings.retain(|finding| {
            let times = self.times(finding.rule, finding.blame);
            *times += 1;
            let is_kept = *times <= limits::FINDINGS_BUILT;
            if !is_kept {
                counted.push(finding.rule);
            }
            is_kept
        });
    }

    /// What was counted and not built.
    pub fn more(&self) -> Vec<More> {
        let blamed = |at: usize| [Some(Dir::Client), Some(Dir::Server), None][at];
        let each = self.seen().flat_map(|(rule, times)| {
            times.iter().enumerate().map(|(at, times)| More {
                rule,
                blame: blamed(at),
                count: times.saturating_sub(limits::FINDINGS_BUILT),
            })
        });
        each.filter(|more| more.count > 0).collect()
    }

    fn seen(&self) -> impl Iterator<Item = &(&'static Rule, [u64; 3])> {
        self.seen.iter().flat_map(|seen| &seen.0)
    }

    fn times(&mut self, rule: &'static Rule, blame: Option<Dir>) -> &mut u64 {
        let Seen(seen) = &mut **self.seen.get_or_insert_default();
        let at = seen.iter().position(|(known, _)| *known == rule).unwrap_or_else(|| {
            seen.push((rule, [0; 3]));
            seen.len() - 1
        });
        &mut seen[at].1[place(blame)]
    }
}

fn place(blame: Option<Dir>) -> usize {
    blame.map_or(2, Dir::index)
}

/// Takes what is found in one unit, and builds it unless it is only to be counted.
pub struct Found<'a> {
    dir: Dir,
    repeats: &'a Repeats,
    findings: &'a mut Vec<Finding>,
    counted: &'a mut Vec<&'static Rule>,
}

impl<'a> Found<'a> {
    /// What `dir` does, of which `repeats` tells what it has done before.
    pub fn new(
        dir: Dir,
        repeats: &'a Repeats,
        findings: &'a mut Vec<Finding>,
        counted: &'a mut Vec<&'static Rule>,
    ) -> Self {
        Self { dir, repeats, findings, counted }
    }

    /// `rule` is broken by the bits `at`; `say` gives what was expected and what was found.
    pub fn add(&mut self, rule: &'static Rule, at: Span, say: impl FnOnce() -> (Text, Text)) {
        if self.repeats.is_full(rule, Some(self.dir)) {
            self.counted.push(rule);
        } else {
            let (expected, got) = say();
            self.findings.push(Finding::new(rule, self.dir, expected, got).at(at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::SourceId;
    use crate::ws::{RESERVED_OPCODE, UNMASKED_CLIENT_FRAME};

    #[test]
    fn a_thousand_are_built_of_each_rule_and_endpoint_and_all_are_counted() {
        let mut repeats = Repeats::default();
        let mut built = [0, 0, 0];
        for _ in 0..limits::FINDINGS_BUILT + 5 {
            let (mut findings, mut counted) = (Vec::new(), Vec::new());
            for dir in [Dir::Client, Dir::Server] {
                let before = findings.len() + counted.len();
                let mut found = Found::new(dir, &repeats, &mut findings, &mut counted);
                let text = || ("this".into(), "that".into());
                found.add(&UNMASKED_CLIENT_FRAME, Span::bits(SourceId::Input, 8, 9), text);
                // Three in one frame.
                if dir == Dir::Client {
                    for _ in 0..3 {
                        found.add(&RESERVED_OPCODE, Span::bits(SourceId::Input, 4, 8), text);
                    }
                }
                assert!(findings.len() + counted.len() > before);
                repeats.sieve(dir, &mut findings, &mut counted);
                built[0] += findings.iter().filter(|f| f.rule == &UNMASKED_CLIENT_FRAME).count();
                built[1] += findings.iter().filter(|f| f.rule == &RESERVED_OPCODE).count();
                built[2] += findings.len() + counted.len();
                findings.clear();
                counted.clear();
            }
        }
        let limit = limits::FINDINGS_BUILT;
        assert_eq!(built, [2 * limit as usize, limit as usize, 5 * (limit as usize + 5)]);
        let more: Vec<_> = repeats.more().iter().map(|m| (m.rule.id, m.blame, m.count)).collect();
        assert_eq!(
            more,
            [
                ("unmasked-client-frame", Some(Dir::Client), 5),
                ("unmasked-client-frame", Some(Dir::Server), 5),
                ("reserved-opcode", Some(Dir::Client), 2 * limit + 15),
            ]
        );
    }
}
