//! What an objective does to margins, and to the base score, which files hold in the space of predictions.

use crate::ensemble::Link;
use crate::error::Error;

/// From predictions to margins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BaseLink {
    Identity,
    Logit,
    Log,
}

impl BaseLink {
    /// The margin of a base score in f32, as XGBoost computes it.
    pub(super) fn margin(self, base_score: f32) -> Option<f32> {
        let margin = match self {
            Self::Identity => base_score,
            Self::Logit => -(1.0 / base_score - 1.0).ln(),
            Self::Log => base_score.ln(),
        };
        margin.is_finite().then_some(margin)
    }

    /// What base scores may be.
    pub(super) fn domain(self) -> &'static str {
        match self {
            Self::Identity => "a finite number",
            Self::Logit => "between 0 and 1",
            Self::Log => "above 0",
        }
    }
}

/// The links of an objective in a version.
pub(super) fn links(objective: &str, version: &[u32]) -> Result<(Link, BaseLink), Error> {
    Ok(match objective {
        // Its base score was a probability at first.
        "binary:logitraw" if *version < *[1, 3].as_slice() => (Link::Identity, BaseLink::Logit),
        "binary:logistic" | "reg:logistic" => (Link::Sigmoid { slope: 1.0 }, BaseLink::Logit),
        "binary:hinge" => (Link::Step, BaseLink::Identity),
        "multi:softprob" | "multi:softmax" => (Link::Softmax, BaseLink::Identity),
        "count:poisson" | "reg:gamma" | "reg:tweedie" | "survival:cox" | "survival:aft" => {
            (Link::Exp, BaseLink::Log)
        }
        "binary:logitraw"
        | "rank:map"
        | "rank:ndcg"
        | "rank:pairwise"
        | "reg:absoluteerror"
        | "reg:linear"
        | "reg:pseudohubererror"
        | "reg:quantileerror"
        | "reg:squarederror"
        | "reg:squaredlogerror" => (Link::Identity, BaseLink::Identity),
        _ => {
            return Err(Error::Unsupported {
                what: format!("XGBoost's objective `{objective}`"),
                hint: "it is not known how it turns margins into predictions".to_owned(),
            });
        }
    })
}
