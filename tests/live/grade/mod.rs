//! What the conformance suite finds: endpoints with one planted bug each, and that right ones pass.
//!
//! - `endpoint`, `opening`, `text`: an echo server and an echo client, right unless a bug is planted
//! - `bugs`: the bugs, which case is meant to find each, and what it has to say
//! - `hostile`: peers that hurt who grades them
#![allow(
    clippy::format_collect,
    clippy::format_push_string,
    clippy::option_option,
    clippy::decimal_bitwise_operands,
    clippy::nonminimal_bool,
    reason = "as a learner would write it"
)]

mod bugs;
mod endpoint;
mod hostile;
mod opening;
mod text;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, LazyLock};

use tokio::io::{AsyncReadExt as _, duplex};
use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, LocalSet};
use wstool::grade::load::read;
use wstool::grade::play::{self, Arrived, Connect, Connected, Greets, KeysSeen, Target};
use wstool::grade::{Case, Choice, Endpoint};
use wstool::lab::abort::Abort;
use wstool::lang::Lang;
use wstool::model::grade::{Chapter, Graded, Level, Mended, Verdict};
use wstool::model::{Dir, Text};

use self::bugs::{Bug, planted};

/// The cases of the suite, as their files are now.
static SUITE: LazyLock<Vec<Case>> = LazyLock::new(|| {
    let files = std::fs::read_dir("src/grade/cases").expect("the cases");
    let cases = files.map(|file| file.expect("a file").path()).flat_map(|path| {
        let text = std::fs::read_to_string(&path).expect("text");
        read(&text).unwrap_or_else(|problem| panic!("{}: {problem}", path.display()))
    });
    cases.collect()
});

/// Bytes that a connection holds on its way.
const PIPE: usize = 64 * 1024;

/// Cases that are played at a time by a thread.
const AT_A_TIME: usize = 48;

/// The way to a server with a bug, which begins with the connection.
struct Way(Bug);

impl Connect for Way {
    fn connect(&self) -> Pin<Box<dyn Future<Output = Result<Connected, Text>> + Send + '_>> {
        Box::pin(async {
            let (ours, theirs) = duplex(PIPE);
            tokio::spawn(opening::serve(self.0, theirs));
            Ok(Connected { stream: Box::new(ours), abort: Abort::default() })
        })
    }
}

/// Plays a case with an endpoint that has a bug.
async fn played(case: &Case, peer: Dir, bug: Bug) -> Graded {
    if peer == Dir::Server {
        let target = Target {
            host: "fixture.example".into(),
            resource: "/echo".into(),
            secure: false,
            http2: false,
            fields: Vec::new(),
            endpoint: Endpoint::Echo,
            greeting: 0,
            first: false,
        };
        return play::server(case, &target, &Way(bug)).await;
    }
    let (mut stream, theirs) = duplex(PIPE);
    tokio::spawn(opening::visit(bug, theirs));
    let mut request = Vec::new();
    let mut room = [0; 4096];
    let early = loop {
        let count = stream.read(&mut room).await.expect("a request");
        assert!(count > 0, "{bug:?}: no request");
        request.extend_from_slice(&room[..count]);
        if let Some(end) = request.windows(4).position(|it| it == b"\r\n\r\n") {
            break request.split_off(end + 4);
        }
    };
    let (abort, keys) = (Abort::default(), KeysSeen::default());
    let (stream, greets) = (Box::new(stream), Greets::default());
    play::client(case, Arrived { request, early, stream, abort, keys, greets, http2: None }).await
}

