//! Layers with weights. Every formula is a sum of terms `x′ ⊙ (W′)ᵀ c` with `c = R / Σ W′ x′` for some parts `x′` of the
//! input and `W′` of the weights, so that the gradient's rules for the linear ops are all that is needed.

use super::accounts::Accounts;
use super::composite::{Formula, LayerRule};
use super::plan::Plan;
use crate::backward::{Signal, Step};
use crate::gradient::{derived_constant, find};
use crate::graph::{Attribute, Graph, Node, Wire};
use crate::part::Part;
use crate::tensor::Tensor;

/// `y = f(x; w) + bias`, `f` linear in both.
pub(super) struct Layer {
    /// The node without its bias.
    node: Node,
    /// Which of its inputs is `x`.
    at: usize,
    x: Wire,
    w: Wire,
    /// As it is added to `y`, by broadcasting.
    bias: Option<Wire>,
    y: Wire,
    /// Whether `x` is never below 0.
    nonnegative: bool,
}

/// `sign · x ⊙ wᵀ …`
struct Term {
    x: Wire,
    w: Wire,
    sign: f64,
}

/// The terms that share one denominator.
struct Share {
    terms: Vec<Term>,
    bias: Option<Wire>,
    /// The denominator, where it is there already.
    total: Option<Wire>,
}

impl Layer {
    /// The layer at a step, `None` for a product of two activations.
    pub(super) fn of(s: &mut Step<'_>, plan: &Plan) -> Result<Option<Self>, String> {
        let at = match (s.at().op.as_str(), s.needs(0), s.needs(1)) {
            (_, true, false) => 0,
            ("MatMul" | "Gemm", false, true) => 1,
            ("MatMul", true, true) => return Ok(None),
            _ => return Err("no rule for weights that depend on the input".to_owned()),
        };
        if s.needs(2) {
            return Err("no rule for a bias that depends on the input".to_owned());
        }
        let (x, mut w) = (s.input(at)?, s.input(1 - at)?);
        let behind = plan.biases.get(&s.place().index);
        let (bias, y) = match behind {
            Some(behind) => (Some(behind.wire), behind.output),
            None => (own_bias(s)?, s.output(0)?),
        };
        let mut node = s.at().clone();
        // A Gemm's `alpha` belongs to its weights.
        if let Some(Attribute::Float(alpha)) = node.attributes.remove("alpha") {
            w = Part::Scaled(f64::from(alpha)).of(s, w);
        }
        node.inputs.truncate(2);
        (node.name, node.outputs) = (String::new(), Vec::new());
        Ok(Some(Self { node, at, x, w, bias, y, nonnegative: plan.nonnegative.contains(&x) }))
    }

