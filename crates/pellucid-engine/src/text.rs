//! Text → tokens → an explanation with a value for each token and each word.

mod asked;
mod baseline;
mod compilation;
mod document;
mod evaluate;
mod explain;
mod function;
mod hidden_words;
mod model;
mod picture;
mod predicted;
mod report;
mod tokenizer;
mod words;

pub use asked::TextInputs;
pub use compilation::TextCompilation;
pub use document::texts_json;
pub use evaluate::{TextEvaluation, evaluate_texts, text_evaluations_json};
pub use explain::{TextExplanation, TextRequest, explain_text};
pub use function::{TextFunctionRequest, TextWords, explain_text_function};
pub use model::TextModel;
pub use picture::{attention_npz, attention_svg, highlighted, text_ansi, text_fragment, text_html, text_svg};
pub use report::{TextReportOptions, report_texts};
pub use tokenizer::{EncodedText, TextTokenizer, Token};
pub use words::Word;

#[cfg(test)]
mod tests;
