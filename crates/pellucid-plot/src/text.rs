//! Text that fits: wrapped at spaces, ended with an ellipsis where it is too long.

use crate::font::{Font, PlacedGlyph};

const ELLIPSIS: char = '…';

/// `text` in at most `max_lines` lines, none wider than `max_width`, but for a line that holds a single letter.
///
/// Runs of white space count as one space. A word wider than a line is split between letters.
pub(crate) fn fit_lines(font: &Font, text: &str, size: f64, max_width: f64, max_lines: usize) -> Vec<String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let letters: Vec<char> = words.join(" ").chars().collect();
    let placed = font.place(letters.iter().copied(), size);
    let mut lines = Vec::new();
    let mut start = 0;
    while start < letters.len() && lines.len() < max_lines {
        let fitting = start + count_fitting(&placed[start..], max_width);
        let is_last = lines.len() + 1 == max_lines;
        if fitting < letters.len() && is_last {
            lines.push(shortened(font, &letters[start..fitting], size, max_width));
            break;
        }
        let end = line_end(&letters, start, fitting);
        lines.push(letters[start..end].iter().collect::<String>().trim_end().to_owned());
        start = end;
    }
    lines
}

/// `text` on one line no wider than `max_width`, its middle left out if need be: names that begin alike, as those of
/// one-hot columns do, differ at their ends. Runs of white space count as one space.
pub(crate) fn fit_middle(font: &Font, text: &str, size: f64, max_width: f64) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let whole = words.join(" ");
    if font.width(&whole, size) <= max_width {
        return whole;
    }
    let letters: Vec<char> = whole.chars().collect();
    let with_kept = |kept: usize| -> String {
        let (head, tail) = (kept.div_ceil(2), kept / 2);
        let head: String = letters[..head].iter().collect();
        let tail: String = letters[letters.len() - tail..].iter().collect();
        format!("{}{ELLIPSIS}{}", head.trim_end(), tail.trim_start())
    };
    let (mut kept, mut too_many) = (1, letters.len());
    while too_many - kept > 1 {
        let middle = usize::midpoint(kept, too_many);
        if font.width(&with_kept(middle), size) <= max_width { kept = middle } else { too_many = middle }
    }
    with_kept(kept)
}

/// How many letters fit from the first on, at least one.
fn count_fitting(placed: &[PlacedGlyph], max_width: f64) -> usize {
    let left = placed[0].left;
    placed.iter().take_while(|glyph| glyph.right - left <= max_width).count().max(1)
}

/// After the last space up to `fitting`, so that the next line starts with a word; `fitting` if there is none.
fn line_end(letters: &[char], start: usize, fitting: usize) -> usize {
    if fitting == letters.len() {
        return fitting;
    }
    // A sign of percent stays with its number.
    let breaks = |i: &usize| letters[*i] == ' ' && letters.get(i + 1) != Some(&'%');
    let space = (start..=fitting).rev().find(breaks).map(|i| i - start);
    space.map_or(fitting, |offset| start + offset + 1)
}

fn shortened(font: &Font, letters: &[char], size: f64, max_width: f64) -> String {
    let mut kept = letters.to_vec();
    loop {
        let text: String = kept.iter().collect::<String>().trim_end().chars().chain([ELLIPSIS]).collect();
        if kept.len() <= 1 || font.width(&text, size) <= max_width {
            return text;
        }
        kept.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::font::Weight;

    fn check(text: &str, max_width: f64, max_lines: usize) -> Vec<String> {
        let font = Font::carried(Weight::SemiBold);
        let lines = fit_lines(&font, text, 15.0, max_width, max_lines);
        assert!(lines.len() <= max_lines);
        for line in &lines {
            assert!(font.width(line, 15.0) <= max_width, "`{line}` is wider than {max_width}");
        }
        lines
    }

    #[test]
    fn short_text_stays_whole() {
        assert_eq!(check("tiger  cat\n", 200.0, 2), ["tiger cat"]);
        assert!(check("  ", 200.0, 2).is_empty());
    }

    #[test]
    fn long_text_wraps_at_spaces_and_loses_nothing() {
        let text = "cleaver, meat cleaver, chopper, butcher's knife";
        assert_eq!(check(text, 150.0, 9).join(" "), text);
    }

    #[test]
    fn a_sign_of_percent_stays_with_its_number() {
        for width in 60..160 {
            let lines = check("better than 100 % of random orders", f64::from(width), 9);
            assert!(lines.iter().any(|line| line.contains("100 %")), "{lines:?}");
        }
    }

    #[test]
    fn too_long_text_ends_with_an_ellipsis() {
        let lines = check(&"black-and-tan coonhound ".repeat(20), 180.0, 2);
        assert_eq!(lines.len(), 2);
        assert!(lines[1].ends_with('…') && !lines[1].ends_with(" …"));
    }

    #[test]
    fn a_word_wider_than_the_line_is_split() {
        let word = "pneumonoultramicroscopicsilicovolcanoconiosis";
        let lines = check(word, 100.0, 9);
        assert!(lines.len() > 2);
        assert_eq!(lines.concat(), word);
    }

    #[test]
    fn every_width_is_kept() {
        let text = "naïve Übergrößenträger → 猫 WWWWWWWWWWWWWWWWWWWWWW iiiiiiiiii Σ|x| ≤ 1";
        for width in 30..200 {
            for max_lines in 1..4 {
                check(text, f64::from(width), max_lines);
            }
        }
    }

    #[test]
    fn the_middle_is_left_out_first() {
        let font = Font::carried(Weight::Regular);
        let name = "credit_history_critical account/ other credits existing (not at this bank)";
        for width in 30..400 {
            let line = fit_middle(&font, name, 13.0, f64::from(width));
            assert!(font.width(&line, 13.0) <= f64::from(width), "`{line}` is wider than {width}");
            let (head, tail) = line.split_once('…').unwrap();
            assert!(name.starts_with(head) && name.ends_with(tail), "`{line}`");
            assert!(line.chars().count() > 3 || width < 40, "`{line}` at {width}");
        }
        assert_eq!(fit_middle(&font, "  a \n b ", 13.0, 90.0), "a b");
        assert_eq!(fit_middle(&font, "", 13.0, 0.0), "");
    }

    #[test]
    fn no_room_at_all_still_ends() {
        let font = Font::carried(Weight::Regular);
        assert_eq!(fit_middle(&font, "abc", 15.0, 0.0), "a…");
        assert_eq!(fit_lines(&font, "abc", 15.0, 0.0, 2), ["a", "b…"]);
    }
}
