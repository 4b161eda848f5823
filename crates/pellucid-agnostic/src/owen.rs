#![doc = include_str!("owen.md")]

use std::collections::BTreeSet;

use ndarray::{Array2, Axis};
use pellucid_core::Work;

use crate::asked::{Asked, PIECE};
use crate::coalition::Coalition;
use crate::error::Error;
use crate::estimate::Estimate;
use crate::exact::binomial;
use crate::game::Game;
use crate::hierarchy::Hierarchy;

/// A group of m has 2^m coalitions of its children in each context.
const MAX_CHILDREN: usize = 12;

/// Settings of [`owen`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// Coalitions that may be asked about.
    pub max_evaluations: usize,
}

impl Default for Options {
    /// As many evaluations as shap's partition explainer.
    fn default() -> Self {
        Self { max_evaluations: 500 }
    }
}

/// Owen values: Shapley values over those orders alone in which the players of a group come one after the other, at every level of
/// `hierarchy`. Exact where the evaluations last; else the groups that matter most are opened first, and the players of a group that stays
/// closed share its value evenly. Complete in any case.
///
/// # Errors
/// A hierarchy that is not one of the game's players, a budget without room for the first group, whatever the game reports.
pub fn owen(
    game: &dyn Game,
    hierarchy: &Hierarchy,
    options: &Options,
    work: &Work,
) -> Result<Estimate, Error> {
    check(hierarchy, game.n_players())?;
    let mut asked = Asked::new(game, work)?;
    let n_players = asked.n_players();
    let number = |player: usize| asked.active().players().binary_search(&player).ok();
    let Some(root) = hierarchy.renumbered(&number) else {
        let nothing = Array2::zeros((0, asked.n_targets()));
        return Ok(asked.estimate(nothing.view(), Some(nothing.view()), Vec::new()));
    };
    check_enough(&root, options.max_evaluations)?;
    let mut walk =
        Walk { n_players, max_evaluations: options.max_evaluations, closed: Vec::new(), open: Vec::new() };
    walk.open.push(Context::new(&root, Coalition::nobody(n_players), 1.0, n_players));
    walk.run(&mut asked)?;
    let values = walk.values(&asked);
    let unopened: BTreeSet<usize> = walk
        .closed
        .iter()
        .filter(|context| context.is_group())
        .flat_map(|context| context.node.players())
        .collect();
    if unopened.is_empty() {
        let errors = Array2::zeros(values.dim());
        return Ok(asked.estimate(values.view(), Some(errors.view()), Vec::new()));
    }
    let warning = format!(
        "{} of {n_players} players share part of their group's value evenly: {} evaluations were too few to open all groups",
        unopened.len(),
        options.max_evaluations
    );
    Ok(asked.estimate(values.view(), None, vec![warning]))
}

fn check(hierarchy: &Hierarchy, n_players: usize) -> Result<(), Error> {
    let mut players = hierarchy.players();
    players.sort_unstable();
    let refuse = |reason: String| Err(Error::setting("hierarchy", reason));
    if !players.iter().copied().eq(0..n_players) {
        return refuse(format!(
            "has the players {players:?}; each of 0 to {} must be in it once",
            n_players.wrapping_sub(1)
        ));
    }
    match most_children(hierarchy) {
        0..=MAX_CHILDREN => Ok(()),
        most => refuse(format!(
            "has a group of {most}; {MAX_CHILDREN} are the most: put groups between (`Hierarchy::halved`)"
        )),
    }
}

fn most_children(hierarchy: &Hierarchy) -> usize {
    match hierarchy {
        Hierarchy::Player(_) => 1,
        Hierarchy::Group(children) => {
            children.iter().map(most_children).max().unwrap_or(0).max(children.len())
        }
    }
}

fn check_enough(root: &Hierarchy, max_evaluations: usize) -> Result<(), Error> {
    let least = match root {
        Hierarchy::Player(_) => 2,
        Hierarchy::Group(children) => 1 << children.len(),
    };
    match max_evaluations >= least {
        true => Ok(()),
        false => Err(Error::setting(
            "max_evaluations",
            format!("{max_evaluations} are too few to open the outermost group; {least} are the least"),
        )),
    }
}

/// A node beside those outside of it who are present: `weight` of what the node adds to them goes to its players.
struct Context<'h> {
    node: &'h Hierarchy,
    present: Coalition,
    /// `present` and the node's players.
    with: Coalition,
    weight: f64,
}

impl<'h> Context<'h> {
    fn new(node: &'h Hierarchy, present: Coalition, weight: f64, n_players: usize) -> Self {
        let with = present.union(&Coalition::of(n_players, node.players()));
        Self { node, present, with, weight }
    }

