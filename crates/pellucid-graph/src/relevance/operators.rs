//! The rules of all ops: how relevance that arrived at a node goes on to its inputs.

use std::rc::Rc;

use super::accounts::Accounts;
use super::composite::{Composite, Formula, LayerRule, STABILIZER};
use super::layer::Layer;
use super::plan::{Plan, UNARY, WEIGHTED};
use crate::backward::{Signal, Signals, Step};
use crate::gradient::{at_fixed_deviation, find};
use crate::graph::Wire;

/// What all rules of a walk look into.
pub(super) struct Operators {
    pub(super) plan: Plan,
    pub(super) composite: Composite,
    pub(super) accounts: Rc<Accounts>,
}

/// How an op passes relevance on.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// By the composite's rule.
    Weighted,
    /// All of it to the one input that depends on the input: functions of each element.
    Pass,
    /// Along with the elements: what was picked, repeated or rearranged goes back where it came from, a maximum's to its
    /// winner.
    Move,
    /// By contributions, `x ⊙ Jᵀ (R / y)`: linear and affine ops, and ratios of length.
    Share,
    /// In halves where two signals meet.
    Product,
    /// To the numerator.
    Quotient,
    /// The larger of two, or a function of one.
    Extremum,
    /// By the linear part at the input (AttnLRP, proposition 3.1).
    Softmax,
    /// Affine, the deviation held constant (AttnLRP, proposition 3.4).
    Normalization,
}

/// The way of an op of the default domain.
fn way(op: &str) -> Option<Way> {
    Some(match op {
        _ if WEIGHTED.contains(&op) => Way::Weighted,
        _ if UNARY.contains(&op) => Way::Pass,
        "Cast" | "CastLike" | "Concat" | "DepthToSpace" | "Dropout" | "Expand" | "Flatten" | "Gather"
        | "GatherElements" | "GatherND" | "GlobalMaxPool" | "Identity" | "MaxPool" | "Pad" | "ReduceMax"
        | "ReduceMin" | "Reshape" | "Resize" | "ScatterElements" | "ScatterND" | "Slice" | "Split"
        | "Squeeze" | "Tile" | "TopK" | "Transpose" | "Trilu" | "Unsqueeze" | "Where" => Way::Move,
        "Add" | "AveragePool" | "BatchNormalization" | "CumSum" | "GlobalAveragePool" | "GlobalLpPool"
        | "LogSoftmax" | "LpPool" | "Mean" | "ReduceL1" | "ReduceL2" | "ReduceMean" | "ReduceSum" | "Sub"
        | "Sum" => Way::Share,
        "Mul" => Way::Product,
        "Div" => Way::Quotient,
        "Max" | "Min" => Way::Extremum,
        "Softmax" => Way::Softmax,
        "InstanceNormalization" | "LayerNormalization" | "RMSNormalization" => Way::Normalization,
        _ => return None,
    })
}

/// Whether the relevance table has a rule for an op of the default domain, after lowering.
pub fn has_rule(op: &str) -> bool {
    way(op).is_some()
}

impl Operators {
    /// The relevance of a node's inputs from that of its outputs, with what flowed written down.
    pub(super) fn send(&self, s: &mut Step<'_>) -> Signals {
        let signals = self.signals(s)?;
        self.accounts.flow(s, &signals)?;
        Ok(signals)
    }

    fn signals(&self, s: &mut Step<'_>) -> Signals {
        let way = way(&s.at().op).ok_or("no rule")?;
        let assigned = self.composite.assigned(s, s.at(), &s.place()).cloned();
        if assigned.as_ref().is_some_and(|rule| rule.formula == Formula::Stop) {
            return self.stop(s);
        }
        let kept = self.plan.to_one.get(&s.place().index).copied().filter(|at| s.needs(*at));
        if let Some(at) = kept {
            let relevance = s.gradient()?;
            return only_at(at, relevance);
        }
        if way == Way::Weighted {
            return self.weighted(s, assigned.as_ref().unwrap_or(&self.composite.rest));
        }
        match assigned.map(|rule| (rule.formula, rule.stabilizer)) {
            None => self.unweighted(s, way, STABILIZER),
            Some((Formula::Pass, _)) => pass(s),
            Some((Formula::Epsilon | Formula::Norm, stabilizer)) => self.unweighted(s, way, stabilizer),
            Some((formula, _)) => Err(format!(
                "the rule {formula:?} needs a layer with weights; for this op there are epsilon, pass and stop"
            )),
        }
    }

    fn weighted(&self, s: &mut Step<'_>, rule: &LayerRule) -> Signals {
        match Layer::of(s, &self.plan)? {
            // R / (2 z + ε) to both (AttnLRP, proposition 3.3).
            None => self.share(s, find("MatMul").ok_or("no gradient rule")?, 2.0, rule.stabilizer),
            Some(layer) => {
                let relevance = layer.send(s, &self.accounts, rule)?;
                only_at(if s.needs(0) { 0 } else { 1 }, relevance)
            }
        }
    }

