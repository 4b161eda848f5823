//! Model + rows → seconds of one call of the core: what `bench/overhead.py` compares the Python package with.
//!
//!     cargo run --release -p pellucid-engine --example rows -- MODEL ROWS.f32 N_ROWS REPEATS
#![allow(clippy::print_stdout, reason = "its result")]

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use ndarray::{Array2, ArrayView2};
use pellucid_engine::{
    Input, Method, MethodOptions, ModelOptions, Opened, OutputTarget, Request, Rows, RuntimeOptions,
    TableRequest, Target, TreeMethod, TreeOptions, Work, explain, explain_rows, runtime,
};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [model, rows, n_rows, repeats] = &arguments[..] else {
        return Err("MODEL ROWS N_ROWS REPEATS".into());
    };
    let numbers: Vec<f32> = std::fs::read(rows)?
        .chunks_exact(4)
        .map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
        .collect();
    let (n_rows, repeats): (usize, usize) = (n_rows.parse()?, repeats.parse()?);
    let options = ModelOptions::default();
    let opened = Opened::open(Path::new(model), || Ok(runtime(&RuntimeOptions::default())?), &options)?;
    let rows = Array2::from_shape_vec((n_rows, numbers.len() / n_rows), numbers)?;
    let mut call = prepared(&opened, rows.view())?;
    call()?;
    let seconds = (0..repeats).map(|_| {
        let start = Instant::now();
        call()?;
        Ok(start.elapsed().as_secs_f64())
    });
    let mut seconds = seconds.collect::<Result<Vec<f64>>>()?;
    seconds.sort_by(f64::total_cmp);
    println!("{}", seconds[seconds.len() / 2]);
    Ok(())
}

type Call<'a> = Box<dyn FnMut() -> Result<()> + 'a>;

/// One call with the default method.
fn prepared<'a>(opened: &'a Opened, rows: ArrayView2<'a, f32>) -> Result<Call<'a>> {
    match opened {
        Opened::Trees(model) => {
            let method = TreeMethod::new(None, &TreeOptions::default(), model)?;
            let (target, other_columns) = (OutputTarget::Of(Target::Top(1)), Vec::new());
            let request = TableRequest { method, target, seed: 0, array: None, other_columns };
            Ok(Box::new(move || {
                explain_rows(model, Rows::F32(rows), &request, &Work::default())?;
                Ok(())
            }))
        }
        Opened::Network(model) => {
            let method = Method::new("integrated_gradients", &MethodOptions::default(), model, 0)?;
            let request = Request { method, target: Target::Top(1), seed: 0 };
            Ok(Box::new(move || {
                let input = Input::from_rows(rows.to_owned().into_dyn());
                explain(model, &input, &request, &Work::default())?;
                Ok(())
            }))
        }
    }
}
