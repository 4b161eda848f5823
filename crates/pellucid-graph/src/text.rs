//! ONNX's textual syntax: graphs in tests are text, and `pellucid inspect` prints them.
//!
//! ```text
//! small (float[N,3] x) => (float[N,2] y)
//! <float[3,2] w = {1, 0, 0, 1, -1, 2}>
//! {
//!     h = MatMul(x, w)
//!     [last] y = Elu<alpha = 0.5>(h)
//! }
//! ```

mod parse;
mod print;

pub use parse::parse;
pub use print::print;
pub(crate) use print::type_text;
