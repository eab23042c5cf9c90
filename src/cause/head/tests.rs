//! What makes findings one line of a head, and what is left out.

use super::*;
use crate::model::sample::connection;
use crate::model::{Case, Measure, Quantity};

/// A finding in a connection, told while it is open.
fn note(conn: u32, packet: u64, finding: Finding, head: &mut Head) {
    let findings = [finding];
    head.see(&Unit { packets: Some((packet, packet)), findings: &findings, ..Unit::of(conn, Body::Note) });
}

fn begin(conn: u32, target: &str, head: &mut Head) {
    let connection = Connection { target: Some(target.to_owned()), ..connection() };
    head.see(&Unit::of(conn, Body::Connection(&connection)));
}

fn case(what: &'static str) -> Finding {
    let finding = Finding::new(&ws::PONG_SLOW, Dir::Client, "a pong".into(), "none".into());
    finding.like(Case::new(what.into(), Vec::new()))
}

#[test]
fn a_connection_counts_once_however_findings_come() {
    let mut head = Head::default();
    (1..=3).for_each(|conn| begin(conn, "/chat", &mut head));
    for packet in (10..40).rev() {
        let gap = Finding::new(&net::TCP_GAP, None, "every byte".into(), "a hole".into());
        note(packet as u32 % 3 + 1, packet, gap, &mut head);
    }
    let groups = head.groups();
    assert_eq!((groups.len(), groups[0].connections, groups[0].times), (1, 3, 30));
    assert_eq!((groups[0].first.packet, groups[0].last.packet), (10, 39));
}

#[test]
fn many_paths_of_a_server_in_the_same_words_are_one_and_two_are_two() {
    let said = |paths: u32| {
        let mut head = Head::default();
        for conn in 1..=paths {
            begin(conn, &format!("/room/{conn}"), &mut head);
            note(conn, conn.into(), case("had a ping"), &mut head);
        }
        let groups = head.groups();
        groups.iter().map(|it| (it.target.clone(), it.paths, it.connections)).collect::<Vec<_>>()
    };
    assert_eq!(said(4), [(None, 4, 4)]);
    assert_eq!(said(2), [(Some("/room/1".into()), 1, 1), (Some("/room/2".into()), 1, 1)]);
}

#[test]
fn a_reset_at_another_time_is_not_the_servers_end() {
    let at = |seconds: u64, packet: u64, head: &mut Head, finding: Finding| {
        let (findings, time) = ([finding], Some(Time(seconds * 1_000_000_000)));
        let packets = Some((packet, packet));
        let conn = if findings[0].rule.id == "server-ended-all" { 0 } else { packet as u32 };
        head.see(&Unit { time, packets, findings: &findings, ..Unit::of(conn, Body::Note) });
    };
    let of = |id: &str| crate::cause::lists().into_iter().flat_map(|(_, rules)| rules).find(|it| it.id == id);
    let told = |seconds: u64| {
        let mut head = Head::default();
        begin(1, "/chat", &mut head);
        let finding = |id, what: &'static str, measures| {
            let finding = Finding::new(of(id).expect("a cause"), None, "".into(), "".into());
            finding.like(Case::new(what.into(), measures))
        };
        at(seconds, 1, &mut head, finding("connection-aborted", "was reset", Vec::new()));
        let measures = vec![Measure::count(Quantity::Connections, 3)];
        let mut all = finding("server-ended-all", "all ended", measures);
        all.case.as_mut().expect("a case").server = connection().server;
        at(60, 9, &mut head, all);
        head.groups().iter().map(|group| group.rule.id).collect::<Vec<_>>()
    };
    assert_eq!(told(60), ["server-ended-all"]);
    assert_eq!(told(20), ["server-ended-all", "connection-aborted"]);
}

#[test]
fn what_comes_when_others_are_over_knows_its_server() {
    let mut head = Head::default();
    (1..=3).for_each(|conn| begin(conn, "/socket.io/", &mut head));
    for conn in 1..=3 {
        head.over.push_back((conn, head.open.remove(conn).expect("it was open").site));
    }
    note(1, 9, case("never had an answer"), &mut head);
    assert_eq!(head.groups()[0].target.as_deref(), Some("/socket.io/"));
}
