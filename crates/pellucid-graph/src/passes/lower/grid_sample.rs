//! GridSample as picked pixels: up to four for each place of the grid, times what each counts for.

use super::{Lowering, input, length};
use crate::graph::{Attribute, Graph, Node, Wire};
use crate::tensor::ElementType;

pub(super) fn lowering(op: &str) -> Option<Lowering> {
    (op == "GridSample").then_some(grid_sample)
}

/// An image, `[batch, channels, height, width]`, and where it is sampled.
struct Sampling {
    /// `[batch, channels, height · width]`
    image: Wire,
    n_channels: usize,
    n_places: usize,
    /// Whether pixels outside count as 0.
    zeros: bool,
}

/// A pixel along one axis for each place, `[batch, places]`: its coordinate, and its share where there are two.
#[derive(Clone, Copy)]
struct Neighbor {
    coordinate: Wire,
    share: Option<Wire>,
    length: usize,
}

fn grid_sample(g: &mut Graph, node: &Node) -> Result<Vec<Wire>, String> {
    let (x, grid) = (input(node, 0)?, input(node, 1)?);
    if g.rank(x) != Some(4) {
        return Err("images of two spatial axes are supported".to_owned());
    }
    let zeros = match node.string("padding_mode").unwrap_or("zeros") {
        "zeros" => true,
        "border" => false,
        other => return Err(format!("padding_mode `{other}` is not supported")),
    };
    let nearest = match node.string("mode").unwrap_or("linear") {
        "linear" => false,
        "nearest" => true,
        other => return Err(format!("mode `{other}` is not supported")),
    };
    let [n_channels, height, width] = [length(g, x, 1)?, length(g, x, 2)?, length(g, x, 3)?];
    let (rows, columns) = (length(g, grid, 1)?, length(g, grid, 2)?);
    let image = g.reshape(x, &[0, 0, (height * width) as i64]);
    let places = g.reshape(grid, &[0, (rows * columns) as i64, 2]);
    let aligned = node.int("align_corners").unwrap_or(0) != 0;
    let sampling = Sampling { image, n_channels, n_places: rows * columns, zeros };
    let mut axis = |which: i64, length: usize| {
        let coordinate = coordinate(g, places, which, length, aligned, !zeros);
        neighbors(g, coordinate, length, nearest)
    };
    let (across, down) = (axis(0, width), axis(1, height));
    let mut parts = Vec::new();
    for y in &down {
        for x in &across {
            parts.push(sampling.pixel(g, *y, *x));
        }
    }
    let sum = parts[1..].iter().fold(parts[0], |sum, part| g.add(sum, *part));
    Ok(vec![g.reshape(sum, &[0, 0, rows as i64, columns as i64])])
}

/// Pixels from 0 to `length − 1`: −1 and 1 are the middles of the outermost pixels where `aligned`, else their outer
/// edges.
fn coordinate(g: &mut Graph, places: Wire, which: i64, length: usize, aligned: bool, held: bool) -> Wire {
    let own = g.slice(places, 2, which, which + 1);
    let own = g.squeeze(own, &[2]);
    let last = length as f64 - 1.0;
    let scaled = g.mul_scalar(own, if aligned { last } else { length as f64 } / 2.0);
    let pixel = g.add_scalar(scaled, last / 2.0);
    if held { clipped(g, pixel, length) } else { pixel }
}

fn clipped(g: &mut Graph, x: Wire, length: usize) -> Wire {
    let (low, high) = (g.scalar(0.0, x), g.scalar(length as f64 - 1.0, x));
    g.node("Clip", &[x, low, high], &[])
}

fn neighbors(g: &mut Graph, coordinate: Wire, length: usize, nearest: bool) -> Vec<Neighbor> {
    if nearest {
        let coordinate = g.node("Round", &[coordinate], &[]);
        return vec![Neighbor { coordinate, share: None, length }];
    }
    let low = g.node("Floor", &[coordinate], &[]);
    let high = g.add_scalar(low, 1.0);
    let share = g.sub(coordinate, low);
    let one = g.scalar(1.0, share);
    let rest = g.sub(one, share);
    vec![
        Neighbor { coordinate: low, share: Some(rest), length },
        Neighbor { coordinate: high, share: Some(share), length },
    ]
}

impl Neighbor {
    /// The coordinate as an index that exists.
    fn index(self, g: &mut Graph) -> Wire {
        let inside = clipped(g, self.coordinate, self.length);
        g.cast(inside, ElementType::I64)
    }

    /// Whether the pixel exists.
    fn exists(self, g: &mut Graph) -> Wire {
        let above = g.greater_scalar(self.coordinate, -0.5);
        let below = g.less_scalar(self.coordinate, self.length as f64 - 0.5);
        g.and(above, below)
    }
}

impl Sampling {
    /// The pixel at `y` and `x` of each place times what it counts for, `[batch, channels, places]`.
    fn pixel(&self, g: &mut Graph, y: Neighbor, x: Neighbor) -> Wire {
        let (row, column) = (y.index(g), x.index(g));
        let row_start = g.mul_scalar(row, x.length as f64);
        let index = g.add(row_start, column);
        let index = g.unsqueeze(index, &[1]);
        let shape = g.ints(&[1, self.n_channels as i64, self.n_places as i64]);
        let indices = g.node("Expand", &[index, shape], &[]);
        let picked = g.node("GatherElements", &[self.image, indices], &[("axis", Attribute::Int(2))]);
        let mut weight = match (y.share, x.share) {
            (Some(down), Some(across)) => Some(g.mul(down, across)),
            (one, other) => one.or(other),
        };
        if self.zeros {
            let (row_exists, column_exists) = (y.exists(g), x.exists(g));
            let exists = g.and(row_exists, column_exists);
            let counted = weight.unwrap_or_else(|| g.scalar(1.0, y.coordinate));
            weight = Some(g.keep_where(exists, counted));
        }
        match weight {
            Some(weight) => {
                let weight = g.unsqueeze(weight, &[1]);
                g.mul(picked, weight)
            }
            None => picked,
        }
    }
}
