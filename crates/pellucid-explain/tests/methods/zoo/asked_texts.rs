//! Token models asked about texts of several lengths at once, by ids, on both runtimes.

use ndarray::{Array2, Axis};
use pellucid_core::Work;
use pellucid_explain::network;
use pellucid_explain::token_model::{AskedTokens, Reading, TokenModel, Tokens};
use pellucid_graph::onnx;

use super::runtimes::both;
use super::{fixtures, subject};
use crate::npz;

/// The whole graph says of ids what the network behind the vectors says of one text alone.
#[test]
fn texts_of_several_lengths_are_answered_as_each_alone() {
    let files = subject::files().into_iter().filter(|file| file.starts_with("tokens/"));
    for file in files {
        let graph = onnx::read(&fixtures().join(&file)).expect("a committed file").graph;
        let references =
            npz::load(&fixtures().join(format!("{}.npz", file.split('.').next().expect("a name"))));
        for on in both() {
            let model = TokenModel::new(&graph, on.runtime.clone(), &network::Options::default());
            let model = model.expect("an ordinary token model");
            let last = references.get("token").map(|token| token.to_f64s()[0] as usize);
            let of = |row: usize, n: usize| {
                let part = |key: &str| -> Option<Vec<i64>> {
                    let all = references.get(key)?;
                    let width = all.shape()[1];
                    Some(all.to_f64s()[row * width..row * width + n].iter().map(|x| *x as i64).collect())
                };
                let plain = Tokens::plain(part("input_ids").expect("ids"));
                let tokens = Tokens {
                    attention_mask: part("attention_mask").unwrap_or_else(|| plain.attention_mask.clone()),
                    type_ids: part("token_type_ids").unwrap_or_else(|| plain.type_ids.clone()),
                    ..plain
                };
                AskedTokens { tokens, token: last.map(|last| last.min(n - 1)) }
            };
            let shorter = if model.fixed_length().is_some() { 7 } else { 4 };
            let asked = [of(0, 7), of(1, shorter), of(2, 7), of(0, shorter)];
            let weights = Array2::eye(model.n_outputs());
            let predictor = model.predictor(&asked[0].tokens, false).expect("an ordinary text");
            let found = predictor.outputs(&asked, weights.view(), &Work::default()).expect("it runs");
            // The network of a whole text is the one that all tests of the zoo use; the short texts share another.
            let known = subject::subject(&file, &on);
            for (text, found, row) in
                [(0, 0), (1, 1), (2, 2), (3, 0)].map(|(i, row)| (&asked[i], found.row(i), row))
            {
                let is_whole = text.tokens.ids.len() == 7;
                let reading = Reading { token: text.token, log_probability: false };
                let network = match is_whole {
                    true => known.parts[row].network.clone(),
                    false => model.network(&text.tokens, reading).expect("an ordinary text"),
                };
                let vectors =
                    model.vectors(&text.tokens.ids).expect("known ids").insert_axis(Axis(0)).into_dyn();
                let alone = network.outputs(&vectors, &Work::default()).expect("it runs");
                for (given, expected) in found.iter().zip(&alone) {
                    let gap = (given - expected).abs();
                    assert!(gap < 1e-4, "{file} on {}: {given}, alone {expected}", on.name);
                }
            }
        }
    }
}
