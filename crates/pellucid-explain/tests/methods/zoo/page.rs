//! `docs/zoo.md` says which files of the zoo rten runs.

use pellucid_core::Work;
use pellucid_explain::deep_lift::deep_lift;
use pellucid_explain::lrp::lrp;
use pellucid_explain::saliency::saliency;

use super::relevance::composite;
use super::runtimes::{rten, unless_refused};
use super::subject::{Part, files, subject};

const DOCUMENT: &str = include_str!("../../../../../docs/zoo.md");

const INTRODUCTION: &str = "\
# The zoo

Small networks with random weights, as the exporters of PyTorch and Keras write them; `fixtures/README.md` says what is in
each. This page says what rten, the runtime that needs nothing installed, runs of them: `yes`, or the op that it lacks or would
compute otherwise. It is made by a test: run it with `PELLUCID_WRITE_DOCS=1` to write the page anew.

| file | gradient | DeepLIFT | LRP | AttnLRP |
|---|---|---|---|---|
";

#[test]
fn the_page_of_the_zoo_is_up_to_date() {
    let page = files().iter().fold(INTRODUCTION.to_owned(), |page, file| page + &row(file));
    if std::env::var_os("PELLUCID_WRITE_DOCS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/zoo.md");
        std::fs::write(path, &page).expect("a writable folder");
    } else {
        assert!(page == DOCUMENT, "run this test with PELLUCID_WRITE_DOCS=1 and commit docs/zoo.md");
    }
}

fn row(file: &str) -> String {
    let subject = subject(file, &rten());
    let cells = METHODS.map(|method| refusal(subject.first(), method).unwrap_or_else(|| "yes".to_owned()));
    format!("| `{file}` | {} |\n", cells.join(" | "))
}

type Method = fn(&Part) -> Result<(), pellucid_explain::Error>;

const METHODS: [Method; 4] = [
    |part| saliency(&part.network, &part.rows, &part.target, &Default::default(), &Work::default()).map(drop),
    |part| {
        deep_lift(&part.network, &part.rows, &part.target, &Default::default(), &Work::default()).map(drop)
    },
    |part| relevance(part, "epsilon"),
    |part| relevance(part, "attnlrp"),
];

fn relevance(part: &Part, name: &str) -> Result<(), pellucid_explain::Error> {
    lrp(&part.network, &part.rows, &part.target, &composite(name), &Work::default()).map(drop)
}

/// The op that rten names, in backticks.
fn refusal(part: &Part, method: Method) -> Option<String> {
    let reason = unless_refused(method(part)).unwrap_or_else(|error| panic!("{error}")).err()?;
    let op = reason.split('`').nth(1).unwrap_or_else(|| panic!("no op named: {reason}"));
    Some(format!("`{op}`"))
}
