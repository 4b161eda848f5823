//! What a person writes for a baseline.

use std::path::Path;

use ndarray::{ArrayD, Axis};
use pellucid_core::Baseline;

use crate::error::Error;
use crate::input;

/// The baseline that `text` names: `zeros`, `value:0.5`, `black`, `white`, `blurred:SIGMA` (pixels), `uniform`,
/// `gaussian:SIGMA` (share of the row's range), `array:FILE` (one row), `mean:FILE` (the mean of a data set's rows).
/// Files hold rows of `input_shape`, `.npy`, `.npz` or `.csv`.
///
/// # Errors
/// Anything else; a file that cannot be read or holds rows of another shape.
pub fn parse_baseline(text: &str, input_shape: &[usize]) -> Result<Baseline, Error> {
    let (name, argument) = match text.split_once(':') {
        Some((name, argument)) => (name, Some(argument)),
        None => (text, None),
    };
    let number = |argument: &str| {
        let number: Option<f64> = argument.parse().ok().filter(|number: &f64| number.is_finite());
        number.ok_or_else(|| {
            Error::request("baseline", format!("`{argument}` in `{text}` is no finite number"))
        })
    };
    match (name, argument) {
        ("zeros", None) => Ok(Baseline::Zeros),
        ("black", None) => Ok(Baseline::Black),
        ("white", None) => Ok(Baseline::White),
        ("uniform", None) => Ok(Baseline::Uniform),
        ("value", Some(value)) => Ok(Baseline::Value(number(value)? as f32)),
        ("blurred", Some(sigma)) => Ok(Baseline::Blurred { sigma: number(sigma)? }),
        ("gaussian", Some(sigma)) => Ok(Baseline::Gaussian { sigma: number(sigma)? }),
        ("array", Some(path)) => one_row(Path::new(path), input_shape).map(Baseline::Array),
        ("mean", Some(path)) => mean(Path::new(path), input_shape).map(Baseline::Array),
        _ => Err(Error::request(
            "baseline",
            format!(
                "`{text}` is none; there are zeros, value:NUMBER, black, white, blurred:SIGMA, uniform, \
                 gaussian:SIGMA, array:FILE and mean:FILE"
            ),
        )),
    }
}

fn one_row(path: &Path, input_shape: &[usize]) -> Result<ArrayD<f32>, Error> {
    let rows = input::rows_of_file(path, None, input_shape)?;
    match rows.len_of(Axis(0)) {
        1 => Ok(rows.index_axis(Axis(0), 0).to_owned()),
        n => Err(Error::input(path, format!("holds {n} rows; a baseline is one (or write mean:FILE)"))),
    }
}

fn mean(path: &Path, input_shape: &[usize]) -> Result<ArrayD<f32>, Error> {
    let rows = input::rows_of_file(path, None, input_shape)?;
    let n = rows.len_of(Axis(0)) as f64;
    Ok((rows.mapv(f64::from).sum_axis(Axis(0)) / n).mapv(|x| x as f32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn baselines_are_told_apart() {
        let check =
            |text: &str, expected: Baseline| assert_eq!(parse_baseline(text, &[2]).unwrap(), expected);
        check("zeros", Baseline::Zeros);
        check("value:-0.5", Baseline::Value(-0.5));
        check("blurred:4", Baseline::Blurred { sigma: 4.0 });
        check("gaussian:0.1", Baseline::Gaussian { sigma: 0.1 });
        for wrong in ["grey", "value", "value:x", "zeros:1", "blurred:nan"] {
            assert!(parse_baseline(wrong, &[2]).is_err(), "{wrong}");
        }
    }

    #[test]
    fn files_give_one_row_or_the_mean_of_many() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        std::fs::write(&path, "a,b\n1,2\n3,6\n").unwrap();
        let of = |what: &str| parse_baseline(&format!("{what}:{}", path.display()), &[2]);
        assert_eq!(of("mean").unwrap(), Baseline::Array(array![2.0f32, 4.0].into_dyn()));
        assert!(of("array").unwrap_err().to_string().contains("holds 2 rows"));
    }
}
