//! The list of a course's students, as teachers have it: CSV from a spreadsheet.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::Utf8Error;

use csv::{ReaderBuilder, StringRecord, Trim};
use sha1::{Digest, Sha1};

use crate::lang::Lang;
use crate::model::Text;

/// A student of the course.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Student {
    /// What the course knows the student by.
    pub id: String,
    /// As people write it; empty where the list has none.
    pub name: String,
    /// What the exercises come from instead of the id: for another try with other
    /// exercises, or for several who work on the same ones.
    pub instead: Option<String>,
    /// The id as it can stand in the name of a file, different for any two students.
    pub file: String,
}

impl Student {
    /// What the student's exercises come from: what a learner gives as `--student`.
    pub fn seed(&self) -> &str {
        self.instead.as_deref().unwrap_or(&self.id)
    }

    /// The name, or the id where there is none.
    pub fn called(&self) -> &str {
        if self.name.is_empty() { &self.id } else { &self.name }
    }
}

/// Why a list cannot be read, and where. Lines and columns count from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The line.
    pub line: u64,
    /// The column.
    pub column: u64,
    what: Text,
}

impl Fault {
    /// What is wrong, in one line.
    pub fn told(&self, lang: Lang) -> String {
        lang.say(&self.text()).into_owned()
    }

    /// The same, for any language.
    pub fn text(&self) -> Text {
        Text::with("{}:{}: {}", self.line).and(self.column).word(self.what.clone())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told(Lang::En))
    }
}

/// What the columns are called, in lower case, the likeliest first: in other programs'
/// lists `student` may be the name.
const ID: &[&str] = &[
    "id",
    "student",
    "student_id",
    "student id",
    "studentid",
    "id number",
    "sid",
    "user",
    "username",
    "login",
    "学号",
    "学生",
];
const NAME: &[&str] = &["name", "full name", "full_name", "student name", "姓名", "名字"];
const INSTEAD: &[&str] = &["override", "seed", "替换", "种子"];

/// Reads a list: the columns id, name and override, of which only the id is needed.
///
/// Without a header the first column is the id, the second the name, the third the
/// override. Commas, semicolons and tabs part columns.
///
/// # Errors
/// What is wrong with it, and where.
///
/// ```
/// use wstool::lesson::roster;
///
/// let students = roster::read("id,name\nanna,Anna Li\n张伟,张伟\n".as_bytes()).unwrap();
/// assert_eq!((students[0].called(), students[1].file.as_str()), ("Anna Li", "张伟"));
/// assert_eq!(roster::read(b"id\nx\nx\n").unwrap_err().to_string(), "3:1: `x` is there twice");
/// ```
pub fn read(bytes: &[u8]) -> Result<Vec<Student>, Fault> {
    let table = Table::read(bytes)?;
    let header = table.header(&[ID, NAME, INSTEAD]);
    let [id, name, instead] = header.unwrap_or([Some(0), Some(1), Some(2)]);
    let Some(id) = id else {
        return Err(table.fault(0, 0, "no column is called id"));
    };
    let mut students: Vec<Student> = Vec::new();
    let mut seen = BTreeSet::new();
    for row in usize::from(header.is_some())..table.rows.len() {
        let cell = |column: Option<usize>| column.map_or("", |column| table.cell(row, column));
        for column in [Some(id), name, instead].into_iter().flatten() {
            if table.cell(row, column).contains(char::is_control) {
                return Err(table.fault(row, column, "a line break or control character"));
            }
        }
        let own = cell(Some(id));
        if own.is_empty() {
            return Err(table.fault(row, id, "the id is missing"));
        }
        if !seen.insert(own.to_owned()) {
            return Err(table.fault(row, id, Text::with("`{}` is there twice", own)));
        }
        let instead = Some(cell(instead)).filter(|text| !text.is_empty()).map(str::to_owned);
        students.push(Student {
            id: own.to_owned(),
            name: cell(name).to_owned(),
            instead,
            file: String::new(),
        });
    }
    if students.is_empty() {
        return Err(table.fault(0, 0, "no student is listed"));
    }
    name_files(&mut students);
    Ok(students)
}

/// A text that some program has saved: UTF-8, or UTF-16 with a byte order mark, as a
/// redirection in Windows PowerShell and some spreadsheets write it.
///
/// # Errors
/// The part before the first byte that is none of it.
pub(super) fn text(bytes: &[u8]) -> Result<Cow<'_, str>, &str> {
    let wide = |unit: fn([u8; 2]) -> u16| {
        let units: Vec<_> = bytes[2..].chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
        String::from_utf16(&units).map(Cow::Owned).map_err(|_| "")
    };
    match bytes {
        [0xFF, 0xFE, ..] => wide(u16::from_le_bytes),
        [0xFE, 0xFF, ..] => wide(u16::from_be_bytes),
        _ => {
            let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
            let good = |e: Utf8Error| std::str::from_utf8(&bytes[..e.valid_up_to()]).unwrap_or_default();
            std::str::from_utf8(bytes).map(Cow::Borrowed).map_err(good)
        }
    }
}

