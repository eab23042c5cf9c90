//! Summaries with fields in them: `{user} joins {room}`.

/// A text with places for fields.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Template(Vec<Part>);

#[derive(Debug, PartialEq, Eq)]
enum Part {
    Words(String),
    Field(String),
}

impl Template {
    /// Reads a template; `{{` and `}}` stand for braces.
    ///
    /// # Errors
    /// The byte where it is none, and why.
    pub fn parse(text: &str) -> Result<Self, (usize, &'static str)> {
        let (mut parts, mut words) = (Vec::new(), String::new());
        let mut rest = text;
        while let Some(at) = rest.find(['{', '}']) {
            let here = text.len() - rest.len() + at;
            words.push_str(&rest[..at]);
            let tail = &rest[at..];
            if tail.starts_with("{{") || tail.starts_with("}}") {
                words.push_str(&tail[..1]);
                rest = &tail[2..];
                continue;
            }
            if tail.starts_with('}') {
                return Err((here, "a } without its {; a brace itself is }}"));
            }
            let Some(end) = tail.find('}') else {
                return Err((here, "a { without its }; a brace itself is {{"));
            };
            if !words.is_empty() {
                parts.push(Part::Words(std::mem::take(&mut words)));
            }
            parts.push(Part::Field(tail[1..end].trim().to_owned()));
            rest = &tail[end + 1..];
        }
        words.push_str(rest);
        if !words.is_empty() {
            parts.push(Part::Words(words));
        }
        Ok(Self(parts))
    }

    /// The fields in it.
    pub fn fields(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Field(name) => Some(name.as_str()),
            Part::Words(_) => None,
        })
    }

    /// The text, with what each field says; of one that is not there, its name in braces.
    pub fn fill(&self, field: impl Fn(&str) -> Option<String>) -> String {
        self.0.iter().fold(String::new(), |mut text, part| {
            match part {
                Part::Words(words) => text.push_str(words),
                Part::Field(name) => match field(name) {
                    Some(value) => text.push_str(&value),
                    None => text.push('–'),
                },
            }
            text
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_in_braces() {
        let template = Template::parse("{user} joins {{ { room } }}").unwrap();
        assert_eq!(template.fields().collect::<Vec<_>>(), ["user", "room"]);
        let value = |name: &str| (name == "user").then(|| "ann".to_owned());
        assert_eq!(template.fill(value), "ann joins { – }");
        assert_eq!(Template::parse("a {b").unwrap_err().0, 2);
        assert_eq!(Template::parse("a} b").unwrap_err().0, 1);
    }
}
