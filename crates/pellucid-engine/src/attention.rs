//! The attention methods with their options, as a person asks for them.

use ndarray::ArrayD;
use pellucid_core::{Attribution, Target, Work};
use pellucid_explain::Network;
use pellucid_explain::attention::{self, attention};
use pellucid_explain::attention_maps::{HeadFusion, Look, Query};
use pellucid_explain::attention_rollout::{self, attention_rollout};
use pellucid_explain::attention_x_gradient::{self, attention_x_gradient};
use pellucid_explain::compile;

use crate::error::Error;
use crate::method::MethodOptions;
use crate::model::LoadedModel;
use crate::parameter::Parameter;

/// What a person says of an attention method.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AttentionOptions {
    /// attention: one head. Default: all of them fused.
    pub head: Option<usize>,
    /// attention, attention_rollout: `mean` (default), `max` or `min`.
    pub head_fusion: Option<String>,
    /// attention_rollout: the share of the smallest weights that is dropped. Default: 0.
    pub discard_ratio: Option<f64>,
    /// attention_rollout, attention_x_gradient: the first layer. Default: 0, the one nearest to the input.
    pub start_layer: Option<usize>,
    /// The token that looks at the others: `auto` (default), `mean`, `last`, or its number.
    pub query: Option<String>,
}

/// An attention method with all its options set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AttentionMethod {
    /// The weights of one layer.
    Weights(attention::Options),
    /// The weights followed through the layers.
    Rollout(attention_rollout::Options),
    /// The weights that the target reacts to, followed through the layers.
    XGradient(attention_x_gradient::Options),
}

impl AttentionOptions {
    /// The first option that is given.
    pub(crate) fn first_given(&self) -> Option<&'static str> {
        let given = [
            ("head", self.head.is_some()),
            ("head_fusion", self.head_fusion.is_some()),
            ("discard_ratio", self.discard_ratio.is_some()),
            ("start_layer", self.start_layer.is_some()),
            ("query", self.query.is_some()),
        ];
        given.into_iter().find(|(_, given)| *given).map(|(name, _)| name)
    }
}

impl AttentionMethod {
    /// Their names.
    pub(crate) const NAMES: [&'static str; 3] = ["attention", "attention_rollout", "attention_x_gradient"];

    /// The method of that name, its options taken out of `left`; `None` where it is another one's name.
    pub(crate) fn new(
        name: &str,
        left: &mut MethodOptions,
        model: &LoadedModel,
    ) -> Result<Option<Self>, Error> {
        if !Self::NAMES.contains(&name) {
            return Ok(None);
        }
        let query = left.attention.query.take().map_or(Ok(Query::Auto), |text| parse_query(&text))?;
        let look = Look { query, channel_axis: model.channel_axis().unwrap_or(0) };
        if name == "attention_x_gradient" {
            let start_layer = left.attention.start_layer.take().unwrap_or(0);
            return Ok(Some(Self::XGradient(attention_x_gradient::Options { start_layer, look })));
        }
        let fusion =
            left.attention.head_fusion.take().map_or(Ok(HeadFusion::Mean), |text| parse_fusion(&text))?;
        if name == "attention" {
            let layer = left.layer.take().map(|text| parse_layer(&text)).transpose()?;
            let head = left.attention.head.take();
            return Ok(Some(Self::Weights(attention::Options { layer, head, fusion, look })));
        }
        let discard_ratio = left.attention.discard_ratio.take().unwrap_or(0.0);
        let start_layer = left.attention.start_layer.take().unwrap_or(0);
        Ok(Some(Self::Rollout(attention_rollout::Options { fusion, discard_ratio, start_layer, look })))
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Weights(_) => Self::NAMES[0],
            Self::Rollout(_) => Self::NAMES[1],
            Self::XGradient(_) => Self::NAMES[2],
        }
    }

    /// The axis of an image row that holds channels.
    pub(crate) fn channel_axis(&self) -> usize {
        let look = match self {
            Self::Weights(options) => options.look,
            Self::Rollout(options) => options.look,
            Self::XGradient(options) => options.look,
        };
        look.channel_axis
    }

    /// The method as graphs are compiled with it.
    pub(crate) fn compiled(&self) -> compile::Method {
        match *self {
            Self::Weights(options) => compile::Method::Attention(options),
            Self::Rollout(options) => compile::Method::AttentionRollout(options),
            Self::XGradient(options) => compile::Method::AttentionXGradient(options),
        }
    }

    pub(crate) fn parameters(&self) -> Vec<(&'static str, Parameter)> {
        let count = |count: Option<usize>| count.map_or(Parameter::Unset, Parameter::Count);
        match self {
            Self::Weights(options) => vec![
                ("layer", count(options.layer)),
                ("head", count(options.head)),
                ("head_fusion", fusion_text(options.fusion).into()),
                ("query", query_text(options.look.query).into()),
            ],
            Self::Rollout(options) => vec![
                ("head_fusion", fusion_text(options.fusion).into()),
                ("discard_ratio", options.discard_ratio.into()),
                ("start_layer", options.start_layer.into()),
                ("query", query_text(options.look.query).into()),
            ],
            Self::XGradient(options) => vec![
                ("start_layer", options.start_layer.into()),
                ("query", query_text(options.look.query).into()),
            ],
        }
    }

    pub(crate) fn attribute(
        &self,
        network: &Network,
        rows: &ArrayD<f32>,
        target: &Target,
        work: &Work,
    ) -> Result<Attribution, pellucid_explain::Error> {
        match self {
            Self::Weights(options) => attention(network, rows, target, options, work),
            Self::Rollout(options) => attention_rollout(network, rows, target, options, work),
            Self::XGradient(options) => attention_x_gradient(network, rows, target, options, work),
        }
    }
}

fn parse_query(text: &str) -> Result<Query, Error> {
    match (text, text.parse()) {
        ("auto", _) => Ok(Query::Auto),
        ("mean", _) => Ok(Query::Mean),
        ("last", _) => Ok(Query::Last),
        (_, Ok(token)) => Ok(Query::Token(token)),
        _ => Err(Error::request(
            "query",
            format!("`{text}` is none; write auto, mean, last, or a token's number"),
        )),
    }
}

fn query_text(query: Query) -> String {
    match query {
        Query::Auto => "auto".to_owned(),
        Query::Mean => "mean".to_owned(),
        Query::Last => "last".to_owned(),
        Query::Token(token) => token.to_string(),
    }
}

fn parse_layer(text: &str) -> Result<usize, Error> {
    text.parse()
        .map_err(|_| Error::request("layer", format!("`{text}` is no number of a layer, counted from 0")))
}

fn parse_fusion(text: &str) -> Result<HeadFusion, Error> {
    let found = HeadFusion::NAMES.iter().find(|(known, _)| *known == text).map(|(_, fusion)| *fusion);
    found.ok_or_else(|| Error::request("head_fusion", format!("`{text}` is none; there are: mean, max, min")))
}

fn fusion_text(fusion: HeadFusion) -> &'static str {
    HeadFusion::NAMES.iter().find(|(_, known)| *known == fusion).map_or("", |(name, _)| name)
}