/// A CSV file, its cells trimmed, and where they stand.
pub(super) struct Table<'b> {
    text: Cow<'b, str>,
    delimiter: char,
    pub(super) rows: Vec<StringRecord>,
}

impl<'b> Table<'b> {
    pub(super) fn read(bytes: &'b [u8]) -> Result<Self, Fault> {
        let text = text(bytes).map_err(|good| {
            let (line, column) = place(good, good.len());
            Fault { line, column, what: "this is not UTF-8; save it as CSV UTF-8".into() }
        })?;
        let first = text.lines().next().unwrap_or_default();
        let most = |c: &char| first.matches(*c).count();
        let delimiter = ['\t', ';', ','].into_iter().max_by_key(most).unwrap_or(',');
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(Trim::All)
            .delimiter(delimiter as u8)
            .from_reader(text.as_bytes());
        let rows: Result<Vec<_>, _> = reader.into_records().collect();
        let rows = rows.map_err(|e| {
            let line = e.position().map_or(1, csv::Position::line);
            Fault { line, column: 1, what: Text::with("{}", e) }
        })?;
        let filled = |row: &StringRecord| row.iter().any(|cell| !cell.is_empty());
        // `sep=;` in the first line tells a spreadsheet what parts columns.
        let is_hint =
            |row: &StringRecord| row.get(0) == Some("sep=") && row.iter().skip(1).all(str::is_empty);
        let hint = rows.first().is_some_and(is_hint);
        let rows = rows.into_iter().skip(usize::from(hint)).filter(filled).collect();
        Ok(Self { text, delimiter, rows })
    }

    /// Which columns the first row names, by what they may be called; `None` where the
    /// first row is no header.
    pub(super) fn header<const N: usize>(&self, names: &[&[&str]; N]) -> Option<[Option<usize>; N]> {
        let first = self.rows.first()?;
        let cells: Vec<_> = first.iter().map(str::to_lowercase).collect();
        let column = |name: &&str| cells.iter().position(|cell| cell == name);
        let columns = names.map(|names| names.iter().find_map(column));
        columns.iter().any(Option::is_some).then_some(columns)
    }

    /// A cell; empty where the row is shorter.
    pub(super) fn cell(&self, row: usize, column: usize) -> &str {
        self.rows.get(row).and_then(|row| row.get(column)).unwrap_or_default()
    }

    /// The line that a row begins on.
    pub(super) fn line(&self, row: usize) -> u64 {
        self.fault(row, 0, "").line
    }

    /// What is wrong with a cell.
    pub(super) fn fault(&self, row: usize, column: usize, what: impl Into<Text>) -> Fault {
        let start = self.rows.get(row).and_then(StringRecord::position).map_or(0, csv::Position::byte);
        // The reader's position may stand before line ends that it skips.
        let start = start as usize;
        let blank = |b: u8| matches!(b, b'\r' | b'\n');
        let skipped = self.text.bytes().skip(start).take_while(|b| blank(*b)).count();
        let (line, column) = place(&self.text, self.cell_at(start + skipped, column));
        Fault { line, column, what: what.into() }
    }

    /// Where a row's cell begins, in bytes.
    fn cell_at(&self, row: usize, column: usize) -> usize {
        let mut quoted = false;
        let mut at = row;
        let mut left = column;
        for (offset, c) in self.text.get(row..).unwrap_or_default().char_indices() {
            if left == 0 {
                break;
            }
            match c {
                '"' => quoted = !quoted,
                '\n' if !quoted => break,
                c if c == self.delimiter && !quoted => {
                    left -= 1;
                    at = row + offset + 1;
                }
                _ => {}
            }
        }
        at
    }
}

/// The line and column of an offset, in characters.
fn place(text: &str, offset: usize) -> (u64, u64) {
    let before = &text[..offset.min(text.len())];
    let line = before.matches('\n').count() as u64 + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u64 + 1;
    (line, column)
}

/// Bytes of a file's name that leave room for an extension everywhere.
const LONGEST: usize = 100;
/// Names that are no files on some systems, and those that a set of handouts uses.
const RESERVED: &[&str] =
    &["con", "prn", "aux", "nul", "com", "lpt", "index", "all", "key", "grades", "results"];

fn name_files(students: &mut [Student]) {
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    for student in students.iter() {
        *count.entry(student.id.to_lowercase()).or_default() += 1;
    }
    for student in students {
        // On many systems `Anna` and `anna` are one file.
        let alone = count.get(&student.id.to_lowercase()) == Some(&1);
        student.file = file_name(&student.id, alone);
    }
}

