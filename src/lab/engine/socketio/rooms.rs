//! Who is in which room.

use foldhash::{HashMap, HashSet};

use crate::limits;

/// Members by their id, and the rooms they have joined.
#[derive(Debug)]
pub struct Rooms<M> {
    members: HashMap<String, M>,
    /// The ids of those in it, by the room's name.
    inside: HashMap<String, HashSet<String>>,
    /// The rooms of each, by the member's id.
    joined: HashMap<String, HashSet<String>>,
}

impl<M> Default for Rooms<M> {
    fn default() -> Self {
        Self { members: HashMap::default(), inside: HashMap::default(), joined: HashMap::default() }
    }
}

impl<M: Clone> Rooms<M> {
    /// One more member.
    pub fn enter(&mut self, id: &str, member: M) {
        self.members.insert(id.to_owned(), member);
    }

    /// One less; it leaves its rooms.
    pub fn exit(&mut self, id: &str) {
        self.members.remove(id);
        for room in self.joined.remove(id).unwrap_or_default() {
            self.forget(&room, id);
        }
    }

    /// A member joins a room; whether it is in it then. Names are as long as clients' at most.
    pub fn join(&mut self, id: &str, room: &str) -> bool {
        if !self.members.contains_key(id) || room.len() > limits::LAB_NAME {
            return false;
        }
        let joined = self.joined.entry(id.to_owned()).or_default();
        if joined.len() >= limits::LAB_ROOMS && !joined.contains(room) {
            return false;
        }
        joined.insert(room.to_owned());
        self.inside.entry(room.to_owned()).or_default().insert(id.to_owned());
        true
    }

    /// A member leaves a room.
    pub fn leave(&mut self, id: &str, room: &str) {
        if let Some(joined) = self.joined.get_mut(id) {
            joined.remove(room);
            self.forget(room, id);
        }
    }

    fn forget(&mut self, room: &str, id: &str) {
        if let Some(members) = self.inside.get_mut(room) {
            members.remove(id);
            if members.is_empty() {
                self.inside.remove(room);
            }
        }
    }

    /// All members, or those of a room, but one.
    pub fn others(&self, room: Option<&str>, but: Option<&str>) -> Vec<M> {
        let but = but.unwrap_or_default();
        match room {
            None => {
                let others = self.members.iter().filter(|(id, _)| *id != but);
                others.map(|(_, member)| member.clone()).collect()
            }
            Some(room) => {
                let inside = self.inside.get(room).into_iter().flatten().filter(|id| *id != but);
                inside.filter_map(|id| self.members.get(id).cloned()).collect()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rooms_hold_their_members() {
        let mut rooms = Rooms::default();
        for id in ["a", "b", "c"] {
            rooms.enter(id, id);
        }
        assert!(rooms.join("a", "x") && rooms.join("b", "x") && !rooms.join("z", "x"));
        let inside = |rooms: &Rooms<&'static str>, room: Option<&str>, but: Option<&str>| {
            let mut inside = rooms.others(room, but);
            inside.sort_unstable();
            inside.join("")
        };
        assert_eq!(inside(&rooms, None, None), "abc");
        assert_eq!(inside(&rooms, None, Some("b")), "ac");
        assert_eq!(inside(&rooms, Some("x"), None), "ab");
        assert_eq!(inside(&rooms, Some("x"), Some("a")), "b");
        assert_eq!(inside(&rooms, Some("y"), None), "");
        rooms.leave("a", "x");
        assert_eq!(inside(&rooms, Some("x"), None), "b");
        rooms.exit("b");
        assert_eq!((inside(&rooms, Some("x"), None), rooms.inside.len()), (String::new(), 0));
        assert_eq!(inside(&rooms, None, None), "ac");
    }

    #[test]
    fn nobody_is_in_more_rooms_than_there_may_be() {
        let mut rooms = Rooms::default();
        rooms.enter("a", ());
        assert!((0..limits::LAB_ROOMS).all(|number| rooms.join("a", &number.to_string())));
        assert!(!rooms.join("a", "more") && rooms.join("a", "0"));
        rooms.leave("a", "0");
        assert!(rooms.join("a", "more") && !rooms.join("a", &"x".repeat(limits::LAB_NAME + 1)));
    }
}
