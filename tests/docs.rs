//! What the documents promise that a program can check: they print files as they are, their links lead somewhere, and
//! every one of them is reached from README.md.
//!
//! A document prints a file by a comment and, right behind it, a fenced block with the whole text of the file:
//!
//! ````text
//! <!-- file: client_example/publishers/publish.py -->
//! ```python
//! ...
//! ```
//! ````
//!
//! The path starts at the top of the repository. The block may stand in a list. A file that itself holds three
//! backticks stands between four.

#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used, reason = "a test may end itself")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Component, Path, PathBuf};

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag, TagEnd};

/// Documents beside those of `docs`.
const DOCUMENTS: [&str; 4] = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md", "client_example/README.md"];
/// The languages of the publishers that a reader copies, by the ending of their files.
const LANGUAGES: [&str; 6] = ["sh", "mjs", "py", "php", "go", "rs"];

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    fs::read_to_string(repository().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The files below a folder that there may not be, by their paths from the top; what is built is left out.
fn files_below(folder: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![repository().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.unwrap().path();
            if !path.is_dir() {
                found.insert(path.strip_prefix(repository()).unwrap().to_str().unwrap().to_owned());
            } else if !path.ends_with("target") && !path.ends_with("node_modules") {
                folders.push(path);
            }
        }
    }
    found
}

/// A document, as far as it is checked.
#[derive(Debug, Default, PartialEq, Eq)]
struct Document {
    /// Where its links lead, as written.
    links: Vec<String>,
    /// What a link may name behind `#`.
    anchors: BTreeSet<String>,
    /// Each file that it prints, and the text that it prints for it; none where no fenced block follows.
    printed: Vec<(String, Option<String>)>,
}

impl Document {
    fn parse(text: &str) -> Self {
        let mut document = Self::default();
        let mut anchor_counts: BTreeMap<String, usize> = BTreeMap::new();
        let mut heading: Option<String> = None;
        let mut block: Option<String> = None; // what a fenced block holds, while its marker waits for it
        let mut awaits_block = false;
        for event in Parser::new(text) {
            match event {
                Event::Html(html) => {
                    if let Some(path) = marker(&html) {
                        document.printed.push((path.to_owned(), None));
                        awaits_block = true;
                    }
                    continue;
                }
                Event::Start(Tag::HtmlBlock) | Event::End(TagEnd::HtmlBlock) => continue,
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(_))) if awaits_block => block = Some(String::new()),
                Event::End(TagEnd::CodeBlock) => {
                    if let (Some(text), Some((_, printed))) = (block.take(), document.printed.last_mut()) {
                        *printed = Some(text);
                    }
                }
                Event::Start(Tag::Heading { .. }) => heading = Some(String::new()),
                Event::End(TagEnd::Heading(_)) => {
                    let name = slug(&heading.take().unwrap_or_default());
                    let count = anchor_counts.entry(name.clone()).or_default();
                    document.anchors.insert(if *count == 0 { name } else { format!("{name}-{count}") });
                    *count += 1;
                }
                Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                    document.links.push(dest_url.into_string());
                }
                Event::Text(text) | Event::Code(text) => {
                    for place in [&mut heading, &mut block].into_iter().flatten() {
                        place.push_str(&text);
                    }
                }
                _ => {}
            }
            awaits_block = false;
        }
        document
    }
}

/// The path in `<!-- file: path -->`.
fn marker(html: &str) -> Option<&str> {
    html.trim().strip_prefix("<!-- file: ")?.strip_suffix(" -->")
}

/// The anchor of a heading, as code hosts make it: lower case, blanks as dashes, without signs.
fn slug(heading: &str) -> String {
    let kept = heading.trim().to_lowercase();
    let kept = kept.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

/// All documents by their paths.
fn documents() -> BTreeMap<String, Document> {
    let docs = files_below("docs").into_iter().filter(|path| path.ends_with(".md"));
    docs.chain(DOCUMENTS.map(str::to_owned)).map(|path| (path.clone(), Document::parse(&read(&path)))).collect()
}

/// The file that a link of `document` names, from the top, and its anchor; none when it leads out of the repository.
fn destination(document: &str, link: &str) -> Option<(String, Option<String>)> {
    if link.contains("://") || link.starts_with("mailto:") {
        return None;
    }
    let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor.to_owned())));
    if file.is_empty() {
        return Some((document.to_owned(), anchor));
    }
    let mut path = PathBuf::new();
    for part in Path::new(document).parent().unwrap().join(file).components() {
        match part {
            Component::ParentDir => _ = path.pop(),
            Component::Normal(name) => path.push(name),
            _ => {}
        }
    }
    Some((path.to_str().unwrap().to_owned(), anchor))
}

