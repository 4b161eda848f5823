use ndarray::{ArrayD, Axis};
use pellucid_core::{Baseline, Target, Work};
use pellucid_graph::{Reference, evaluate, text::parse};

use super::*;
use crate::attention_x_gradient::{self, attention_x_gradient};
use crate::integrated_gradients::{self, integrated_gradients};
use crate::testing::{MAX_TOKENS, WIDTH, tiny_transformer};

fn model(per_token: bool) -> TokenModel {
    TokenModel::new(&tiny_transformer(per_token), Arc::new(Reference), &network::Options::default()).unwrap()
}

fn rows(model: &TokenModel, ids: &[i64]) -> ArrayD<f32> {
    model.vectors(ids).unwrap().insert_axis(Axis(0)).into_dyn()
}

/// What the whole graph gives for ids, flat.
fn whole(per_token: bool, tokens: &Tokens) -> Vec<f64> {
    let tensor = |elements: &[i64]| Tensor::i64(&[1, elements.len()], elements.to_vec());
    let inputs = [tensor(&tokens.ids), tensor(&tokens.attention_mask)];
    evaluate(&tiny_transformer(per_token), &inputs).unwrap()[0].to_f64s()
}

#[test]
fn the_network_of_a_text_gives_what_the_model_gives_for_its_ids() {
    let model = model(false);
    for ids in [vec![3, 1, 4], vec![10, 0, 5, 5, 2]] {
        let mut tokens = Tokens::plain(ids);
        *tokens.attention_mask.last_mut().unwrap() = 0;
        let network = model.network(&tokens, Reading::default()).unwrap();
        let outputs = network.outputs(&rows(&model, &tokens.ids), &Work::default()).unwrap();
        for (given, expected) in outputs.iter().zip(whole(false, &tokens)) {
            assert!((given - expected).abs() < 1e-6, "{given} and {expected}");
        }
    }
    assert_eq!((model.n_outputs(), model.has_outputs_per_token()), (3, false));
}

#[test]
fn integrated_gradients_over_tokens_add_up() {
    let model = model(false);
    let tokens = Tokens::plain(vec![7, 2, 9, 1]);
    let network = model.network(&tokens, Reading::default()).unwrap();
    let baseline = Baseline::Array(model.vectors(&[0; 4]).unwrap().into_dyn());
    let options = integrated_gradients::Options { baseline, n_steps: 80, ..Default::default() };
    let target = Target::Index(1);
    let x = rows(&model, &tokens.ids);
    let attribution = integrated_gradients(&network, &x, &target, &options, &Work::default()).unwrap();
    let by_token = attribution.values.sum_axis(Axis(3));
    let difference = whole(false, &tokens)[1] - whole(false, &Tokens::plain(vec![0; 4]))[1];
    assert!(difference.abs() > 0.05, "{difference} proves little");
    assert!(
        (by_token.sum() - difference).abs() < 1e-4 * difference.abs(),
        "{} and {difference}",
        by_token.sum()
    );
}

