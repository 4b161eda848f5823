//! The reference input that an attribution compares with.

use ndarray::{Array1, ArrayD, ArrayViewD, Axis, Dimension};
use rand_distr::{Distribution, StandardNormal, Uniform};

use crate::digest::row_digest;
use crate::error::Error;
use crate::random::Draws;

/// How the baseline of a row is made.
#[derive(Clone, Debug, PartialEq)]
pub enum Baseline {
    /// Zeros, in the model's own input space.
    Zeros,
    /// One number everywhere.
    Value(f32),
    /// An array of the row's shape, the mean of a data set above all.
    Array(ArrayD<f32>),
    /// A baseline of its own for each row, `[rows, features…]`.
    PerRow(ArrayD<f32>),
    /// A black image, in the model's input space after preprocessing.
    Black,
    /// A white image, likewise.
    White,
    /// The image itself behind a Gaussian blur; `sigma` in pixels.
    Blurred {
        /// Standard deviation of the blur.
        sigma: f64,
    },
    /// Each element uniform over the row's own range.
    Uniform,
    /// The row plus Gaussian noise; `sigma` as a share of the row's range.
    Gaussian {
        /// Standard deviation over the row's range (max − min).
        sigma: f64,
    },
}

/// What black and white are in the model's input space, and where channels lie.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageValues {
    /// Black, one number a channel.
    pub black: Vec<f32>,
    /// White, one number a channel.
    pub white: Vec<f32>,
    /// The axis of the row that holds channels: 0 for NCHW, 2 for NHWC.
    pub channel_axis: usize,
}

impl Baseline {
    /// The baseline of each of `rows`, `[rows, features…]`.
    ///
    /// # Errors
    /// As [`Baseline::of_row`]; another number of baselines than of rows.
    pub fn of_rows(
        &self,
        rows: ArrayViewD<'_, f32>,
        image: Option<&ImageValues>,
        seed: u64,
    ) -> Result<ArrayD<f32>, Error> {
        if let Self::PerRow(array) = self {
            if array.shape() != rows.shape() {
                let reason = format!("have shape {:?} and the rows {:?}", array.shape(), rows.shape());
                return Err(self.fault(reason));
            }
            return self.finite(array.clone());
        }
        let mut baselines = ArrayD::zeros(rows.raw_dim());
        for (mut slot, row) in baselines.outer_iter_mut().zip(rows.outer_iter()) {
            slot.assign(&self.of_row(row, image, seed)?);
        }
        Ok(baselines)
    }

    /// The baseline of one row, of the row's shape.
    ///
    /// # Errors
    /// [`Error::Baseline`] where the array's shape differs from the row's, an image is needed and there is none, or each
    /// row has its own.
    pub fn of_row(
        &self,
        row: ArrayViewD<'_, f32>,
        image: Option<&ImageValues>,
        seed: u64,
    ) -> Result<ArrayD<f32>, Error> {
        match self {
            Self::Zeros => Ok(ArrayD::zeros(row.raw_dim())),
            Self::Value(value) => self.finite(ArrayD::from_elem(row.raw_dim(), *value)),
            Self::Array(array) if array.shape() == row.shape() => self.finite(array.clone()),
            Self::Array(array) => {
                Err(self.fault(format!("its shape {:?} is not the input's {:?}", array.shape(), row.shape())))
            }
            Self::PerRow(_) => Err(self.fault("each row has its own; one alone cannot be told".to_owned())),
            Self::Black => self.filled(row, image, |image| &image.black),
            Self::White => self.filled(row, image, |image| &image.white),
            Self::Blurred { sigma } => self.blurred(row, image, *sigma),
            Self::Uniform => Ok(self.noise(row, seed)),
            Self::Gaussian { .. } => Ok(self.noise(row, seed)),
        }
    }

    /// Refuses what was given and is no point of the input's space.
    fn finite(&self, baseline: ArrayD<f32>) -> Result<ArrayD<f32>, Error> {
        match baseline.indexed_iter().find(|(_, x)| !x.is_finite()) {
            Some((place, x)) => {
                Err(self.fault(format!("holds {x} at {:?}; every number must be finite", place.slice())))
            }
            None => Ok(baseline),
        }
    }