/// Plays all of these, several at a time, on as many threads as there are processors.
fn all(jobs: Vec<(usize, &'static Case, Dir, Bug)>) -> Vec<(usize, Graded)> {
    let threads = std::thread::available_parallelism().map_or(2, |count| count.get().min(8));
    let share = jobs.len().div_ceil(threads).max(1);
    std::thread::scope(|scope| {
        let threads: Vec<_> = jobs.chunks(share).map(|jobs| scope.spawn(|| some(jobs))).collect();
        threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect()
    })
}

fn some(jobs: &[(usize, &'static Case, Dir, Bug)]) -> Vec<(usize, Graded)> {
    let runtime = Builder::new_current_thread().enable_all().build().expect("an event loop");
    let turns = Arc::new(Semaphore::new(AT_A_TIME));
    let playing = async {
        let mut playing = JoinSet::new();
        for (number, case, peer, bug) in jobs.iter().copied() {
            let turns = Arc::clone(&turns);
            playing.spawn_local(async move {
                let _turn = turns.acquire().await.expect("turns");
                (number, played(case, peer, bug).await)
            });
        }
        playing.join_all().await
    };
    LocalSet::new().block_on(&runtime, playing)
}

/// Cases that a test may play: those over HTTP/1.1, and none that only takes long.
fn quick(case: &Case) -> bool {
    let facts = &case.facts;
    let long = ["9.", "12.", "13."];
    let is_long = facts.autobahn.as_ref().is_some_and(|number| long.iter().any(|it| number.starts_with(it)));
    let is_much = facts.chapter == Chapter::Limits && facts.level != Level::Must;
    !is_long && !is_much && !matches!(facts.chapter, Chapter::Http2 | Chapter::Performance)
}

/// All that is said of what went wrong.
fn shown(graded: &Graded) -> String {
    let rule = graded.broken.map_or("", |rule| rule.title);
    let say = |text| Lang::En.say(text);
    // What is usually behind it is told where nothing better is known.
    let is_known = !graded.likely.is_empty() || !graded.looks_like.is_empty();
    let usually = if is_known { "" } else { &graded.case.usually.en };
    let likely = [&graded.likely.en, &*say(&graded.looks_like), usually].concat();
    format!("{} | {rule} | {likely}", say(&graded.why))
}

#[test]
fn endpoints_without_a_bug_pass_whatever_must_be() {
    let mut jobs = Vec::new();
    for peer in [Dir::Server, Dir::Client] {
        for case in SUITE.iter().filter(|case| quick(case) && Choice::default().takes(case, peer)) {
            jobs.push((peer.index(), case, peer, Bug::None));
        }
    }
    let graded = all(jobs);
    let wrong: Vec<String> = graded
        .iter()
        .filter(|(_, one)| one.verdict() == Verdict::Fail)
        .map(|(peer, one)| format!("{} {}: {} {:?}", peer, one.case.id, shown(one), one.got))
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), graded.len(), wrong.join("\n"));
}

#[test]
fn each_planted_bug_is_caught_by_the_case_meant_for_it_and_named() {
    let planted = planted();
    let mut jobs = Vec::new();
    let mut right = BTreeMap::new();
    for (number, one) in planted.iter().enumerate() {
        let choice = Choice { cases: one.played(), ..Choice::default() };
        let peer = one.peer();
        for case in SUITE.iter().filter(|case| quick(case) && choice.takes(case, peer)) {
            jobs.push((number, case, peer, one.bug()));
            let sound = (planted.len() + peer.index(), case, peer, Bug::None);
            right.insert((&*case.facts.id, peer.index()), sound);
        }
    }
    jobs.extend(right.into_values());
    let mut graded: Vec<Vec<Graded>> = (0..planted.len() + 2).map(|_| Vec::new()).collect();
    for (number, one) in all(jobs) {
        graded[number].push(one);
    }
    // What is found of a right one, too, is not the bug's doing.
    let usual: BTreeMap<(&str, usize), Verdict> = (0..2)
        .flat_map(|peer| graded[planted.len() + peer].iter().map(move |one| (peer, one)))
        .map(|(peer, one)| ((&*one.case.id, peer), one.verdict()))
        .collect();
    let mut wrong = Vec::new();
    let table = std::env::var_os("PLANTED").is_some();
    for (one, all) in planted.iter().zip(&graded) {
        let name = format!("{:?} of a {}", one.bug(), one.peer());
        let is_worse = |it: &&Graded| it.verdict() < usual[&(&*it.case.id, one.peer().index())];
        let fails: Vec<&str> = all.iter().filter(is_worse).map(|it| &*it.case.id).collect();
        let meant = all.iter().find(|it| it.case.id == one.caught);
        let words = meant.map(shown).unwrap_or_default();
        let is_caught = fails.contains(&&*one.caught);
        if table {
            println!("{name} | {} | {is_caught} | {} of {} | {words}", one.caught, fails.len(), all.len());
            if !is_caught || !words.contains(&one.says) {
                println!("{:?}", meant.map(|it| (&it.got, &it.ended, it.code)));
            }
        }
        if !is_caught {
            wrong.push(format!("{name}: {} does not catch it ({words}); {fails:?} do", one.caught));
        } else if !words.contains(&one.says) {
            wrong.push(format!("{name}: {} does not say {:?}: {words}", one.caught, one.says));
        }
        if fails.len() > one.most {
            wrong.push(format!("{name}: {} cases fail, not {}: {fails:?}", fails.len(), one.most));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whatever case it is that shows a mistake: it is named, and mended, in the same way in all that fail.
#[test]
fn a_mistake_is_mended_alike_in_whatever_case_shows_it() {
    let rows: [(Bug, &[&str], &str); 6] = [
        (
            Bug::RawEchoed,
            &["framing.text-*", "framing.binary-*", "masking.key-*", "control.ping-*", "closing.close-c*"],
            "XOR byte i",
        ),
        (Bug::PongEmpty, &["control.ping-*", "control.pong-*"], "payload back in the pong"),
        (Bug::PingIgnored, &["control.ping-*", "control.pong-*"], "answer each ping"),
        (Bug::CloseIgnored, &["framing.text-*", "control.ping-text"], "answer a Close frame with"),
        (Bug::Answers200, &["handshake.opens", "handshake.key-*"], "HTTP/1.1 101"),
        (Bug::HeadNotEnded, &["handshake.opens"], "CR LF"),
    ];
    let mut jobs = Vec::new();
    for (number, (bug, patterns, _)) in rows.iter().enumerate() {
        let cases = patterns.iter().map(|it| (*it).to_owned()).collect();
        let choice = Choice { cases, ..Choice::default() };
        for case in SUITE.iter().filter(|case| quick(case) && choice.takes(case, Dir::Server)) {
            jobs.push((number, case, Dir::Server, *bug));
        }
    }
    let mut failed = [0; 6];
    let mut wrong = Vec::new();
    for (number, one) in all(jobs) {
        let (bug, _, words) = rows[number];
        if one.verdict() != Verdict::Fail {
            continue;
        }
        failed[number] += 1;
        match one.mended() {
            Mended::Mistake(remedy) if remedy.mend.contains(words) => {}
            other => wrong.push(format!("{bug:?}: {}: {other:?}: {}", one.case.id, shown(&one))),
        }
    }
    assert!(wrong.is_empty(), "{}\n{failed:?}", wrong.join("\n"));
    assert!(failed.iter().zip([55, 8, 8, 4, 5, 1]).all(|(count, least)| *count >= least), "{failed:?}");
}

#[test]
fn every_bug_is_meant_to_be_found_by_some_case() {
    let planted = planted();
    let has_row = |bug: &&Bug| planted.iter().any(|one| one.bug() == **bug);
    let without: Vec<&Bug> = Bug::ALL.iter().filter(|bug| !has_row(bug)).collect();
    assert!(without.is_empty(), "planted.toml has no row for {without:?}");
}

/// Cases for what others had: a peer that is right passes them, and not only because nothing fails there.
#[test]
fn right_endpoints_pass_what_stands_for_known_bugs() {
    let mut jobs = Vec::new();
    for peer in [Dir::Server, Dir::Client] {
        let of_bugs = SUITE.iter().filter(|case| !case.facts.bugs.is_empty() && quick(case));
        for case in of_bugs.filter(|case| Choice::default().takes(case, peer)) {
            jobs.push((peer.index(), case, peer, Bug::None));
        }
    }
    let graded = all(jobs);
    assert!(graded.len() > 60, "{}", graded.len());
    for (peer, one) in &graded {
        assert_eq!(one.verdict(), Verdict::Pass, "{peer} {}: {} {:?}", one.case.id, shown(one), one.got);
    }
}

/// Autobahn's 7.1.3: that a ping is answered behind Close breaks nothing (RFC 6455 §5.5.2).
#[test]
fn a_pong_behind_a_close_frame_is_no_failure() {
    let case =
        SUITE.iter().find(|case| case.facts.autobahn.as_deref() == Some("7.1.3")).expect("it is there");
    let jobs = [Dir::Server, Dir::Client].map(|peer| (peer.index(), case, peer, Bug::PongsAfterClose));
    for (_, one) in all(jobs.to_vec()) {
        assert_eq!(one.verdict(), Verdict::Pass, "{}", shown(&one));
        let pong = one.sent_by(one.ended.expect("it was open").peer);
        assert!(pong.windows(2).any(|it| it == [0x8A, 0] || it == [0x8A, 0x80]), "{pong:02x?}");
    }
}

#[test]
fn there_are_bugs_enough_of_servers_and_of_clients() {
    let planted = planted();
    let servers = planted.iter().filter(|planted| planted.peer() == Dir::Server).count();
    assert!(servers >= 40 && planted.len() - servers >= 20, "{servers} of {}", planted.len());
}