/// What is wrong with the links of a document.
fn dead_links(name: &str, document: &Document, all: &BTreeMap<String, Document>) -> Vec<String> {
    let mut dead = Vec::new();
    for link in &document.links {
        let Some((file, anchor)) = destination(name, link) else { continue };
        if file != name && !repository().join(&file).exists() {
            dead.push(format!("{name}: ({link}): there is no {file}"));
        } else if let Some(anchor) = anchor {
            let target = if file == name { Some(document) } else { all.get(&file) };
            if !target.is_some_and(|target| target.anchors.contains(&anchor)) {
                dead.push(format!("{name}: ({link}): {file} has no heading for #{anchor}"));
            }
        }
    }
    dead
}

/// What is wrong with the files that a document prints.
fn wrong_copies(name: &str, document: &Document) -> Vec<String> {
    let mut wrong = Vec::new();
    for (path, printed) in &document.printed {
        let Ok(file) = fs::read_to_string(repository().join(path)) else {
            wrong.push(format!("{name}: <!-- file: {path} -->: there is no such file"));
            continue;
        };
        let Some(printed) = printed else {
            wrong.push(format!("{name}: <!-- file: {path} -->: no fenced block follows right behind it"));
            continue;
        };
        if *printed != file {
            let mut lines = printed.lines().zip(file.lines()).enumerate();
            let differs = lines.find(|(_, (printed, file))| printed != file);
            let where_it_differs = differs.map_or("one is longer".to_owned(), |(at, (printed, file))| {
                format!("line {}: printed {printed:?}, the file has {file:?}", at + 1)
            });
            wrong.push(format!("{name} does not print {path} as it is: copy it there again ({where_it_differs})"));
        }
    }
    wrong
}

#[test]
fn files_are_printed_as_they_are() {
    let wrong: Vec<_> = documents().iter().flat_map(|(name, document)| wrong_copies(name, document)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_publisher_is_printed() {
    let documents = documents();
    let printed: BTreeSet<_> =
        documents.values().flat_map(|document| &document.printed).map(|(path, _)| path.as_str()).collect();
    let publishers = files_below("client_example/publishers");
    let missing: Vec<_> = publishers
        .iter()
        .filter(|path| Path::new(path).extension().is_some_and(|ending| LANGUAGES.iter().any(|known| ending == *known)))
        .filter(|path| !printed.contains(path.as_str()))
        .collect();
    assert!(missing.is_empty(), "no document prints {missing:?}");
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let all = documents();
    let dead: Vec<_> = all.iter().flat_map(|(name, document)| dead_links(name, document, &all)).collect();
    assert!(dead.is_empty(), "{dead:#?}");
}

#[test]
fn every_document_is_reached_from_the_readme() {
    let all = documents();
    let mut reached = BTreeSet::from(["README.md".to_owned()]);
    let mut unread = vec!["README.md".to_owned()];
    while let Some(name) = unread.pop() {
        let links = all.get(&name).into_iter().flat_map(|document| &document.links);
        for (file, _) in links.filter_map(|link| destination(&name, link)) {
            if reached.insert(file.clone()) {
                unread.push(file);
            }
        }
    }
    let mut expected = files_below("docs");
    expected.extend(DOCUMENTS.map(str::to_owned));
    let lost: Vec<_> = expected.iter().filter(|path| !reached.contains(*path)).collect();
    assert!(lost.is_empty(), "no link leads from README.md, or from what it links to, to {lost:?}");
}

#[test]
fn what_is_wrong_is_found() {
    let readme = read("certs/README.md");
    let text = format!(
        "# Two `words`, here\n# Two words here\n[a](#two-words-here) [b](#two-words-here-1) [c](#nowhere) \
         [d](../README.md#settings) [e](../README.md#nothing) [f](none.md) [g](https://example.test/none)\n\n\
         <!-- file: certs/README.md -->\n````text\n{readme}````\n\n\
         1. in a list\n\n   <!-- file: certs/README.md -->\n   ```text\n   other\n   ```\n\n\
         <!-- file: certs/none -->\n```\n```\n\n<!-- file: certs/README.md -->\nwords\n```\n```\n"
    );
    let document = Document::parse(&text);
    let dead = dead_links("docs/x.md", &document, &documents());
    let about = |link: &str| dead.iter().any(|line| line.contains(&format!("({link})")));
    assert!(about("#nowhere") && about("../README.md#nothing") && about("none.md"), "{dead:#?}");
    assert_eq!(dead.len(), 3, "{dead:#?}");
    let wrong = wrong_copies("docs/x.md", &document);
    assert_eq!(document.printed.len(), 4, "{document:#?}");
    assert!(wrong.iter().any(|line| line.contains("line 1: printed \"other\"")), "{wrong:#?}");
    assert!(wrong.iter().any(|line| line.contains("no such file")), "{wrong:#?}");
    assert!(wrong.iter().any(|line| line.contains("no fenced block")), "{wrong:#?}");
    assert_eq!(wrong.len(), 3, "{wrong:#?}");
}