    /// The relevance of `x` from that of `y`, which arrived.
    pub(super) fn send(
        &self,
        s: &mut Step<'_>,
        accounts: &Accounts,
        rule: &LayerRule,
    ) -> Result<Wire, String> {
        use Part::*;
        let relevance = s.gradient()?;
        let send = |s: &mut Step<'_>, relevance: Wire, share: &Share| {
            self.send_share(s, accounts, relevance, share, rule.stabilizer)
        };
        match &rule.formula {
            Formula::Epsilon => {
                let share = Share { total: Some(self.y), ..self.share(s, &[(Whole, Whole)], Some(Whole)) };
                send(s, relevance, &share)
            }
            Formula::Norm => {
                let total = if self.bias.is_none() { Some(self.y) } else { None };
                let share = Share { total, ..self.share(s, &[(Whole, Whole)], None) };
                send(s, relevance, &share)
            }
            Formula::ZPlus => {
                let share = self.positive_share(s);
                send(s, relevance, &share)
            }
            Formula::AlphaBeta { alpha, beta } => {
                let (up, down) = (s.mul_scalar(relevance, *alpha), s.mul_scalar(relevance, -beta));
                let positive = self.positive_share(s);
                let negative = self.share(s, &[(Positive, Negative), (Negative, Positive)], Some(Negative));
                let (for_it, against) = (send(s, up, &positive)?, send(s, down, &negative)?);
                Ok(s.add(for_it, against))
            }
            Formula::Gamma { gamma } => {
                let (raised, lowered) = (Raised(*gamma), Lowered(*gamma));
                let below = s.less_scalar(self.y, 0.0);
                let zero = s.scalar(0.0, relevance);
                let (up, down) = (s.select(below, zero, relevance), s.select(below, relevance, zero));
                let rising = self.share(s, &[(Positive, raised), (Negative, lowered)], Some(raised));
                let falling = self.share(s, &[(Positive, lowered), (Negative, raised)], Some(lowered));
                let (of_rising, of_falling) = (send(s, up, &rising)?, send(s, down, &falling)?);
                Ok(s.add(of_rising, of_falling))
            }
            Formula::Box { low, high } => {
                let share = self.box_share(s, low, high)?;
                send(s, relevance, &share)
            }
            Formula::WSquare => {
                let share = self.share_by_weights(s, Square)?;
                send(s, relevance, &share)
            }
            Formula::Flat => {
                let share = self.share_by_weights(s, One)?;
                send(s, relevance, &share)
            }
            Formula::Pass if s.shape(self.x) == s.shape(self.y) => Ok(relevance),
            Formula::Pass => Err("the rule `pass` needs an output of the input's shape".to_owned()),
            Formula::Stop => Err("the rule `stop` sends nothing".to_owned()),
        }
    }

    fn positive_share(&self, s: &mut Graph) -> Share {
        use Part::*;
        self.share(s, &[(Positive, Positive), (Negative, Negative)], Some(Positive))
    }

    /// Pairs of a part of the input and one of the weights. Those of an input's negative part that is 0 are left out.
    fn share(&self, s: &mut Graph, pairs: &[(Part, Part)], bias: Option<Part>) -> Share {
        let is_there = |pair: &&(Part, Part)| !(self.nonnegative && pair.0 == Part::Negative);
        let mut terms = Vec::new();
        for (of_x, of_w) in pairs.iter().filter(is_there) {
            let of_x = if self.nonnegative && *of_x == Part::Positive { Part::Whole } else { *of_x };
            terms.push(Term { x: of_x.of(s, self.x), w: of_w.of(s, self.w), sign: 1.0 });
        }
        let bias = bias.zip(self.bias).map(|(part, bias)| part.of(s, bias));
        Share { terms, bias, total: None }
    }

    fn share_by_weights(&self, s: &mut Step<'_>, part: Part) -> Result<Share, String> {
        let (x, w) = (self.row_of(s, &[1.0], "ones")?, part.of(s, self.w));
        Ok(Share { terms: vec![Term { x, w, sign: 1.0 }], bias: None, total: None })
    }

    /// `b − b⁺ − b⁻ = 0`: the bias takes no part.
    fn box_share(&self, s: &mut Step<'_>, low: &[f64], high: &[f64]) -> Result<Share, String> {
        let (low, high) = (self.row_of(s, low, "low")?, self.row_of(s, high, "high")?);
        let (positive, negative) = (Part::Positive.of(s, self.w), Part::Negative.of(s, self.w));
        let terms = vec![
            Term { x: self.x, w: self.w, sign: 1.0 },
            Term { x: low, w: positive, sign: -1.0 },
            Term { x: high, w: negative, sign: -1.0 },
        ];
        Ok(Share { terms, bias: None, total: None })
    }

    /// A constant of the shape of one row of `x`: one number, or one a channel, which is axis 1 of a convolution's input and
    /// the last of others.
    fn row_of(&self, s: &mut Step<'_>, numbers: &[f64], name: &str) -> Result<Wire, String> {
        let shape = s.shape(self.x).ok_or("the shape of the input is unknown")?;
        let shape: Vec<usize> = shape.iter().map(|dim| dim.known().unwrap_or(1)).collect();
        let axis = if self.node.op.starts_with("Conv") { 1 } else { shape.len() - 1 };
        let (n_channels, inner) = (shape[axis], shape[axis + 1..].iter().product::<usize>());
        if numbers.len() != 1 && numbers.len() != n_channels {
            return Err(format!("{} bounds for {n_channels} channels of the input", numbers.len()));
        }
        let of_element =
            |i: usize| if numbers.len() == 1 { numbers[0] } else { numbers[i / inner % n_channels] };
        let n = shape.iter().product();
        let row = Tensor::f64(&shape, (0..n).map(of_element).collect()).cast(s.element(self.x));
        Ok(derived_constant(s, self.x, name, row))
    }

    /// `Σ sign · x ⊙ wᵀ c` with `c = R / (Σ sign · w x + bias)`.
    fn send_share(
        &self,
        s: &mut Step<'_>,
        accounts: &Accounts,
        relevance: Wire,
        share: &Share,
        stabilizer: f64,
    ) -> Result<Wire, String> {
        let total = match share.total {
            Some(total) => total,
            None => self.total(s, share)?,
        };
        let c = accounts.divided(s, relevance, total, stabilizer).quotient;
        if let Some(bias) = share.bias {
            let kept = s.mul(bias, c);
            accounts.absorb(s, kept);
        }
        let mut sum = None;
        for term in &share.terms {
            let back = self.back(s, term.w, c)?;
            let part = s.mul(term.x, back);
            sum = Some(match sum {
                None => part,
                Some(sum) => signed_sum(s, sum, part, term.sign),
            });
        }
        sum.ok_or_else(|| "no term to share".to_owned())
    }

    /// `Σ sign · f(x; w) + bias`
    fn total(&self, s: &mut Step<'_>, share: &Share) -> Result<Wire, String> {
        let mut total = share.bias;
        for term in &share.terms {
            let product = self.forward(s, term.x, term.w)?;
            total = Some(match total {
                None => product,
                Some(total) => signed_sum(s, total, product, term.sign),
            });
        }
        total.ok_or_else(|| "no term to share".to_owned())
    }

    /// The node on another input and other weights.
    fn with(&self, x: Wire, w: Wire) -> Node {
        let inputs = if self.at == 0 { vec![Some(x), Some(w)] } else { vec![Some(w), Some(x)] };
        Node { inputs, ..self.node.clone() }
    }

    fn forward(&self, s: &mut Step<'_>, x: Wire, w: Wire) -> Result<Wire, String> {
        let node = self.with(x, w);
        s.add_node(node, &[Some("")])[0].ok_or_else(|| "a node without an output".to_owned())
    }

    /// `wᵀ c`, by the gradient's rule of the op.
    fn back(&self, s: &mut Step<'_>, w: Wire, c: Wire) -> Result<Wire, String> {
        let rule = find(&self.node.op).ok_or("no gradient rule")?;
        let node = self.with(self.x, w);
        let needed = [self.at == 0, self.at == 1];
        match s.apply(rule, &node, c, &needed)?.get(self.at) {
            Some(Some(Signal::One(wire))) => Ok(*wire),
            _ => Err("the gradient's rule gave nothing".to_owned()),
        }
    }
}

fn signed_sum(s: &mut Graph, sum: Wire, part: Wire, sign: f64) -> Wire {
    if sign < 0.0 { s.sub(sum, part) } else { s.add(sum, part) }
}

/// A convolution's bias is one number a channel; Gemm scales its own by `beta`.
fn own_bias(s: &mut Step<'_>) -> Result<Option<Wire>, String> {
    let Some(bias) = s.optional_input(2) else { return Ok(None) };
    if s.at().op == "Gemm" {
        let beta = s.at().float("beta").unwrap_or(1.0);
        return Ok(Some(if beta == 1.0 { bias } else { s.mul_scalar(bias, beta) }));
    }
    let x = s.input(0)?;
    let mut shape = vec![1; s.known_rank(x)? - 1];
    shape[0] = -1;
    match s.constant(bias).cloned() {
        Some(tensor) => {
            let shape: Vec<usize> = shape.iter().map(|&n| if n < 0 { tensor.len() } else { 1 }).collect();
            let tensor = Tensor::f64(&shape, tensor.to_f64s()).cast(tensor.element());
            Ok(Some(derived_constant(s, bias, "per_channel", tensor)))
        }
        None => Ok(Some(s.reshape(bias, &shape))),
    }
}
