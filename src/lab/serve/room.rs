//! Who is in the chat and what was said: one source for every way into it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use tokio::sync::{mpsc, watch};

use crate::lab::hub::held;
use crate::limits;

/// Lines that wait for a member. Who takes them slower than they come is put out.
const WAITING: usize = 256;

/// Characters of a name.
const NAME: usize = 32;

/// A room.
pub struct Room {
    inner: Mutex<Inner>,
    /// The number of the last line.
    last: watch::Sender<u64>,
}

#[derive(Default)]
struct Inner {
    next: u64,
    members: BTreeMap<u64, Member>,
    /// The latest lines with their numbers, and how many bytes those are.
    lines: VecDeque<Said>,
    bytes: usize,
}

struct Member {
    name: String,
    /// `None` once it has not kept up.
    lines: Option<mpsc::Sender<Arc<str>>>,
}

/// A line, by its number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// From 1, each one more.
    pub number: u64,
    /// What everybody reads, such as `Ann: hello` or `Ann left`.
    pub line: Arc<str>,
}

impl Default for Room {
    fn default() -> Self {
        Self { inner: Mutex::default(), last: watch::Sender::new(0) }
    }
}

/// A member of the room, until this is dropped: then it has left.
pub struct Guest<'r> {
    room: &'r Room,
    id: u64,
    lines: mpsc::Receiver<Arc<str>>,
}

impl Room {
    /// Enters under a name, or one that is given; everybody else hears so.
    pub fn enter(&self, name: Option<&str>) -> Guest<'_> {
        let mut inner = held(&self.inner);
        inner.next += 1;
        let id = inner.next;
        let name = name.and_then(usable).unwrap_or_else(|| format!("guest{id}"));
        let name = inner.free(&name);
        let (sender, lines) = mpsc::channel(WAITING);
        let joined = format!("{name} joined");
        inner.members.insert(id, Member { name, lines: Some(sender) });
        self.tell(inner, Some(id), joined);
        Guest { room: self, id, lines }
    }

    /// Somebody who is not there says something, as pollers do.
    pub fn say(&self, name: &str, text: &str) {
        let name = usable(name).unwrap_or_else(|| "somebody".to_owned());
        self.tell(held(&self.inner), None, format!("{name}: {text}"));
    }

    /// The lines behind number `since` that are still known.
    pub fn since(&self, since: u64) -> Vec<Said> {
        held(&self.inner).lines.iter().filter(|said| said.number > since).cloned().collect()
    }

    /// The number of the last line.
    pub fn last(&self) -> u64 {
        *self.last.borrow()
    }

    /// Waits for a line behind number `since`.
    pub async fn news(&self, since: u64) {
        // It lives as long as the room does.
        let _ = self.last.subscribe().wait_for(|last| *last > since).await;
    }

    /// Tells everybody but `from`, and remembers it.
    fn tell(&self, mut inner: std::sync::MutexGuard<'_, Inner>, from: Option<u64>, line: String) {
        let line: Arc<str> = line.into();
        // Who does not keep up finds its channel closed.
        for member in inner.members.iter_mut().filter(|(id, _)| Some(**id) != from).map(|(_, member)| member)
        {
            let takes = |lines: &mut mpsc::Sender<_>| lines.try_send(Arc::clone(&line)).is_err();
            member.lines.take_if(takes);
        }
        let number = *self.last.borrow() + 1;
        inner.bytes += line.len();
        inner.lines.push_back(Said { number, line });
        while inner.bytes > limits::LAB_HISTORY || inner.lines.len() > limits::LAB_HISTORY_LINES {
            let Some(oldest) = inner.lines.pop_front() else { break };
            inner.bytes -= oldest.line.len();
        }
        drop(inner);
        self.last.send_replace(number);
    }
}

impl Inner {
    /// A name that nobody has yet.
    fn free(&self, wished: &str) -> String {
        let is_taken = |name: &str| self.members.values().any(|member| member.name == name);
        let others = (2..).map(|n: u32| format!("{wished}{n}"));
        std::iter::once(wished.to_owned()).chain(others).find(|name| !is_taken(name)).unwrap_or_default()
    }
}