    fn is_group(&self) -> bool {
        matches!(self.node, Hierarchy::Group(_))
    }

    fn children(&self) -> &'h [Hierarchy] {
        match self.node {
            Hierarchy::Player(_) => &[],
            Hierarchy::Group(children) => children,
        }
    }

    /// Who is present with each subset of the children, bit i for child i.
    fn subsets(&self, n_players: usize) -> Vec<Coalition> {
        let of_child: Vec<Coalition> =
            self.children().iter().map(|child| Coalition::of(n_players, child.players())).collect();
        let subset = |bits: usize| {
            let present = of_child.iter().enumerate().filter(|(child, _)| bits >> child & 1 == 1);
            present.fold(self.present.clone(), |all, (_, child)| all.union(child))
        };
        (0..1 << of_child.len()).map(subset).collect()
    }

    /// The children, each beside every subset of the others: `|T|! (m − |T| − 1)! / m!` of the weight.
    fn opened(&self, n_players: usize) -> Vec<Context<'h>> {
        let (children, subsets) = (self.children(), self.subsets(n_players));
        let m = children.len();
        let of_child = |child: usize| {
            let without = (0..subsets.len()).filter(move |bits| bits >> child & 1 == 0);
            let subsets = &subsets;
            without.map(move |bits| {
                let share = 1.0 / (m as f64 * binomial(m - 1, bits.count_ones() as usize));
                Context::new(&children[child], subsets[bits].clone(), self.weight * share, n_players)
            })
        };
        (0..m).flat_map(of_child).collect()
    }

    /// How much there is to share out, over all targets.
    fn size(&self, asked: &Asked<'_>) -> f64 {
        match (asked.get(&self.with), asked.get(&self.present)) {
            (Some(with), Some(without)) => {
                self.weight * (&with - &without).iter().fold(0.0_f64, |most, gain| most.max(gain.abs()))
            }
            _ => 0.0,
        }
    }
}

struct Walk<'h> {
    n_players: usize,
    max_evaluations: usize,
    open: Vec<Context<'h>>,
    /// Players, and groups that stay closed.
    closed: Vec<Context<'h>>,
}

