//! What all methods must keep to: rows, batches, targets, cancellation, refusals, compiled graphs.

use ndarray::{ArrayD, Axis, Slice};
use pellucid_core::{Attribution, Baseline, Cancellation, Target, Work};
use pellucid_explain::attention_x_gradient::{self, attention_x_gradient};
use pellucid_explain::cam::{self, cam};
use pellucid_explain::deep_lift::{self, deep_lift};
use pellucid_explain::deep_shap::{self, deep_shap};
use pellucid_explain::gradient_shap::{self, gradient_shap};
use pellucid_explain::guided::{guided_backprop, guided_grad_cam};
use pellucid_explain::input_x_gradient::input_x_gradient;
use pellucid_explain::integrated_gradients::{self, integrated_gradients};
use pellucid_explain::lrp::{self, Composite, lrp};
use pellucid_explain::saliency::{self, saliency};
use pellucid_explain::smoothgrad::{self, Noise, smoothgrad};
use pellucid_explain::{Error, compile};
use pellucid_graph::{Tensor, evaluate};

use super::{CURVED, IMAGE, composite, ig, largest, network, rows, work};

#[test]
fn rows_do_not_depend_on_each_other_or_on_the_batch() {
    let network = network(IMAGE);
    let x = rows(5, &[1, 4, 4], 3);
    let smooth = smoothgrad::Options { n_samples: 3, ..Default::default() };
    let background = rows(3, &[1, 4, 4], 17);
    let shap = deep_shap::Options::new(background.clone());
    let sampled = gradient_shap::Options {
        n_samples: 4,
        noise: Noise::Absolute(0.1),
        tolerance: Some(0.5),
        max_evaluations: 40,
        ..gradient_shap::Options::new(background)
    };
    let all = |rows: &ArrayD<f32>, work: &Work| {
        let target = Target::Top(1);
        let signed = saliency::Options { absolute: false };
        vec![
            saliency(&network, rows, &target, &signed, work),
            input_x_gradient(&network, rows, &target, work),
            integrated_gradients(&network, rows, &target, &integrated_gradients::Options::default(), work),
            lrp(&network, rows, &target, &composite("epsilon_plus_flat"), work),
            cam(&network, rows, &target, &cam::Options::default(), work),
            deep_lift(&network, rows, &target, &deep_lift::Options::default(), work),
            deep_shap(&network, rows, &target, &shap, work),
            gradient_shap(&network, rows, &target, &sampled, work),
            smoothgrad(&network, rows, &target, &smooth, work, |rows, target| {
                saliency(&network, rows, target, &signed, work)
            }),
        ]
    };
    let together = all(&x, &work(64));
    let last = x.slice_axis(Axis(0), Slice::from(4..5)).to_owned();
    for (together, others) in together.iter().zip(all(&last, &work(1)).iter().zip(all(&x, &work(2)))) {
        let values = &together.as_ref().expect("runs").values;
        let (alone, in_pairs) =
            (&others.0.as_ref().expect("runs").values, &others.1.as_ref().expect("runs").values);
        let close = |a: &ArrayD<f64>, b: &ArrayD<f64>| largest(&(a - b)) <= 1e-6 * largest(a);
        assert!(close(&values.slice_axis(Axis(0), Slice::from(4..5)).to_owned(), alone));
        assert!(close(values, in_pairs));
    }
}

#[test]
fn the_highest_classes_in_one_graph_are_those_asked_for_one_by_one() {
    let network = network(IMAGE);
    let x = rows(3, &[1, 4, 4], 8);
    let options = saliency::Options::default();
    let both = saliency(&network, &x, &Target::Top(2), &options, &Work::default()).expect("runs");
    assert_eq!(both.values.shape(), [3, 2, 1, 4, 4]);
    let resolved = network.resolve(&Target::Top(2), &x, None, &Work::default()).expect("two outputs");
    let indices = resolved.indices.expect("single outputs");
    for k in 0..2 {
        let target = Target::PerRow(indices.iter().map(|row| row[k]).collect());
        let one = saliency(&network, &x, &target, &options, &Work::default()).expect("runs");
        assert_eq!(one.values.index_axis(Axis(1), 0), both.values.index_axis(Axis(1), k));
        assert_eq!(one.outputs.index_axis(Axis(1), 0), both.outputs.index_axis(Axis(1), k));
    }
}

#[test]
fn a_difference_of_two_outputs_is_the_difference_of_their_attributions() {
    let network = network(CURVED);
    let x = rows(2, &[3], 4);
    let of = |target: Target| input_x_gradient(&network, &x, &target, &Work::default()).expect("runs").values;
    let difference = of(Target::Weighted(vec![(0, 1.0), (1, -1.0)]));
    assert!(largest(&(difference - (of(Target::Index(0)) - of(Target::Index(1))))) < 1e-6);
}

