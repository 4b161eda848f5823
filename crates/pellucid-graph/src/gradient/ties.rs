//! The tables of `docs/ties.md`, row by row.

use super::gradient;
use crate::evaluate::evaluate;
use crate::passes::{fold_constants, lower};
use crate::tensor::Tensor;
use crate::text;

const TABLES: &str = include_str!("../../../../docs/ties.md");

#[test]
fn every_row_of_the_tables_holds() {
    let rows = TABLES.lines().filter(|line| line.starts_with("| `y = ") || line.starts_with("| `c = "));
    let failures: Vec<String> = rows.clone().filter_map(|row| check_row(row).err()).collect();
    assert!(rows.count() > 40, "the tables are not read");
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// One row: `graph`, values of `x`, the gradient there.
fn check_row(row: &str) -> Result<(), String> {
    let cells: Vec<&str> = row.split('|').map(str::trim).collect();
    let (graph, x, expected) = (cells[1].trim_matches('`'), numbers(cells[2]), numbers(cells[3]));
    let actual = gradient_at(graph, &x).map_err(|reason| format!("{graph}: {reason}"))?;
    let same = |(a, e): (&f64, &f64)| a == e || (a - e).abs() < 1e-7;
    match actual.len() == expected.len() && actual.iter().zip(&expected).all(same) {
        true => Ok(()),
        false => Err(format!("{graph} at {x:?}: {actual:?}, the table says {expected:?}")),
    }
}

fn numbers(cell: &str) -> Vec<f64> {
    cell.split(',').map(|number| number.trim().parse().expect("a number")).collect()
}

/// `d(Σ y)/dx`; `z` is an input that is 0.
fn gradient_at(nodes: &str, x: &[f64]) -> Result<Vec<f64>, String> {
    let text = format!(
        "ties (float[{n}] x, float z) => (float[?] y)
        <float zero = {{0}}, float half = {{0.5}}, float one = {{1}}, float more = {{1.5}}, float two = {{2}},
         float six = {{6}}, float less = {{-1}}, int64[1] axis = {{0}}>
        {{ {nodes} }}",
        n = x.len()
    );
    let inputs = [Tensor::f64(&[x.len()], x.to_vec()), Tensor::f64(&[], vec![0.0])];
    let run = || {
        let mut graph = lower(&fold_constants(&text::parse(&text)?)?)?;
        let (input, output) = (graph.inputs()[0], graph.outputs()[0]);
        let ones = vec![1.0; evaluate(&graph, &inputs)?[0].len()];
        let seed = graph.add_constant("seed", Tensor::f32(&[ones.len()], ones.iter().map(|_| 1.0).collect()));
        let wires = gradient(&mut graph, output, seed, &[input])?;
        graph.set_outputs(&wires);
        evaluate(&graph, &inputs)
    };
    Ok(run().map_err(|error: crate::Error| error.to_string())?[0].to_f64s())
}