impl Walk<'_> {
    /// Opens groups, the quarter with most to share out first, so that the model gets full batches.
    fn run(&mut self, asked: &mut Asked<'_>) -> Result<(), Error> {
        while !self.open.is_empty() {
            let mut sized: Vec<(f64, Context<'_>)> = std::mem::take(&mut self.open)
                .into_iter()
                .map(|context| (context.size(asked), context))
                .collect();
            // A stable sort: of equals the first.
            sized.sort_by(|a, b| b.0.total_cmp(&a.0));
            let n_first = sized.len().div_ceil(4);
            let (mut new, mut opening) = (BTreeSet::new(), Vec::new());
            for (index, (_, context)) in sized.into_iter().enumerate() {
                if index >= n_first || new.len() >= PIECE {
                    self.open.push(context);
                    continue;
                }
                let subsets = context.subsets(self.n_players).into_iter();
                let of_context: Vec<Coalition> =
                    subsets.filter(|subset| !asked.knows(subset) && !new.contains(subset)).collect();
                if asked.evaluations() + new.len() + of_context.len() > self.max_evaluations {
                    self.closed.push(context);
                } else {
                    new.extend(of_context);
                    opening.push(context);
                }
            }
            asked.ask(new)?;
            for context in opening.iter().flat_map(|context| context.opened(self.n_players)) {
                if context.is_group() { self.open.push(context) } else { self.closed.push(context) }
            }
        }
        Ok(())
    }

    fn values(&self, asked: &Asked<'_>) -> Array2<f64> {
        let mut values: Array2<f64> = Array2::zeros((self.n_players, asked.n_targets()));
        for context in &self.closed {
            if let (Some(with), Some(without)) = (asked.get(&context.with), asked.get(&context.present)) {
                let players = context.node.players();
                let share = (&with - &without) * (context.weight / players.len() as f64);
                for player in players {
                    let mut value = values.index_axis_mut(Axis(0), player);
                    value += &share;
                }
            }
        }
        values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Listed, work};
    use Hierarchy::{Group, Player};

    fn tree() -> Hierarchy {
        Group(vec![
            Group(vec![Player(4), Player(0)]),
            Player(2),
            Group(vec![Player(1), Group(vec![Player(3), Player(5)])]),
        ])
    }

    /// All orders that keep groups together.
    fn orders(node: &Hierarchy) -> Vec<Vec<usize>> {
        match node {
            Player(player) => vec![vec![*player]],
            Group(children) => permutations(children.len())
                .into_iter()
                .flat_map(|order| {
                    order.into_iter().fold(vec![vec![]], |starts: Vec<Vec<usize>>, child| {
                        let ends = orders(&children[child]);
                        let joined = |start: &Vec<usize>| {
                            let start = start.clone();
                            ends.clone().into_iter().map(move |end| [start.clone(), end].concat())
                        };
                        starts.iter().flat_map(joined).collect()
                    })
                })
                .collect(),
        }
    }

    fn permutations(n: usize) -> Vec<Vec<usize>> {
        match n {
            0 => vec![vec![]],
            _ => permutations(n - 1)
                .into_iter()
                .flat_map(|short| {
                    (0..n).map(move |place| [&short[..place], &[n - 1], &short[place..]].concat())
                })
                .collect(),
        }
    }

    fn brute_force(game: &Listed, node: &Hierarchy) -> Array2<f64> {
        let orders = orders(node);
        let mut values = Array2::zeros((game.n_players, game.worth.ncols()));
        for order in &orders {
            let mut bits = 0;
            for &player in order {
                let gain = &game.worth.row(bits | 1 << player) - &game.worth.row(bits);
                values.row_mut(player).scaled_add(1.0 / orders.len() as f64, &gain);
                bits |= 1 << player;
            }
        }
        values
    }

    fn near(a: &Array2<f64>, b: &Array2<f64>) -> bool {
        (a - b).iter().all(|gap| gap.abs() < 1e-12)
    }

    #[test]
    fn values_are_the_means_over_orders_that_keep_groups_together() {
        let game = Listed::random(6, 2, 3);
        for node in [tree(), Hierarchy::halved(6)] {
            let estimate = owen(&game, &node, &Options::default(), &work(10)).expect("values");
            assert!(near(&estimate.values, &brute_force(&game, &node)), "{node:?}: {}", estimate.values);
            assert_eq!(estimate.standard_error, Some(Array2::zeros((6, 2))));
            assert!(estimate.warnings.is_empty() && estimate.evaluations < 64);
        }
        let flat = Group((0..6).map(Player).collect());
        let estimate = owen(&game, &flat, &Options::default(), &work(10)).expect("values");
        assert!(near(&estimate.values, &game.shapley()), "one group of all has Shapley values");
    }

    #[test]
    fn groups_that_stay_closed_share_evenly_and_say_so() {
        let game = Listed::random(6, 1, 3);
        let estimate = owen(&game, &tree(), &Options { max_evaluations: 8 }, &work(10)).expect("values");
        assert_eq!(estimate.evaluations, 8);
        assert_eq!(estimate.values.row(4), estimate.values.row(0));
        assert_eq!(estimate.values.row(1), estimate.values.row(5));
        assert_eq!(estimate.standard_error, None);
        assert!(estimate.warnings[0].starts_with("5 of 6 players"), "{:?}", estimate.warnings);
        // The groups themselves have their Shapley values.
        let exact = brute_force(&game, &tree());
        assert!((estimate.values[[4, 0]] * 2.0 - exact[[4, 0]] - exact[[0, 0]]).abs() < 1e-12);
        for max_evaluations in 8..40 {
            let estimate = owen(&game, &tree(), &Options { max_evaluations }, &work(10)).expect("values");
            assert!(estimate.evaluations <= max_evaluations);
            assert!((estimate.values.sum() - (game.worth[[63, 0]] - game.worth[[0, 0]])).abs() < 1e-12);
        }
    }

    #[test]
    fn what_is_no_hierarchy_of_the_players_is_refused() {
        let game = Listed::random(3, 1, 3);
        let say = |node: Hierarchy, max_evaluations| {
            owen(&game, &node, &Options { max_evaluations }, &work(10)).expect_err("a refusal").to_string()
        };
        assert!(say(Hierarchy::halved(2), 500).contains("each of 0 to 2 must be in it once"));
        assert!(say(Group(vec![Player(0), Player(1), Player(1)]), 500).contains("[0, 1, 1]"));
        assert!(say(Group((0..3).map(Player).collect()), 7).contains("8 are the least"));
        let wide = Listed::random(13, 1, 3);
        let flat = Group((0..13).map(Player).collect());
        let error = owen(&wide, &flat, &Options::default(), &work(10)).expect_err("a refusal").to_string();
        assert!(error.contains("a group of 13; 12 are the most"), "{error}");
        let empty = Listed::one(0, |_| 1.0);
        let estimate = owen(&empty, &Hierarchy::halved(0), &Options::default(), &work(10)).expect("nothing");
        assert_eq!(estimate.values.dim(), (0, 1));
    }
}