    fn fault(&self, reason: String) -> Error {
        Error::Baseline { baseline: self.to_string(), reason }
    }

    fn channel_axis(&self, row: &ArrayViewD<'_, f32>, image: Option<&ImageValues>) -> Result<usize, Error> {
        let axis = image.map_or(0, |image| image.channel_axis);
        match row.ndim() == 3 {
            true => Ok(axis),
            false => Err(self.fault(format!("the input has {} axes and is no image", row.ndim()))),
        }
    }

    fn filled(
        &self,
        row: ArrayViewD<'_, f32>,
        image: Option<&ImageValues>,
        values: impl Fn(&ImageValues) -> &Vec<f32>,
    ) -> Result<ArrayD<f32>, Error> {
        let axis = self.channel_axis(&row, image)?;
        let image = image
            .ok_or_else(|| self.fault("needs image preprocessing (preprocess.json or flags)".to_owned()))?;
        let mut filled = ArrayD::zeros(row.raw_dim());
        for (mut channel, value) in filled.axis_iter_mut(Axis(axis)).zip(values(image)) {
            channel.fill(*value);
        }
        Ok(filled)
    }

    fn blurred(
        &self,
        row: ArrayViewD<'_, f32>,
        image: Option<&ImageValues>,
        sigma: f64,
    ) -> Result<ArrayD<f32>, Error> {
        if !(sigma > 0.0 && sigma.is_finite()) {
            return Err(self.fault("sigma must be a positive number of pixels".to_owned()));
        }
        let channels = self.channel_axis(&row, image)?;
        let mut blurred = row.to_owned();
        for axis in (0..row.ndim()).filter(|&axis| axis != channels) {
            for mut lane in blurred.lanes_mut(Axis(axis)) {
                let smooth = blur_lane(&lane.to_vec(), sigma);
                lane.assign(&Array1::from(smooth));
            }
        }
        Ok(blurred)
    }

    fn noise(&self, row: ArrayViewD<'_, f32>, seed: u64) -> ArrayD<f32> {
        let mut generator = Draws::new(seed, &row_digest(row.view()), "baseline").draw(0);
        let low = row.iter().copied().fold(f32::INFINITY, f32::min);
        let high = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        match self {
            Self::Gaussian { sigma } => {
                let sigma = (*sigma * f64::from(high - low)) as f32;
                row.mapv(|x| {
                    let z: f32 = StandardNormal.sample(&mut generator);
                    x + sigma * z
                })
            }
            _ => match Uniform::new_inclusive(low, high) {
                Ok(uniform) => row.mapv(|_| uniform.sample(&mut generator)),
                Err(_) => row.to_owned(),
            },
        }
    }
}

/// One line behind a Gaussian, edges repeated. The kernel reaches to 4 σ.
fn blur_lane(lane: &[f32], sigma: f64) -> Vec<f32> {
    let radius = (4.0 * sigma).ceil() as i64;
    let kernel: Vec<f64> = (-radius..=radius).map(|d| (-0.5 * (d as f64 / sigma).powi(2)).exp()).collect();
    let total: f64 = kernel.iter().sum();
    let last = lane.len() as i64 - 1;
    let at = |i: i64| f64::from(lane[i.clamp(0, last) as usize]);
    let smooth = |center: i64| -> f64 {
        (-radius..=radius).zip(&kernel).map(|(d, weight)| weight * at(center + d)).sum::<f64>() / total
    };
    (0..=last).map(|center| smooth(center) as f32).collect()
}