    fn unweighted(&self, s: &mut Step<'_>, way: Way, stabilizer: f64) -> Signals {
        let gradient = |s: &Step<'_>| find(&s.at().op).ok_or("no gradient rule");
        match way {
            Way::Weighted | Way::Pass => pass(s),
            Way::Move if s.at().string("reduction").is_some_and(|reduction| reduction != "none") => {
                Err("what is scattered onto what was there before has no rule".to_owned())
            }
            Way::Move => self.moved(s, gradient(s)?),
            Way::Share => {
                let rule = gradient(s)?;
                self.share(s, rule, 1.0, stabilizer)
            }
            Way::Product | Way::Quotient => halves(s),
            Way::Extremum if carriers(s).len() == 1 => pass(s),
            Way::Extremum => gradient(s)?(s),
            Way::Softmax => self.softmax(s),
            Way::Normalization => {
                let rule = at_fixed_deviation(&s.at().op).ok_or("no rule")?;
                self.share(s, rule, 1.0, stabilizer)
            }
        }
    }

    /// Back where the elements came from; what came from constants is absorbed.
    fn moved(&self, s: &mut Step<'_>, rule: fn(&mut Step<'_>) -> Signals) -> Signals {
        let signals = rule(s)?;
        let takes_constants = ["Concat", "Pad", "ScatterElements", "ScatterND", "Where"];
        if takes_constants.contains(&s.at().op.as_str()) && carriers(s).len() < s.at().inputs.len() {
            let relevance = s.gradient()?;
            let sent: Vec<Wire> = signals.iter().flatten().map(|signal| signal.parts().0).collect();
            self.accounts.absorb_rest(s, relevance, &sent);
        }
        Ok(signals)
    }

    /// `x ⊙ Jᵀ (R / (degree · y))` for every input that depends on the input; constants absorb the rest.
    fn share(
        &self,
        s: &mut Step<'_>,
        rule: fn(&mut Step<'_>) -> Signals,
        degree: f64,
        stabilizer: f64,
    ) -> Signals {
        let (relevance, y) = (s.gradient()?, s.output(0)?);
        let total = if degree == 1.0 { y } else { s.mul_scalar(y, degree) };
        let divided = self.accounts.divided(s, relevance, total, stabilizer);
        let node = s.at();
        let needed: Vec<bool> = (0..node.inputs.len()).map(|i| s.needs(i)).collect();
        let slopes = s.apply(rule, node, divided.quotient, &needed)?;
        let mut signals = vec![None; node.inputs.len()];
        for (i, slope) in slopes.into_iter().enumerate().filter(|(i, _)| needed.get(*i) == Some(&true)) {
            if let Some(Signal::One(slope)) = slope {
                let x = s.input(i)?;
                signals[i] = Some(s.mul(x, slope));
            }
        }
        if has_constant_part(s) {
            let sent: Vec<Wire> = signals.iter().flatten().copied().chain([divided.lost]).collect();
            self.accounts.absorb_rest(s, relevance, &sent);
        }
        Ok(signals.into_iter().map(|wire| wire.map(Signal::from)).collect())
    }

    /// `R_i = x_i (R_i − y_i Σ R)`; a place that is masked by −∞ gets 0.
    fn softmax(&self, s: &mut Step<'_>) -> Signals {
        let (relevance, x, y) = (s.gradient()?, s.input(0)?, s.output(0)?);
        let axis = s.at().int("axis").unwrap_or(-1);
        let sum = s.reduce_sum(relevance, &[axis], true);
        let share = s.mul(y, sum);
        let rest = s.sub(relevance, share);
        let masked = s.less_scalar(x, f64::from(f32::MIN));
        let zero = s.scalar(0.0, x);
        let finite = s.select(masked, zero, x);
        let sent = s.mul(finite, rest);
        self.accounts.absorb_rest(s, relevance, &[sent]);
        only_at(0, sent)
    }

    fn stop(&self, s: &mut Step<'_>) -> Signals {
        for i in 0..s.at().outputs.len() {
            if let Some(signal) = s.signal(i) {
                self.accounts.absorb(s, signal.parts().0);
            }
        }
        Ok(Vec::new())
    }
}

/// Whether an op's output has a part that no input makes, or that inputs make which do not depend on the input.
fn has_constant_part(s: &Step<'_>) -> bool {
    let affine = ["BatchNormalization", "InstanceNormalization", "LayerNormalization", "LogSoftmax"];
    let sums = ["Add", "Sub", "Sum", "Mean"];
    let op = s.at().op.as_str();
    affine.contains(&op) || (sums.contains(&op) && carriers(s).len() < s.at().inputs.len())
}

/// The inputs that depend on the input.
fn carriers(s: &Step<'_>) -> Vec<usize> {
    (0..s.at().inputs.len()).filter(|i| s.needs(*i)).collect()
}

fn only_at(at: usize, relevance: Wire) -> Signals {
    let mut signals = vec![None; at];
    signals.push(Some(relevance.into()));
    Ok(signals)
}

fn pass(s: &mut Step<'_>) -> Signals {
    let relevance = s.gradient()?;
    match carriers(s)[..] {
        [at] => only_at(at, relevance),
        _ => {
            Err("several of its inputs depend on the input; relevance passes through functions of one"
                .to_owned())
        }
    }
}

/// Where two signals meet, half to each; a scale by a constant changes nothing.
fn halves(s: &mut Step<'_>) -> Signals {
    let relevance = s.gradient()?;
    match carriers(s)[..] {
        [at] => only_at(at, relevance),
        _ => {
            let half = s.mul_scalar(relevance, 0.5);
            Ok(vec![Some(half.into()); 2])
        }
    }
}
