//! A network whose input changes in a window only: the first part computed on crops around the window, the rest whole.
//!
//! A window changes only its receptive field. Where ops are local in space, each wire has a region that may change, the
//! same for all windows but for where it lies. The first part of the network is written once more for regions: each op
//! reads a crop of the map that was stored of the unchanged input, into which the region computed before is laid. The
//! regions that the first part ends in are laid into whole maps, from which the second part goes on. What is computed
//! is what the whole network computes, in the same order of ops.

mod crop;
mod head;
mod layout;
mod reading;
mod span;
#[cfg(test)]
mod tests;

use crate::error::Error;
use crate::graph::{Graph, Wire};
use crate::passes::{cut, expose, prune};
use crate::tensor::Tensor;
use crop::{Feed, Place};
use head::Head;
use layout::{Layout, Sliding, Survey};

/// What is saved must be worth another two sessions.
const LEAST_GAIN: f64 = 1.15;

/// A graph of one input `[N, channels, lengths…]` in two parts, for windows that slide over its spatial axes.
#[derive(Clone, Debug)]
pub struct Incremental {
    clean: Graph,
    head: Graph,
    tail: Graph,
    feeds: Vec<Feed>,
    places: Vec<Place>,
    coarsest: Vec<usize>,
    gain: f64,
}

impl Incremental {
    /// Splits a graph for windows of this size, one number a spatial axis, at multiples of `stride`; the last window of
    /// an axis may reach beyond the border. `None` where there is nothing local to compute on crops, or too little.
    ///
    /// # Errors
    /// A graph whose types contradict each other.
    pub fn of(graph: &Graph, size: &[usize], stride: &[usize]) -> Result<Option<Self>, Error> {
        let Some(survey) = Survey::of(graph) else { return Ok(None) };
        let sliding = Sliding { size: size.to_vec(), stride: stride.to_vec() };
        if !fits(&survey, &sliding) {
            return Ok(None);
        }
        match survey.best(&sliding).filter(|(_, gain)| *gain >= LEAST_GAIN) {
            Some((layout, gain)) => Self::split(&survey, &layout, gain).map(Some),
            None => Ok(None),
        }
    }

    fn split(survey: &Survey<'_>, layout: &Layout, gain: f64) -> Result<Self, Error> {
        let mut head = Head::emit(survey, layout)?;
        let place = |wire: &Wire| Place {
            kept: head.keep(*wire),
            spans: layout.regions[wire].clone(),
            steps: survey.steps(layout, *wire),
        };
        let places = layout.frontier.iter().map(place).collect();
        Ok(Self {
            clean: prune(&expose(survey.graph, &head.kept))?,
            tail: cut(survey.graph, &layout.frontier)?,
            head: head.graph,
            feeds: head.feeds,
            places,
            coarsest: layout.coarsest.clone(),
            gain,
        })
    }

    /// The whole graph with the maps to be stored behind its own output.
    pub fn clean(&self) -> &Graph {
        &self.clean
    }

    /// From crops to regions.
    pub fn head(&self) -> &Graph {
        &self.head
    }

    /// From whole maps, and perhaps the input, to the graph's own output.
    pub fn tail(&self) -> &Graph {
        &self.tail
    }

    /// How many times fewer multiply-adds a window takes than by the whole graph, passes over memory counted in.
    pub fn gain(&self) -> f64 {
        self.gain
    }

    /// The inputs of [`Incremental::head`] for windows that begin at these positions, one number a spatial axis. `rows`
    /// are the windows' occluded inputs, `kept` what [`Incremental::clean`] gave behind its output for the input as it is.
    ///
    /// # Errors
    /// Maps that hold no floats.
    pub fn head_inputs(
        &self,
        rows: &Tensor,
        kept: &[Tensor],
        corners: &[Vec<usize>],
    ) -> Result<Vec<Tensor>, Error> {
        let indices = self.indices(corners);
        self.feeds.iter().map(|feed| feed.crops(rows, kept, &indices)).collect()
    }

    /// The inputs of [`Incremental::tail`] for the same windows, from what the head gave.
    ///
    /// # Errors
    /// Maps that hold no floats.
    pub fn tail_inputs(
        &self,
        rows: &Tensor,
        kept: &[Tensor],
        corners: &[Vec<usize>],
        regions: &[Tensor],
    ) -> Result<Vec<Tensor>, Error> {
        let indices = self.indices(corners);
        let laid =
            self.places.iter().zip(regions).map(|(place, regions)| place.laid(kept, regions, &indices));
        let mut inputs = laid.collect::<Result<Vec<_>, _>>()?;
        if self.tail.inputs().len() > inputs.len() {
            inputs.push(rows.clone());
        }
        Ok(inputs)
    }

    fn indices(&self, corners: &[Vec<usize>]) -> Vec<Vec<usize>> {
        let index =
            |corner: &Vec<usize>| corner.iter().zip(&self.coarsest).map(|(p, step)| p / step).collect();
        corners.iter().map(index).collect()
    }
}

/// Whether there is a positive number for each spatial axis.
fn fits(survey: &Survey<'_>, sliding: &Sliding) -> bool {
    let n_axes = reading::map_lengths(survey.graph, survey.input).map_or(0, |lengths| lengths.len());
    let whole = |numbers: &[usize]| numbers.len() == n_axes && !numbers.contains(&0);
    whole(&sliding.size) && whole(&sliding.stride)
}
