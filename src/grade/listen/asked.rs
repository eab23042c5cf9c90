//! What a client asks for, by the target of its request.

use std::borrow::Cow;

use crate::lang::Lang;
use crate::model::Text;

/// Bytes of an agent's name that are taken.
const NAME: usize = 200;

/// Who does not say its name.
const UNNAMED: &str = "unnamed";

/// What is asked for by a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// How many cases there are.
    Count,
    /// What a case is.
    Info(Which),
    /// A case is played with an agent.
    Run(Which, String),
    /// What came of it; and why, in a language, where so asked.
    Status(Which, String, Option<Lang>),
    /// An agent's report is written; and the server ends, where so asked.
    Report(String, bool),
    /// The server ends.
    Stop,
    /// Nothing that there is: who asks is told what there is.
    Nothing,
}

/// Which case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// By its place among those that are played, from 1.
    Number(usize),
    /// By its id, or by its number in the Autobahn testsuite.
    Named(String),
}

impl Asked {
    /// Reads a request's target; `product` is what the client calls itself in `User-Agent`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn of(target: &str, product: Option<&str>) -> Result<Self, Text> {
        let (path, query) = split(target);
        let one = |name: &'static str| -> Result<Option<Cow<'_, str>>, Text> {
            let mut found = form_urlencoded::parse(query.as_bytes()).filter(|(key, _)| key == name);
            match (found.next(), found.next()) {
                (Some((_, value)), None) => Ok(Some(value)),
                (None, _) => Ok(None),
                _ => Err(Text::with("{} is given more than once", name)),
            }
        };
        let agent = || {
            let named = one("agent")?.filter(|name| !name.trim().is_empty());
            let agent = named.as_deref().or(product).unwrap_or(UNNAMED).trim().to_owned();
            if agent.len() > NAME {
                return Err(Text::with("the agent's name is longer than {} bytes", NAME));
            }
            Ok(agent)
        };
        let which = || {
            if let Some(number) = one("case")? {
                let number = number.trim().parse();
                return number.map(Which::Number).map_err(|_| Text::from("case is no number: case=1"));
            }
            let named = one("casetuple")?.ok_or("which case? Say case=1, or casetuple=1.1.1")?;
            Ok(Which::Named(named.trim().to_owned()))
        };
        let is = |name| one(name).map(|value| value.is_some_and(|value| is_yes(&value)));
        Ok(match path {
            "/getCaseCount" => Self::Count,
            "/getCaseInfo" => Self::Info(which()?),
            "/runCase" => Self::Run(which()?, agent()?),
            "/getCaseStatus" => {
                Self::Status(which()?, agent()?, one("all")?.and_then(|lang| lang.parse().ok()))
            }
            "/updateReports" => Self::Report(agent()?, is("shutdownOnComplete")?),
            "/stopServer" => Self::Stop,
            _ => Self::Nothing,
        })
    }
}

/// Path and query of a target, whichever form it has (RFC 9112 §3.2).
pub(super) fn split(target: &str) -> (&str, &str) {
    let resource = match target.split_once("://") {
        Some((scheme, rest)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            rest.find(['/', '?']).map_or("/", |at| &rest[at..])
        }
        _ => target,
    };
    resource.split_once('?').unwrap_or((resource, ""))
}

fn is_yes(value: &str) -> bool {
    ["true", "yes"].iter().any(|yes| value.eq_ignore_ascii_case(yes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_urls_are_those_of_the_harnesses() {
        let named = |id: &str| Which::Named(id.to_owned());
        let ws = || "ws".to_owned();
        for (target, asked) in [
            ("/getCaseCount", Asked::Count),
            ("/getCaseCount?agent=ws", Asked::Count),
            ("ws://127.0.0.1:9001/getCaseCount", Asked::Count),
            ("/getCaseInfo?case=7", Asked::Info(Which::Number(7))),
            ("/runCase?case=1&agent=ws", Asked::Run(Which::Number(1), ws())),
            ("/runCase?agent=a+b%2Fc%C3%A9&case=12", Asked::Run(Which::Number(12), "a b/cé".to_owned())),
            ("/runCase?casetuple=%206.4.1&agent=ws", Asked::Run(named("6.4.1"), ws())),
            ("/runCase?case=3", Asked::Run(Which::Number(3), "node/24".to_owned())),
            ("/getCaseStatus?case=1&agent=ws", Asked::Status(Which::Number(1), ws(), None)),
            (
                "/getCaseStatus?casetuple=a.b&agent=ws&all=zh",
                Asked::Status(named("a.b"), ws(), Some(Lang::Zh)),
            ),
            ("/updateReports?agent=ws", Asked::Report(ws(), false)),
            ("/updateReports?agent=ws&shutdownOnComplete=True", Asked::Report(ws(), true)),
            ("/updateReports?agent=ws&shutdownOnComplete=0", Asked::Report(ws(), false)),
            ("/stopServer", Asked::Stop),
            ("/", Asked::Nothing),
            ("/echo", Asked::Nothing),
        ] {
            assert_eq!(Asked::of(target, Some("node/24")), Ok(asked), "{target}");
        }
        assert_eq!(
            Asked::of("/runCase?case=3", None),
            Ok(Asked::Run(Which::Number(3), "unnamed".to_owned()))
        );
    }

    #[test]
    fn what_is_wrong_with_them_is_said() {
        for (target, why) in [
            ("/runCase", "which case? Say case=1, or casetuple=1.1.1"),
            ("/runCase?case=one", "case is no number: case=1"),
            ("/runCase?case=1&case=2", "case is given more than once"),
            (
                &*format!("/runCase?case=1&agent={}", "x".repeat(201)),
                "the agent's name is longer than 200 bytes",
            ),
        ] {
            assert_eq!(Asked::of(target, None).map_err(|why| why.to_string()), Err(why.to_owned()));
        }
    }
}