impl std::fmt::Display for Baseline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Zeros => f.write_str("zeros"),
            Self::Value(value) => write!(f, "{value}"),
            Self::Array(_) => f.write_str("array"),
            Self::PerRow(_) => f.write_str("per row"),
            Self::Black => f.write_str("black"),
            Self::White => f.write_str("white"),
            Self::Blurred { sigma } => write!(f, "blurred:{sigma}"),
            Self::Uniform => f.write_str("uniform"),
            Self::Gaussian { sigma } => write!(f, "gaussian:{sigma}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array3, arr1, arr2};

    fn image() -> (ArrayD<f32>, ImageValues) {
        let pixels = Array3::from_shape_fn((2, 4, 5), |(c, y, x)| (c * 20 + y * 5 + x) as f32).into_dyn();
        (pixels, ImageValues { black: vec![-1.0, -2.0], white: vec![1.0, 2.0], channel_axis: 0 })
    }

    #[test]
    fn black_and_white_are_filled_by_channel() {
        let (row, values) = image();
        let black = Baseline::Black.of_row(row.view(), Some(&values), 0).expect("an image");
        assert!(black.index_axis(Axis(0), 1).iter().all(|&x| x == -2.0));
        assert!(Baseline::Black.of_row(row.view(), None, 0).is_err());
    }

    #[test]
    fn blurring_keeps_the_range_and_a_constant() {
        let (row, values) = image();
        let blurred =
            Baseline::Blurred { sigma: 1.5 }.of_row(row.view(), Some(&values), 0).expect("an image");
        assert!(blurred.iter().all(|&x| (0.0..=39.0).contains(&x)));
        let flat = ArrayD::from_elem(row.raw_dim(), 3.5f32);
        let same = Baseline::Blurred { sigma: 2.0 }.of_row(flat.view(), None, 0).expect("an image");
        assert!(same.iter().all(|&x| (x - 3.5).abs() < 1e-5));
    }

    #[test]
    fn noise_repeats_from_its_seed_and_stays_in_range() {
        let row = arr1(&[0.0f32, 2.0, 1.0]).into_dyn();
        let noise = |seed| Baseline::Uniform.of_row(row.view(), None, seed).expect("any row");
        assert_eq!(noise(3), noise(3));
        assert_ne!(noise(3), noise(4));
        assert!(noise(3).iter().all(|x| (0.0..=2.0).contains(x)));
        let gaussian = Baseline::Gaussian { sigma: 0.0 }.of_row(row.view(), None, 1).expect("any row");
        assert_eq!(gaussian, row);
    }

    #[test]
    fn rows_may_have_baselines_of_their_own() {
        let rows = arr2(&[[0.0f32, 2.0], [1.0, 3.0]]).into_dyn();
        let own = Baseline::PerRow(&rows + 1.0);
        assert_eq!(own.of_rows(rows.view(), None, 0).expect("as many"), &rows + 1.0);
        let fewer = Baseline::PerRow(ArrayD::zeros(vec![1, 2])).of_rows(rows.view(), None, 0);
        assert!(fewer.expect_err("one for two rows").to_string().contains("[1, 2]"));
        let same = Baseline::Value(0.5).of_rows(rows.view(), None, 0).expect("any rows");
        assert!(same.shape() == [2, 2] && same.iter().all(|&x| x == 0.5));
    }

    #[test]
    fn what_is_not_finite_is_no_baseline() {
        let rows = arr2(&[[0.0f32, 2.0], [1.0, 3.0]]).into_dyn();
        let mut own = rows.clone();
        own[[1, 0]] = f32::NAN;
        let all = |x: f32| arr1(&[0.0, x]).into_dyn();
        let given =
            [Baseline::PerRow(own), Baseline::Array(all(f32::INFINITY)), Baseline::Value(f32::NEG_INFINITY)];
        for (baseline, reason) in given.into_iter().zip(["NaN at [1, 0]", "inf at [1]", "-inf at [0]"]) {
            let error = baseline.of_rows(rows.view(), None, 0).expect_err("not finite").to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn an_array_must_have_the_rows_shape() {
        let row = arr1(&[0.0f32, 2.0]).into_dyn();
        let error =
            Baseline::Array(ArrayD::zeros(vec![3])).of_row(row.view(), None, 0).expect_err("another shape");
        assert!(error.to_string().contains("[3]"), "{error}");
    }
}
