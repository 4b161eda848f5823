//! Model file → `Graph` → rewritten `Graph`; a slow exact evaluator.

mod axis_map;
pub mod backward;
mod build;
#[cfg(any(test, feature = "cases"))]
pub mod cases;
mod check;
mod error;
mod evaluate;
mod gradient;
mod graph;
mod incremental;
mod multiplier;
pub mod onnx;
mod ops;
mod part;
pub mod passes;
pub mod recognize;
pub mod relevance;
mod session;
mod symbolic;
mod tables;
mod tensor;

pub mod text;
mod types;

pub use error::Error;
pub use evaluate::{check_inputs, evaluate, evaluate_wires};
pub use gradient::{gradient, gradient_table, guided, guided_table, has_rule};
pub use graph::{Attribute, Graph, Node, Wire};
pub use incremental::Incremental;
pub use multiplier::{
    Balance, MultiplierRule, Multipliers, balances, has_multiplier_rule, multiplier_table, multipliers,
};
pub use ops::{is_known, known_ops};
pub use session::{Reference, Runtime, Session};
pub use tables::{RULE_TABLES, RuleTable};
pub use tensor::{Data, ElementType, Tensor};
pub use types::{Dim, Type, shape_text};
