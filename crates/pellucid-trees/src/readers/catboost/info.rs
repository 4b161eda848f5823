//! `model_info`: the loss function, the classes, the version.

use serde_json::Value;

use crate::ensemble::{Link, Provenance};
use crate::error::Error;

pub(super) struct Info {
    pub(super) link: Link,
    pub(super) output_names: Option<Vec<String>>,
    pub(super) provenance: Provenance,
}

impl Info {
    pub(super) fn of(info: &Value, n_outputs: usize) -> Result<Self, Error> {
        let loss = loss_of(info);
        let mut warnings = Vec::new();
        let link = match loss.as_deref() {
            None => {
                warnings.push(
                    "the file does not tell the loss function: predictions are CatBoost's RawFormulaVal"
                        .to_owned(),
                );
                Link::Identity
            }
            Some(loss) => link_of(loss)?,
        };
        if loss.as_deref() == Some("RMSEWithUncertainty") {
            warnings.push(
                "the second output is the logarithm of a standard deviation; CatBoost's predict gives the variance, \
                exp(2 · output)"
                    .to_owned(),
            );
        }
        Ok(Self {
            link,
            output_names: output_names(info, n_outputs),
            provenance: Provenance {
                library: "catboost".to_owned(),
                version: version_of(info),
                objective: loss.unwrap_or_else(|| "unknown".to_owned()),
                warnings,
            },
        })
    }
}

/// In the training parameters, or beside them in a sum of models; there as JSON within a text.
fn loss_of(info: &Value) -> Option<String> {
    let object = |value: &Value| match value {
        Value::String(text) => serde_json::from_str(text).unwrap_or(Value::Null),
        other => other.clone(),
    };
    let losses = [&info["params"], info].map(|place| object(&object(place)["loss_function"]));
    losses.iter().find_map(|loss| loss["type"].as_str()).map(str::to_owned)
}

/// What `predict` and `predict_proba` do with raw values.
fn link_of(loss: &str) -> Result<Link, Error> {
    Ok(match loss {
        "Logloss" | "CrossEntropy" | "Focal" | "MultiClassOneVsAll" | "MultiLogloss"
        | "MultiCrossEntropy" => Link::Sigmoid { slope: 1.0 },
        "MultiClass" => Link::Softmax,
        "Poisson" | "Tweedie" => Link::Exp,
        "RMSE"
        | "MAE"
        | "Quantile"
        | "MultiQuantile"
        | "Expectile"
        | "LogLinQuantile"
        | "Lq"
        | "Huber"
        | "MAPE"
        | "LogCosh"
        | "RMSEWithUncertainty"
        | "Cox"
        | "SurvivalAft"
        | "MultiRMSE"
        | "MultiRMSEWithMissingValues"
        | "YetiRank"
        | "YetiRankPairwise"
        | "PairLogit"
        | "PairLogitPairwise"
        | "QueryRMSE"
        | "QuerySoftMax"
        | "QueryCrossEntropy"
        | "StochasticRank"
        | "StochasticFilter"
        | "LambdaMart"
        | "GroupQuantile"
        | "PythonUserDefinedPerObject"
        | "PythonUserDefinedMultiTarget" => Link::Identity,
        _ => {
            return Err(Error::Unsupported {
                what: format!("CatBoost's loss function `{}`", loss.chars().take(60).collect::<String>()),
                hint: "how it turns raw values into predictions is not known".to_owned(),
            });
        }
    })
}

/// The classes; of two classes with one output, the second.
fn output_names(info: &Value, n_outputs: usize) -> Option<Vec<String>> {
    let classes = info["class_params"]["class_names"].as_array()?;
    let names: Vec<String> =
        classes.iter().map(|class| class.as_str().map_or_else(|| class.to_string(), str::to_owned)).collect();
    match (names.len(), n_outputs) {
        (n, outputs) if n == outputs => Some(names),
        (2, 1) => Some(names[1..].to_vec()),
        _ => None,
    }
}

/// `… Branch: tags/v1.2.10 …`
fn version_of(info: &Value) -> String {
    let text = info["catboost_version_info"].as_str().unwrap_or_default();
    let tag = text.split_whitespace().find_map(|word| word.strip_prefix("tags/v"));
    tag.unwrap_or("unknown").chars().take(20).collect()
}
