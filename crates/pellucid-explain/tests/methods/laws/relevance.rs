//! LRP: what becomes of relevance on its way.

use pellucid_core::{Target, Work};
use pellucid_explain::lrp::{self, conservation, lrp};

use super::{KINKED, composite, largest, network, rows};

#[test]
fn relevance_adds_up_with_what_biases_absorbed() {
    let network = network(KINKED);
    let x = rows(4, &[3], 12);
    for target in [Target::Index(1), Target::Top(2)] {
        let explained = lrp(&network, &x, &target, &composite("epsilon"), &Work::default()).expect("runs");
        assert!(largest(&explained.base_values.clone().expect("has biases")) > 0.01);
        assert!(largest(&explained.convergence_delta.clone().expect("promised")) < 1e-4);
        let flows =
            conservation(&network, &x, &target, &composite("epsilon"), &Work::default()).expect("runs");
        let inward = &flows[0].inward;
        assert!(largest(&(inward - &explained.outputs)) < 1e-5, "{inward:?}");
        let absorbed =
            flows.iter().map(lrp::NodeFlow::absorbed).reduce(|sum, part| sum + part).expect("layers");
        assert!(largest(&(absorbed - explained.base_values.expect("has biases"))) < 1e-5);
        let lost =
            flows.iter().map(|flow| flow.stabilizer.clone()).reduce(|sum, part| sum + part).expect("layers");
        assert!(largest(&(lost + explained.convergence_delta.expect("promised"))) < 1e-5);
    }
}