#[test]
fn a_compiled_model_takes_ids_and_gives_each_token_what_the_method_gives() {
    let model = model(false);
    let texts = [[3, 1, 4, 1], [10, 0, 5, 2]];
    let network = model.network(&Tokens::plain(texts[0].to_vec()), Reading::default()).unwrap();
    let options = integrated_gradients::Options { n_steps: 9, ..Default::default() };
    let of_vectors = compile::Method::IntegratedGradients(options.clone());
    let of_tokens = compile::Method::AttentionXGradient(attention_x_gradient::Options::default());
    for method in [of_vectors, of_tokens] {
        let graph = model.compiled(&network, &method, compile::CompiledTarget::Index(2)).unwrap();
        let found = evaluate(&graph, &[Tensor::i64(&[2, 4], texts.concat())]).unwrap();
        assert_eq!((found[0].shape(), found[1].shape()), (&[2, 3][..], &[2, 4][..]));
        for (row, ids) in texts.iter().enumerate() {
            let (x, target, work) = (rows(&model, ids), Target::Index(2), Work::default());
            let expected: Vec<f64> = match &method {
                compile::Method::IntegratedGradients(_) => {
                    let values = integrated_gradients(&network, &x, &target, &options, &work).unwrap().values;
                    values.sum_axis(Axis(3)).into_iter().collect()
                }
                _ => attention_x_gradient(&network, &x, &target, &Default::default(), &work)
                    .unwrap()
                    .values
                    .into_iter()
                    .collect(),
            };
            assert!(expected.iter().any(|value| value.abs() > 1e-3), "{expected:?} proves little");
            for (a, b) in found[1].to_f64s()[row * 4..].iter().zip(&expected) {
                assert!((a - b).abs() < 1e-5, "{a}, expected {b}");
            }
            let outputs = whole(false, &Tokens::plain(ids.to_vec()));
            for (a, b) in found[0].to_f64s()[row * 3..].iter().zip(outputs) {
                assert!((a - b).abs() < 1e-5, "{a}, expected {b}");
            }
        }
    }
}

#[test]
fn a_token_has_outputs_of_its_own() {
    let model = model(true);
    let tokens = Tokens::plain(vec![3, 1, 4, 8]);
    let whole = whole(true, &tokens);
    for token in [0, 3] {
        let network = model.network(&tokens, Reading { token: Some(token), log_probability: false }).unwrap();
        let outputs = network.outputs(&rows(&model, &tokens.ids), &Work::default()).unwrap();
        for (given, expected) in outputs.iter().zip(&whole[token * 3..token * 3 + 3]) {
            assert!((given - expected).abs() < 1e-6);
        }
    }
    let network = model.network(&tokens, Reading { token: Some(3), log_probability: true }).unwrap();
    let outputs = network.outputs(&rows(&model, &tokens.ids), &Work::default()).unwrap();
    let log_sum = whole[9..].iter().map(|y| y.exp()).sum::<f64>().ln();
    for (given, expected) in outputs.iter().zip(&whole[9..]) {
        assert!((given - (expected - log_sum)).abs() < 1e-6);
    }
}

#[test]
fn networks_are_shared_by_texts_of_one_length() {
    let model = model(false);
    let of = |ids: Vec<i64>| model.network(&Tokens::plain(ids), Reading::default()).unwrap();
    let first = of(vec![1, 2, 3]);
    assert!(Arc::ptr_eq(&first, &of(vec![4, 5, 6])));
    assert!(!Arc::ptr_eq(&first, &of(vec![4, 5])));
    assert!(model.warnings().is_empty());
}

#[test]
fn more_tokens_than_there_are_positions_are_counted_in_the_refusal() {
    let tokens = Tokens::plain(vec![1; MAX_TOKENS + 3]);
    let error = model(false).network(&tokens, Reading::default()).map(|_| ()).unwrap_err();
    let expected = format!("has {} tokens, the model takes at most {MAX_TOKENS}", MAX_TOKENS + 3);
    assert!(error.to_string().contains(&expected), "{error}");
}

#[test]
fn what_is_not_there_is_refused() {
    let (plain, per_token) = (model(false), model(true));
    let tokens = Tokens::plain(vec![1, 2]);
    let refusal = |model: &TokenModel, token| {
        let reading = Reading { token: Some(token), log_probability: false };
        model.network(&tokens, reading).map(|_| ()).unwrap_err().to_string()
    };
    assert!(refusal(&plain, 0).contains("outputs for every token"));
    assert!(refusal(&per_token, 2).contains("the text has 2 tokens"));
    assert!(plain.vectors(&[1, 11]).unwrap_err().to_string().contains("the ids 0 to 10"));
    assert!(plain.vectors(&[-1]).is_err());
    let image =
        parse("g (float[N,3] x) => (float[N,1] y) <float[3,1] w = {1, 2, 3}> { y = MatMul(x, w) }").unwrap();
    let error =
        TokenModel::new(&image, Arc::new(Reference), &network::Options::default()).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("looked up"), "{error}");
}