#[test]
fn a_compiled_graph_gives_what_the_method_gives() {
    let network = network(IMAGE);
    let x = rows(2, &[1, 4, 4], 11);
    let check = |method: compile::Method, attribution: Attribution| {
        let graph =
            compile::compile(&network, &method, compile::CompiledTarget::Predicted).expect("compiles");
        let input = Tensor::f32(x.shape(), x.iter().copied().collect());
        let outputs = evaluate(&graph, &[input]).expect("runs");
        let values: Vec<f64> = attribution.values.iter().copied().collect();
        let close = outputs[1].to_f64s().iter().zip(&values).all(|(a, b)| (a - b).abs() < 1e-5);
        assert!(close && outputs[1].len() == values.len(), "{method:?}");
    };
    let (target, work) = (Target::Top(1), Work::default());
    let options = saliency::Options::default();
    check(
        compile::Method::Saliency { absolute: true },
        saliency(&network, &x, &target, &options, &work).expect("runs"),
    );
    check(compile::Method::InputXGradient, input_x_gradient(&network, &x, &target, &work).expect("runs"));
    let options = integrated_gradients::Options { n_steps: 7, ..Default::default() };
    check(compile::Method::IntegratedGradients(options.clone()), ig(&network, &x, &target, &options));
    let options = composite("epsilon_plus_flat");
    check(compile::Method::Lrp(options.clone()), lrp(&network, &x, &target, &options, &work).expect("runs"));
    for (_, rule) in deep_lift::Rule::NAMES {
        let options = deep_lift::Options { baseline: Baseline::Value(0.3), rule, ..Default::default() };
        check(
            compile::Method::DeepLift(options.clone()),
            deep_lift(&network, &x, &target, &options, &work).expect("runs"),
        );
    }
    let options = cam::Options::default();
    check(compile::Method::Cam(options.clone()), cam(&network, &x, &target, &options, &work).expect("runs"));
    for (_, variant) in cam::Variant::NAMES.into_iter().filter(|(_, variant)| variant.is_one_graph()) {
        let options = cam::Options { variant, relu: false, ..Default::default() };
        check(
            compile::Method::Cam(options.clone()),
            cam(&network, &x, &target, &options, &work).expect("runs"),
        );
    }
    let options = cam::Options::default();
    check(compile::Method::GuidedBackprop, guided_backprop(&network, &x, &target, &work).expect("runs"));
    check(
        compile::Method::GuidedGradCam(options.clone()),
        guided_grad_cam(&network, &x, &target, &options, &work).expect("runs"),
    );
    let options = deep_shap::Options::new(rows(3, &[1, 4, 4], 12));
    check(
        compile::Method::DeepShap(options.clone()),
        deep_shap(&network, &x, &target, &options, &work).expect("runs"),
    );
    for variant in [cam::Variant::AblationCam, cam::Variant::ScoreCam, cam::Variant::EigenCam] {
        let method = compile::Method::Cam(cam::Options { variant, ..Default::default() });
        let refused = compile::compile(&network, &method, compile::CompiledTarget::Predicted);
        assert!(refused.expect_err("many runs").to_string().contains("no single graph"));
    }
}

#[test]
fn canceled_work_stops() {
    let cancellation = Cancellation::default();
    cancellation.cancel();
    let work = Work { cancellation, ..Work::default() };
    let result = input_x_gradient(&network(CURVED), &rows(1, &[3], 1), &Target::Index(0), &work);
    assert_eq!(result, Err(Error::Core(pellucid_core::Error::Canceled)));
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let network = network(CURVED);
    let x = rows(1, &[3], 1);
    let message = |result: Result<Attribution, Error>| result.expect_err("refused").to_string();
    let saliency_of = |rows: &ArrayD<f32>, target: Target| {
        saliency(&network, rows, &target, &saliency::Options::default(), &Work::default())
    };
    assert!(message(saliency_of(&x, Target::Index(2))).contains("outputs 0 to 1"));
    assert!(message(saliency_of(&x, Target::Top(3))).contains("2 outputs"));
    assert!(message(saliency_of(&rows(1, &[4], 1), Target::Index(0))).contains("[rows, 3]"));
    let mut broken = x.clone();
    broken[[0, 1]] = f32::NAN;
    assert!(message(saliency_of(&broken, Target::Index(0))).contains("NaN at [0, 1]"));
    let options = integrated_gradients::Options { n_steps: 0, ..Default::default() };
    let result = integrated_gradients(&network, &x, &Target::Index(0), &options, &Work::default());
    assert!(message(result).contains("n_steps"));
    let options = cam::Options { layer: Some("nothing".to_owned()), ..Default::default() };
    assert!(message(cam(&network, &x, &Target::Index(0), &options, &Work::default())).contains("`nothing`"));
    let result = cam(&network, &x, &Target::Index(0), &cam::Options::default(), &Work::default());
    assert!(message(result).contains("no wire behind a convolution"));
    let options = cam::Options {
        layer: Some(network.graph().name_of(network.graph().inputs()[0]).to_owned()),
        ..Default::default()
    };
    let result = cam(&network, &x, &Target::Index(0), &options, &Work::default());
    assert!(message(result).contains("not known to hold features of places"));
    let options = attention_x_gradient::Options::default();
    assert!(
        message(attention_x_gradient(&network, &x, &Target::Index(0), &options, &Work::default()))
            .contains("no attention")
    );
    let selector = lrp::Selector { op: Some("Conv".to_owned()), ..Default::default() };
    let rule = lrp::LayerRule::new(lrp::Formula::Flat);
    let own = vec![lrp::Assignment { selector, rule }];
    let options = lrp::Options { composite: Composite { own, ..composite("epsilon").composite } };
    let message = message(lrp(&network, &x, &Target::Index(0), &options, &Work::default()));
    assert!(message.contains("op = \"Conv\": fits no node") && message.contains("MatMul"), "{message}");
}
