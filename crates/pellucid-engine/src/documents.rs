//! What is found in model files → JSON.

use serde_json::{Map, Value, json};

use crate::inspect::{Inspection, WireInfo};
use crate::trees::{FeatureInfo, ImportanceTable, TreeInspection, TreeModel};

impl Inspection {
    /// The inspection as a JSON document.
    pub fn to_json(&self) -> String {
        let wire = |wire: &WireInfo| json!({"name": wire.name, "element": wire.element, "shape": wire.shape});
        let wires = |wires: &[WireInfo]| wires.iter().map(wire).collect::<Vec<_>>();
        let ops: Vec<Value> = self
            .ops
            .iter()
            .map(|op| json!({"op": op.op, "count": op.count, "gradient": op.gradient.name()}))
            .collect();
        json!({
            "schema": "pellucid.inspection",
            "schema_version": 1,
            "name": self.name,
            "digest": self.digest,
            "producer": self.producer,
            "ir_version": self.ir_version,
            "opsets": self.opsets,
            "inputs": wires(&self.inputs),
            "outputs": wires(&self.outputs),
            "ops": ops,
            "n_parameters": self.n_parameters,
            "flops": self.flops.known,
            "n_nodes_of_unknown_flops": self.flops.n_unknown_nodes,
            "cam_layers": wires(&self.cam_layers),
            "obstacles": self.obstacles,
            "warnings": self.warnings,
        })
        .to_string()
    }
}

impl TreeInspection {
    /// The inspection as a JSON document.
    pub fn to_json(&self) -> String {
        let feature = |feature: &FeatureInfo| {
            json!({
                "name": feature.name,
                "n_splits": feature.n_splits,
                "n_category_splits": feature.n_category_splits,
                "n_missing_left": feature.n_missing_left,
                "categories": feature.categories,
            })
        };
        json!({
            "schema": "pellucid.tree_inspection",
            "schema_version": 1,
            "name": self.name,
            "digest": self.digest,
            "format": self.format,
            "producer": self.producer,
            "objective": self.objective,
            "link": self.link,
            "n_trees": self.n_trees,
            "n_leaves": self.n_leaves,
            "depth": self.depth,
            "features": self.features.iter().map(feature).collect::<Vec<_>>(),
            "outputs": self.outputs,
            "base_scores": self.base_scores,
            "expected_values": self.expected_values,
            "has_covers": self.has_covers,
            "missing_value": self.missing_value,
            "warnings": self.warnings,
        })
        .to_string()
    }
}

impl ImportanceTable {
    /// The table as a JSON document.
    pub fn to_json(&self, model: &TreeModel) -> String {
        let of_file: Map<String, Value> =
            self.of_file.iter().map(|(name, numbers)| ((*name).to_owned(), json!(numbers))).collect();
        let means = self.mean_absolute_values.as_ref().map(|outputs| {
            let of_output = |(name, values): &(String, Vec<f64>)| json!({"output": name, "values": values});
            outputs.iter().map(of_output).collect::<Vec<_>>()
        });
        json!({
            "schema": "pellucid.importance",
            "schema_version": 1,
            "model": {"name": model.name(), "format": model.format(), "digest": model.digest(), "producer": model.producer()},
            "feature_names": self.feature_names,
            "of_file": of_file,
            "mean_absolute_values": means,
            "n_rows": self.n_rows,
            "warnings": self.warnings,
        })
        .to_string()
    }
}