impl Guest<'_> {
    /// The name it goes by.
    pub fn name(&self) -> String {
        held(&self.room.inner).members.get(&self.id).map_or_else(String::new, |me| me.name.clone())
    }

    /// Goes by another name from now on; everybody hears so. `None` when that is no name.
    pub fn rename(&self, name: &str) -> Option<String> {
        let name = usable(name)?;
        let mut inner = held(&self.room.inner);
        let name = inner.free(&name);
        let me = inner.members.get_mut(&self.id)?;
        let before = std::mem::replace(&mut me.name, name.clone());
        self.room.tell(inner, Some(self.id), format!("{before} is now {name}"));
        Some(name)
    }

    /// Says something to everybody else.
    pub fn say(&self, text: &str) {
        let line = format!("{}: {text}", self.name());
        self.room.tell(held(&self.room.inner), Some(self.id), line);
    }

    /// Who is online, as a line.
    pub fn online(&self) -> String {
        let inner = held(&self.room.inner);
        let names: Vec<&str> = inner.members.values().map(|member| member.name.as_str()).collect();
        format!("online: {}", names.join(", "))
    }

    /// The next line for this member; `None` when it was put out because it takes them too slowly. Nothing is
    /// lost when the waiting is given up.
    pub async fn next(&mut self) -> Option<Arc<str>> {
        self.lines.recv().await
    }
}

impl Drop for Guest<'_> {
    fn drop(&mut self) {
        let mut inner = held(&self.room.inner);
        if let Some(me) = inner.members.remove(&self.id) {
            self.room.tell(inner, None, format!("{} left", me.name));
        }
    }
}

/// A name without what would confuse others; `None` when nothing is left.
fn usable(name: &str) -> Option<String> {
    let clean: String =
        name.trim().chars().filter(|c| !c.is_control() && !matches!(c, ':' | ',')).take(NAME).collect();
    let clean = clean.trim().to_owned();
    (!clean.is_empty()).then_some(clean)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(guest: &mut Guest<'_>) -> Vec<String> {
        std::iter::from_fn(|| guest.lines.try_recv().ok()).map(|line| line.to_string()).collect()
    }

    #[test]
    fn everybody_else_hears_what_is_said() {
        let room = Room::default();
        let mut ann = room.enter(Some("Ann"));
        let mut bob = room.enter(Some("Bob\u{1b}[31m"));
        assert_eq!(bob.name(), "Bob[31m", "no terminal is painted");
        let other = room.enter(Some("Ann"));
        assert_eq!((other.name().as_str(), room.enter(None).name().as_str()), ("Ann2", "guest4"));
        ann.say("hello");
        assert_eq!(bob.rename("Bob").as_deref(), Some("Bob"));
        assert_eq!(ann.rename(" : "), None);
        drop(other);
        assert_eq!(ann.online(), "online: Ann, Bob");
        let bobs = ["Ann2 joined", "guest4 joined", "guest4 left", "Ann: hello", "Ann2 left"];
        assert_eq!(now(&mut bob), bobs);
        assert_eq!(now(&mut ann)[4..], ["Bob[31m is now Bob", "Ann2 left"]);
        let since: Vec<_> = room.since(6).iter().map(|said| said.line.to_string()).collect();
        assert_eq!((since, room.last()), (vec!["Bob[31m is now Bob".to_owned(), "Ann2 left".to_owned()], 8));
    }

    #[test]
    fn who_takes_nothing_is_put_out_and_others_are_not() {
        let room = Room::default();
        let ann = room.enter(Some("Ann"));
        let mut slow = room.enter(Some("Slow"));
        for _ in 0..=WAITING {
            ann.say("x");
        }
        assert_eq!(now(&mut slow).len(), WAITING);
        assert_eq!(slow.lines.try_recv(), Err(mpsc::error::TryRecvError::Disconnected));
        drop(slow);
        assert_eq!(ann.online(), "online: Ann");
        let line = "y".repeat(limits::LAB_HISTORY / 2);
        for _ in 0..5 {
            ann.say(&line);
        }
        assert!(room.since(0).len() <= 2, "the history is bounded");
    }
}
