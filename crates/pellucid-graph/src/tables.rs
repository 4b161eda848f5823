//! All tables of rules, for who lists what each can explain. A new table is a line here.

use crate::multiplier::has_multiplier_rule;
use crate::{gradient, relevance};

/// What is told of one table.
pub struct RuleTable {
    /// The heading of its column in `docs/operators.md`.
    pub name: &'static str,
    /// Whether it has a rule for an op of the default domain, after lowering.
    pub has_rule: fn(&str) -> bool,
}

/// The tables, in the order of their columns.
pub const RULE_TABLES: &[RuleTable] = &[
    RuleTable { name: "gradient", has_rule: gradient::has_rule },
    RuleTable { name: "DeepLIFT", has_rule: has_multiplier_rule },
    RuleTable { name: "LRP", has_rule: relevance::has_rule },
];
