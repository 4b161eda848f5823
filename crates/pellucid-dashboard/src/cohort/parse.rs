//! Words → a test, checked against the features that there are.

use super::read::{Fault, Placed, Word, words};
use super::{How, Test};
use crate::index::Group;

/// Parentheses may nest so deep.
const MAX_DEPTH: usize = 50;

pub(super) struct Parser<'a> {
    group: &'a Group,
    words: Vec<Placed>,
    at: usize,
    depth: usize,
}

/// A value as it was written, with its place.
struct Value {
    word: Word,
    from: usize,
    to: usize,
}

impl<'a> Parser<'a> {
    pub(super) fn new(expression: &str, group: &'a Group) -> Result<Self, Fault> {
        Ok(Self { group, words: words(expression)?, at: 0, depth: 0 })
    }

    pub(super) fn whole(mut self) -> Result<Test, Fault> {
        let test = self.any()?;
        match &self.next().word {
            Word::End => Ok(test),
            _ => Err(self.fault("expected `and`, `or` or the end")),
        }
    }

    fn any(&mut self) -> Result<Test, Fault> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.fault(&format!("nests deeper than {MAX_DEPTH}")));
        }
        let mut tests = vec![self.all()?];
        while self.takes("or") || self.takes_sign("||") {
            tests.push(self.all()?);
        }
        self.depth -= 1;
        Ok(if tests.len() == 1 { tests.swap_remove(0) } else { Test::Any(tests) })
    }

    fn all(&mut self) -> Result<Test, Fault> {
        let mut tests = vec![self.one()?];
        while self.takes("and") || self.takes_sign("&&") {
            tests.push(self.one()?);
        }
        Ok(if tests.len() == 1 { tests.swap_remove(0) } else { Test::All(tests) })
    }

    fn one(&mut self) -> Result<Test, Fault> {
        let mut negated = false;
        while self.takes("not") || self.takes_sign("!") {
            negated = !negated;
        }
        let test = if self.takes_sign("(") {
            let test = self.any()?;
            self.expect(")")?;
            test
        } else {
            self.test()?
        };
        Ok(if negated { Test::Not(Box::new(test)) } else { test })
    }

    fn test(&mut self) -> Result<Test, Fault> {
        let feature = self.feature()?;
        if self.takes("is") {
            let negated = self.takes("not");
            return match self.takes("missing") {
                true => Ok(Test::Missing { feature, negated }),
                false => Err(self.fault("expected `missing`")),
            };
        }
        let negated = self.takes("not");
        if self.takes("in") {
            return Ok(Test::OneOf { feature, values: self.values(feature)?, negated });
        }
        let how = match (negated, &self.next().word) {
            (false, Word::Sign("==")) => How::Equal,
            (false, Word::Sign("!=")) => How::NotEqual,
            (false, Word::Sign("<")) => How::Less,
            (false, Word::Sign("<=")) => How::LessOrEqual,
            (false, Word::Sign(">")) => How::Greater,
            (false, Word::Sign(">=")) => How::GreaterOrEqual,
            (true, _) => return Err(self.fault("expected `in`")),
            _ => return Err(self.fault("expected a comparison: ==, !=, <, <=, >, >=, in (…) or is missing")),
        };
        self.at += 1;
        let value = self.value()?;
        let ordered = !matches!(how, How::Equal | How::NotEqual);
        Ok(Test::Compare { feature, how, with: self.understood(feature, &value, ordered)? })
    }

    fn values(&mut self, feature: usize) -> Result<Vec<f32>, Fault> {
        let close = match () {
            () if self.takes_sign("(") => ")",
            () if self.takes_sign("[") => "]",
            () => return Err(self.fault("expected values in parentheses, such as (1, 2)")),
        };
        let mut values = Vec::new();
        loop {
            let value = self.value()?;
            values.push(self.understood(feature, &value, false)?);
            if !self.takes_sign(",") {
                self.expect(close)?;
                return Ok(values);
            }
        }
    }

    fn feature(&mut self) -> Result<usize, Fault> {
        let Word::Name(name) = self.next().word.clone() else {
            return Err(
                self.fault("expected the name of a feature; one with spaces stands between backticks")
            );
        };
        let found = self.group.names.iter().position(|it| *it == name);
        let found = found.ok_or_else(|| self.fault(&self.unknown(&name)));
        self.at += 1;
        found
    }

    fn unknown(&self, name: &str) -> String {
        let lower = name.to_lowercase();
        let away = |known: &str| distance(&lower, &known.to_lowercase());
        let nearest = self.group.names.iter().min_by_key(|known| away(known));
        match nearest.filter(|known| away(known) <= 1 + name.len() / 4) {
            Some(known) => format!("there is no feature `{name}`; did you mean `{known}`?"),
            None => format!("there is no feature `{name}`; the features are {}", some(&self.group.names)),
        }
    }

    fn value(&mut self) -> Result<Value, Fault> {
        let Placed { word, from, to, .. } = self.next().clone();
        match word {
            Word::Text(_) | Word::Number(_) => {
                self.at += 1;
                Ok(Value { word, from, to })
            }
            Word::Name(name) => {
                Err(self.fault(&format!("expected a value; a text stands in quotes: \"{name}\"")))
            }
            _ => Err(self.fault("expected a number, or a text in quotes")),
        }
    }

    /// The number that stands for a value of this feature.
    fn understood(&self, feature: usize, value: &Value, ordered: bool) -> Result<f32, Fault> {
        let name = &self.group.names[feature];
        let categories = self.group.categories.get(feature).filter(|names| !names.is_empty());
        let fault = |message: String| Err(Fault { message, from: value.from, to: value.to });
        match (&value.word, categories) {
            (Word::Number(number), None) => Ok(*number),
            (Word::Text(text), Some(names)) if !ordered => match names.iter().position(|it| it == text) {
                Some(code) => Ok(code as f32),
                None => fault(format!("`{name}` has no category \"{text}\"; it has {}", quoted(names))),
            },
            (_, Some(names)) => {
                fault(format!("`{name}` has categories: compare with == or in, and one of {}", quoted(names)))
            }
            _ => fault(format!("`{name}` is a number: compare it with one, without quotes")),
        }
    }

    fn next(&self) -> &Placed {
        // The last word is the end, and nothing steps over it.
        &self.words[self.at.min(self.words.len() - 1)]
    }

    fn takes(&mut self, keyword: &str) -> bool {
        let next = self.next();
        let is = !next.quoted && matches!(&next.word, Word::Name(name) if name.eq_ignore_ascii_case(keyword));
        self.at += usize::from(is);
        is
    }

    fn takes_sign(&mut self, sign: &str) -> bool {
        let is = matches!(self.next().word, Word::Sign(found) if found == sign);
        self.at += usize::from(is);
        is
    }

    fn expect(&mut self, sign: &str) -> Result<(), Fault> {
        if self.takes_sign(sign) { Ok(()) } else { Err(self.fault(&format!("expected `{sign}`"))) }
    }

    fn fault(&self, message: &str) -> Fault {
        let next = self.next();
        Fault { message: message.to_owned(), from: next.from, to: next.to }
    }
}

fn quoted(names: &[String]) -> String {
    some(&names.iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>())
}

/// The first of them.
fn some(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let more = if names.len() > SHOWN { ", …" } else { "" };
    format!("{}{more}", names.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", "))
}

/// Letters to change, add or drop (Levenshtein).
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut before: Vec<usize> = (0..=b.len()).collect();
    for (i, of_a) in a.chars().enumerate() {
        let mut now = vec![i + 1];
        for (j, of_b) in b.iter().enumerate() {
            let changed = before[j] + usize::from(of_a != *of_b);
            now.push(changed.min(before[j + 1] + 1).min(now[j] + 1));
        }
        before = now;
    }
    before[b.len()]
}
