//! Trees as bit patterns: which splits of a path a row follows is all that its leaf asks, so that patterns are counted
//! once and answers are looked up.

mod cut_trees;
mod feature_sets;
mod fragments;
mod lanes;
mod leaf_game;
mod leaf_pairs;
mod measure;
mod set_sums;
mod tables;

pub(crate) use cut_trees::{CutTrees, Patterns};
pub(crate) use feature_sets::{FeatureSets, binomial};
pub(crate) use measure::Measure;
pub(crate) use set_sums::{Absence, SetSums};
pub(crate) use tables::Tables;
