//! An expression's text → words with their places.

/// A word of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Word {
    Name(String),
    Text(String),
    Number(f32),
    /// `(`, `)`, `,` and comparisons.
    Sign(&'static str),
    End,
}

/// A word and the characters it takes, counted from 0.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placed {
    pub(super) word: Word,
    pub(super) from: usize,
    pub(super) to: usize,
    /// Whether a name stood between backticks: then it is no keyword.
    pub(super) quoted: bool,
}

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Fault {
    pub(super) message: String,
    pub(super) from: usize,
    pub(super) to: usize,
}

const SIGNS: [&str; 14] = ["==", "!=", "<=", ">=", "&&", "||", "<", ">", "(", ")", "[", "]", ",", "!"];
/// An expression has at most so many characters.
const MAX_CHARACTERS: usize = 2_000;

impl Fault {
    /// The message, the expression, and a mark below the place.
    pub(super) fn pointed(&self, expression: &str) -> String {
        // One line, so that the mark stands where it belongs.
        let line: String = expression.chars().map(|it| if it.is_whitespace() { ' ' } else { it }).collect();
        let mark = "^".repeat(self.to.saturating_sub(self.from).max(1));
        format!("{}\n{line}\n{}{mark}", self.message, " ".repeat(self.from))
    }
}

/// The words of an expression; the last is [`Word::End`].
pub(super) fn words(expression: &str) -> Result<Vec<Placed>, Fault> {
    let characters: Vec<char> = expression.chars().collect();
    let n = characters.len();
    if n > MAX_CHARACTERS {
        let message = format!("the expression has {n} characters, {MAX_CHARACTERS} are allowed");
        return Err(Fault { message, from: 0, to: 1 });
    }
    let (mut found, mut at) = (Vec::new(), 0);
    loop {
        at += characters[at..].iter().take_while(|it| it.is_whitespace()).count();
        if at == n {
            found.push(Placed { word: Word::End, from: n, to: n, quoted: false });
            return Ok(found);
        }
        let placed = word(&characters, at)?;
        at = placed.to;
        found.push(placed);
    }
}

fn word(characters: &[char], from: usize) -> Result<Placed, Fault> {
    let rest = &characters[from..];
    let placed = |word, length: usize, quoted| Ok(Placed { word, from, to: from + length, quoted });
    let fault = |message: String, to| Err(Fault { message, from, to });
    match rest[0] {
        quote @ ('"' | '\'' | '`') => {
            let Some(length) = rest[1..].iter().position(|it| *it == quote) else {
                return fault(format!("the {quote} is not closed"), characters.len());
            };
            let text: String = rest[1..=length].iter().collect();
            let word = if quote == '`' { Word::Name(text) } else { Word::Text(text) };
            placed(word, length + 2, quote == '`')
        }
        first if first.is_alphabetic() || first == '_' => {
            let goes_on = |it: &&char| it.is_alphanumeric() || matches!(it, '_' | '.');
            let length = rest.iter().take_while(goes_on).count();
            placed(Word::Name(rest[..length].iter().collect()), length, false)
        }
        first if first.is_ascii_digit() || matches!(first, '-' | '+' | '.') => number(rest, from),
        first => match SIGNS.iter().find(|sign| sign.chars().eq(rest.iter().copied().take(sign.len()))) {
            Some(sign) => placed(Word::Sign(sign), sign.len(), false),
            None if first == '=' => fault("equality is written `==`".to_owned(), from + 1),
            None => fault(format!("`{first}` has no meaning here"), from + 1),
        },
    }
}

fn number(rest: &[char], from: usize) -> Result<Placed, Fault> {
    let mut length = 1;
    while let Some(next) = rest.get(length) {
        let exponent_sign = matches!(next, '-' | '+') && matches!(rest[length - 1], 'e' | 'E');
        if !(next.is_ascii_alphanumeric() || *next == '.' || exponent_sign) {
            break;
        }
        length += 1;
    }
    let text: String = rest[..length].iter().collect();
    match text.parse::<f32>() {
        Ok(number) if number.is_finite() => {
            Ok(Placed { word: Word::Number(number), from, to: from + length, quoted: false })
        }
        _ => Err(Fault { message: format!("`{text}` is no number"), from, to: from + length }),
    }
}