#[test]
fn ids_that_the_output_reads_beside_their_vectors_are_told_of() {
    // Where id 0 stands, the output is moved by a number that no vector knows of.
    let graph = parse(
        "g (int64[n,t] input_ids) => (float[n,2] y) <float[3,2] words = {1, 2, 3, 4, 5, 6}, int64 zero = {0},
          int64[1] middle = {1}>
         { w = Gather(words, input_ids) z = Equal(input_ids, zero) f = Cast<to = 1>(z)
           c = ReduceSum(f, middle) s = ReduceSum<keepdims = 0>(w, middle) y = Add(s, c) }",
    )
    .unwrap();
    let model = TokenModel::new(&graph, Arc::new(Reference), &network::Options::default()).unwrap();
    assert!(model.warnings()[0].contains("`input_ids`"));
    let of = |ids: Vec<i64>| {
        let x = rows(&model, &ids);
        let network = model.network(&Tokens::plain(ids), Reading::default()).unwrap();
        network.outputs(&x, &Work::default()).unwrap().row(0).to_vec()
    };
    assert_eq!(of(vec![1, 2]), [8.0, 10.0]);
    assert_eq!(of(vec![1, 0]), [5.0, 7.0]);
}

#[test]
fn the_mean_vector_is_the_mean_of_the_table() {
    let model = model(false);
    let all = model.vectors(&(0..model.vocabulary_size() as i64).collect::<Vec<_>>()).unwrap();
    let mean = model.mean_vector();
    assert_eq!(mean.len(), WIDTH);
    for (mean, column) in mean.iter().zip(all.columns()) {
        assert!((mean - column.mean().unwrap()).abs() < 1e-6);
    }
}

#[test]
fn texts_of_any_lengths_are_asked_together() {
    let mut padded = Tokens::plain(vec![10, 0, 5, 5, 2]);
    padded.attention_mask[4] = 0;
    let texts = [vec![3, 1, 4], vec![7, 2, 9], vec![6], vec![1, 2, 3, 4, 5]].map(Tokens::plain);
    let texts: Vec<Tokens> = texts.into_iter().chain([padded]).collect();
    for (per_token, log_probability) in [(false, false), (true, false), (true, true)] {
        let model = model(per_token);
        let predictor = model.predictor(&texts[3], log_probability).unwrap();
        let asked = texts.iter().enumerate().map(|(index, tokens)| AskedTokens {
            tokens: tokens.clone(),
            token: per_token.then(|| index % tokens.ids.len()),
        });
        let asked: Vec<AskedTokens> = asked.collect();
        for batch_size in [None, Some(1), Some(2)] {
            let work = Work { batch_size, ..Work::default() };
            let weights = ndarray::array![[1.0, 0.5], [0.0, -1.0], [0.0, 2.0]];
            let found = predictor.outputs(&asked, weights.view(), &work).unwrap();
            for (text, found) in asked.iter().zip(found.outer_iter()) {
                let first = text.token.unwrap_or(0) * 3;
                let mut y = whole(per_token, &text.tokens)[first..first + 3].to_vec();
                if log_probability {
                    let log_sum = y.iter().map(|y| y.exp()).sum::<f64>().ln();
                    y.iter_mut().for_each(|y| *y -= log_sum);
                }
                let expected = [y[0], 0.5 * y[0] - y[1] + 2.0 * y[2]];
                for (given, expected) in found.iter().zip(expected) {
                    assert!((given - expected).abs() < 1e-6, "{given}, expected {expected}");
                }
            }
        }
    }
    let long = Tokens::plain(vec![1; MAX_TOKENS + 3]);
    let error = model(false).predictor(&long, false).map(|_| ()).unwrap_err().to_string();
    assert!(error.contains(&format!("takes at most {MAX_TOKENS}")), "{error}");
}
