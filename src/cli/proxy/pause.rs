//! `--pause`: what is to be done with each message, asked at a prompt.

use std::io;
use std::thread;

use rustyline::DefaultEditor;
use tokio::sync::{mpsc, oneshot};

use crate::cli::Look;
use crate::lab::fault;
use crate::lab::proxy::{Question, Then};
use crate::model::{Opcode, Text};

/// Bytes of a message that are shown.
const SHOWN: usize = 2000;

/// Answers questions on a thread of its own, as somebody types. What is given is over when that somebody
/// presses Ctrl-C, which the terminal gives to the prompt.
///
/// # Errors
/// When there is no terminal to ask at.
pub(super) fn answer(
    mut questions: mpsc::Receiver<Question>,
    look: Look,
) -> io::Result<oneshot::Receiver<()>> {
    let (pressed, over) = oneshot::channel();
    let mut editor = DefaultEditor::new().map_err(io::Error::other)?;
    thread::Builder::new().name("prompt".to_owned()).spawn(move || {
        while let Some(question) = questions.blocking_recv() {
            let Some(then) = ask(&mut editor, &question, look) else { break };
            // Its connection may be over by now.
            let _ = question.answer.send(then);
        }
        drop(pressed);
    })?;
    Ok(over)
}

/// Asks until the answer is one; `None` when nothing is to be asked any longer.
fn ask(editor: &mut DefaultEditor, question: &Question, look: Look) -> Option<Then> {
    let Question { client, from, kind, payload, .. } = question;
    let words = Text::with("{}: {} message of the {}, {} bytes:", client).and(kind.name()).and(from);
    look.tell("{}", &words.and(payload.len())).ok()?;
    let shown = &payload[..payload.len().min(SHOWN)];
    let shown = match kind {
        &Opcode::TEXT => String::from_utf8_lossy(shown).into_owned(),
        _ => shown.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" "),
    };
    look.tell("  {}", &Text::with("{}", shown)).ok()?;
    loop {
        match editor.readline("pass> ") {
            Ok(line) => match word(&line) {
                Ok(then) => return Some(then),
                Err(problem) => look.tell("error: {}", &problem).ok()?,
            },
            Err(_) => return None,
        }
    }
}

/// What a line asks for.
fn word(line: &str) -> Result<Then, Text> {
    let line = line.trim_end_matches(['\r', '\n']);
    match line.split_once(' ').unwrap_or((line, "")) {
        ("", "") => Ok(Then::Pass),
        ("/drop", "") => Ok(Then::Drop),
        ("/answer", answer) => Ok(Then::Answer(vec![answer.to_owned()])),
        ("/close", how) => {
            let how = if how.is_empty() { "1000" } else { how };
            fault::close(&how.replacen(' ', ":", 1)).map(|(code, reason)| Then::Close(code, reason))
        }
        (command, _) if command.starts_with('/') && !command.starts_with("//") => {
            let words = "`{}` is no command: Enter passes the message, a text replaces it, /drop, \
                         /answer TEXT, /close CODE REASON; a text that begins with / is written //";
            Err(Text::with(words, command))
        }
        _ => {
            Ok(Then::Replace(line.strip_prefix("//").map_or_else(|| line.to_owned(), |it| format!("/{it}"))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::CloseCode;

    #[test]
    fn lines_are_understood() {
        assert_eq!(word(""), Ok(Then::Pass));
        assert_eq!(word("/drop"), Ok(Then::Drop));
        assert_eq!(word("new text"), Ok(Then::Replace("new text".to_owned())));
        assert_eq!(word("//path"), Ok(Then::Replace("/path".to_owned())));
        assert_eq!(word("/answer it is me"), Ok(Then::Answer(vec!["it is me".to_owned()])));
        assert_eq!(word("/close"), Ok(Then::Close(CloseCode(1000), String::new())));
        assert_eq!(word("/close 1011 too bad"), Ok(Then::Close(CloseCode(1011), "too bad".to_owned())));
        assert!(word("/close x").is_err());
        assert!(word("/help").unwrap_err().to_string().contains("Enter passes"));
    }
}