/// An id as it can stand in a file's name. Where it cannot stand as it is, part of
/// its hash keeps it apart from others.
fn file_name(id: &str, alone: bool) -> String {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '@' | '+');
    let mut name: String = id.chars().map(|c| if fits(c) { c } else { '-' }).collect();
    while name.len() > LONGEST {
        name.pop();
    }
    let name = name.trim_matches(['.', '-']).to_owned();
    let stem = name.split('.').next().unwrap_or_default().to_lowercase();
    let reserved = RESERVED.contains(&stem.trim_end_matches(|c: char| c.is_ascii_digit()));
    if alone && name == id && !reserved {
        return name;
    }
    let hash: [u8; 20] = Sha1::digest(id.as_bytes()).into();
    let hash = super::hex(&hash[..4]).replace(' ', "");
    if name.is_empty() { hash } else { format!("{name}-{hash}") }
}

/// A text of unknown origin as it can be printed: what a terminal might obey is written
/// as `\u{…}`.
pub fn plain(text: &str) -> String {
    let obeyed = |c: char| {
        c.is_control()
            || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}')
            || matches!(c, '\u{2066}'..='\u{2069}' | '\u{FEFF}')
    };
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if obeyed(c) {
            out.extend(c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(text: &str) -> Vec<String> {
        read(text.as_bytes()).unwrap_or_else(|e| panic!("{text:?}: {e}")).into_iter().map(|s| s.id).collect()
    }

    #[test]
    fn lists_as_people_have_them() {
        for text in [
            "id,name\nanna,Anna\nbob,Bob\n",
            "\u{FEFF}id,name\r\nanna,Anna\r\nbob,Bob\r\n",
            "anna\nbob",
            "anna,Anna\nbob,Bob",
            "Name;ID\nAnna;anna\n\"Bob; the builder\";bob\n\n",
            "学号\t姓名\nanna\t安娜\nbob\t鲍勃\n",
            "sep=;\r\nid;name\r\nanna;Anna\r\nbob;Bob\r\n",
            "First name,Last name,ID number,Email address\nAnna,Li,anna,a@x.example\n\
             Bob,Ba,bob,b@x.example\n",
            "Student,ID,Section\n\"Li, Anna\",anna,1\n\"Ba, Bob\",bob,1\n",
            " ID , Name , Override \n anna , \"Li, Anna\" , \n,,\n bob,,\n",
        ] {
            assert_eq!(ids(text), ["anna", "bob"], "{text:?}");
        }
        let students =
            read("id,name,override\nanna,\"Li \"\"A\"\" 娜\",second try\n".as_bytes()).expect("fine");
        assert_eq!((students[0].name.as_str(), students[0].seed()), ("Li \"A\" 娜", "second try"));
    }

    #[test]
    fn what_is_wrong_is_said_where() {
        let cases: [(&[u8], &str); 10] = [
            (b"", "1:1: no student is listed"),
            (b"id,name\n", "1:1: no student is listed"),
            (b"name,override\nAnna,x\n", "1:1: no column is called id"),
            (b"id,name\nanna,A\n,B\n", "3:1: the id is missing"),
            (b"name,id\n\"A, B\",a\n\nB,a\n", "4:3: `a` is there twice"),
            (b"id,notes\r\na,\"x,\r\n y\"\r\na,z\r\n", "4:1: `a` is there twice"),
            (b"name;id\r\n\"A; B, C\";a\r\n\"B; D, C\";a\r\n", "3:11: `a` is there twice"),
            (b"id\n\"a\nb\"\n", "2:1: a line break or control character"),
            (b"id\nanna\nb\xFFb\n", "3:2: this is not UTF-8; save it as CSV UTF-8"),
            (b"\xFF\xFE\0\xD8\0\0", "1:1: this is not UTF-8; save it as CSV UTF-8"),
        ];
        for (bytes, says) in cases {
            let error = read(bytes).expect_err(says);
            assert_eq!(error.to_string(), says, "{}", String::from_utf8_lossy(bytes));
        }
    }

    #[test]
    fn any_id_can_name_a_file() {
        let odd = [
            "../../etc/passwd",
            "a/b",
            "a\\b",
            "a b",
            "..",
            ".",
            "CON",
            "com1",
            "Anna",
            "anna",
            "张伟",
            "-x",
        ];
        let long = "x".repeat(300);
        let text = odd.iter().copied().chain([long.as_str()]).collect::<Vec<_>>().join("\n");
        let students = read(text.as_bytes()).expect("ids of any kind");
        let names: Vec<_> = students.iter().map(|s| s.file.clone()).collect();
        let folded: BTreeSet<_> = names.iter().map(|name| name.to_lowercase()).collect();
        assert_eq!(folded.len(), students.len(), "{names:?}");
        for name in &names {
            assert!(name.len() <= LONGEST + 9 && !name.starts_with(['.', '-']), "{name}");
            assert!(!name.contains(['/', '\\', ' ']) && !["CON", "com1"].contains(&name.as_str()), "{name}");
        }
        assert_eq!(names[10], "张伟");
        assert!(names[8].starts_with("Anna-") && names[9].starts_with("anna-"), "{names:?}");
    }

    #[test]
    fn terminals_are_not_spoken_to() {
        assert_eq!(plain("a\u{1b}[2J\u{202e}张"), "a\\u{1b}[2J\\u{202e}张");
    }
}
