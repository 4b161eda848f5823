//! Tree model file → `TreeEnsemble` → predictions and exact attributions.

mod covers;
pub mod dependence;
mod ensemble;
mod error;
#[cfg(test)]
mod every_method;
mod expected_value;
mod importance;
mod interactions;
mod interventional;
pub mod output_space;
mod path_dependent;
mod patterns;
mod predict;
mod readers;
mod rows;
mod saabas;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod traps;

pub use ensemble::{
    Arithmetic, CategorySet, Fraction, LIGHTGBM_ZERO, Link, Missing, Precision, Provenance, Split, Test,
    Tree, TreeEnsemble, TreeNode,
};
pub use error::Error;
pub use importance::{Importance, importance};
pub use interactions::{InteractionIndex, Interactions, Removal, interactions};
pub use interventional::{
    Interventional, interventional, interventional_banzhaf, interventional_interactions,
};
pub use path_dependent::{Level, PathDependent, Plan, banzhaf, path_dependent, path_dependent_interactions};
pub use readers::{FileFormat, TreeArrays, read, recognize, tree_of_arrays};
pub use rows::{Csr, Rows};
pub use saabas::saabas;
